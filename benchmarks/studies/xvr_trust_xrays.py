"""X-rays for the study of trust: our own physics or other people's renderers, degraded as X-rays are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from xraykit.render import Scene, SimulationSettings, Spectrum, Volume, carm_pose, render, simulate
from xraykit.render.radiographs import RectangularShutter
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, MarchSettings, ScatterSettings
from xraykit.xvr import Shot

from ..common.entry import Entry
from ..common.scenes import Scene as PeerScene
from ..common.scenes import View
from ..common.xvr_scenes import FIELD, camera_of
from ..speed.opponents import PROGRAMS, Opponent
from .xvr_trust_patients import Who, hounsfield, moved_tissue, volume_of

OWN = "xraykit"
OTHERS = ("nanodrr", "diffdrr")  # renderers whose X-rays are tested on alone
LATERAL, LARGE, EIGHT_BITS, WIRES = 0.3, 0.7, 0.4, 0.25  # shares
SIZES = (256, 512)  # px
QUANTA = (3.0, 5.0)  # log10 of what reaches a square millimetre of the detector behind the patient: cine to radiograph
SHADOW = 0.3  # line integral of what lies behind the patient


@dataclass(frozen=True, eq=False)
class TrueXray:
    """An X-ray and its true pose (1, 4, 4)."""

    shot: Shot
    pose: Tensor
    renderer: str


def taken(who: Who, number: int, renderer: str = OWN) -> TrueXray:
    """An X-ray of the patient, with everything drawn from wide ranges; the same for the same number."""
    rng = np.random.default_rng([who.seed, number, len(who.region)])
    volume = volume_of(who)
    pose = _pose(volume, rng)
    size = SIZES[int(rng.random() < LARGE)]
    seen = moved_tissue(volume, rng, float(rng.uniform(0.5, 2.0))) if has_moved(who, number) else volume
    intensity, valid = (_simulated if renderer == OWN else _rendered)(seen, pose, size, rng, renderer)
    image = -torch.log(intensity.clamp_min(1e-7))
    image = _with_wires(image, rng) if rng.random() < WIRES else image
    image = _as_picture(image, valid, rng) if rng.random() < EIGHT_BITS else image
    return TrueXray(Shot(image, camera_of(size), valid=valid, name=f"{who.name} {number}"), pose, renderer)


def has_moved(who: Who, number: int) -> bool:
    """Whether the patient's tissue lies otherwise in this X-ray than in his CT: in every fourth, of each region."""
    return (who.seed + number + len(who.region)) % 4 == 0


def _pose(volume: Volume, rng: np.random.Generator) -> Tensor:
    side = 90.0 if rng.random() < LATERAL else 0.0
    return carm_pose(
        lao_rao=side + rng.uniform(-45, 45),
        cra_cau=rng.uniform(-25, 25),
        roll=rng.uniform(-10, 10),
        sod=float(rng.uniform(650, 850)),
        isocenter=volume.center + torch.from_numpy(rng.uniform(-30, 30, 3)),
    ).double()


def _photons(volume: Volume, pose: Tensor, size: int, rng: np.random.Generator) -> float:
    """What an exposure control sends to each pixel [photons] for a drawn number behind most of the patient."""
    lines = render(volume, camera_of(32), pose)[0, 0]
    through = float(torch.exp(-lines[lines > SHADOW]).quantile(0.3)) if bool((lines > SHADOW).any()) else 1.0
    return float(10 ** rng.uniform(*QUANTA)) * (FIELD / size) ** 2 / through


def _field(size: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    left, top, right, bottom = rng.uniform(0.0, 0.25, 4) * size
    return left, top, size - right, size - bottom


def _simulated(
    volume: Volume, pose: Tensor, size: int, rng: np.random.Generator, renderer: str
) -> tuple[Tensor, Tensor]:
    left, top, right, bottom = _field(size, rng)
    settings = SimulationSettings(
        beam=BeamSettings(
            spectrum=Spectrum(float(rng.uniform(60, 120))),
            shutter=RectangularShutter(left=left, top=top, right=right, bottom=bottom),
            leakage=0.002,
        ),
        dose=DoseSettings(photons_per_pixel=_photons(volume, pose, size, rng), readout_quanta=5.0),
        scatter=ScatterSettings(scatter_to_primary=float(rng.uniform(0, 1.0))),
        march=MarchSettings(method="siddon"),
        masks=False,
    )
    scene = Scene((Body.from_volume(volume),))
    found = simulate(scene, camera_of(size), pose, settings, seed=int(rng.integers(2**31)))
    return found.intensity[0, 0].float(), found.air[0, 0] > 0.5 * float(found.air.max())


def _rendered(
    volume: Volume, pose: Tensor, size: int, rng: np.random.Generator, renderer: str
) -> tuple[Tensor, Tensor]:
    """One energy, another law from Hounsfield numbers to attenuation, a share of scatter, and counted photons."""
    hu, bone = hounsfield(volume), float(rng.uniform(1.2, 2.0))
    mu = 0.0192 * (1 + hu / 1000).clamp_min(0) + 0.0192 * (bone - 1) * (hu / 1000).clamp_min(0)
    view = View(size, size, FIELD / size, 1, 300)
    scene = PeerScene("patient", mu.contiguous(), volume.affine)
    make: Callable[[Entry, PeerScene, View], Opponent] = PROGRAMS[renderer]  # type: ignore[assignment]
    program = make(Entry(renderer, "trilinear"), scene, view)
    with torch.no_grad():
        lines = program.image(pose.to(program.poses), program.mu).reshape(size, size).float()
    through = torch.exp(-lines)
    scatter = float(rng.uniform(0, 0.6)) * through.mean()
    photons = _photons(volume, pose, size, rng)
    counted = torch.from_numpy(rng.poisson(((through + scatter) * photons).double().numpy())).float() / photons
    left, top, right, bottom = (round(edge) for edge in _field(size, rng))
    valid = torch.zeros(size, size, dtype=torch.bool)
    valid[top:bottom, left:right] = True
    return torch.where(valid, counted, torch.tensor(0.002)), valid


def _with_wires(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Metal that no CT shows: one to three straight rods or leads."""
    size = len(image)
    y, x = torch.meshgrid(torch.arange(size) / size, torch.arange(size) / size, indexing="ij")
    for _ in range(int(rng.integers(1, 4))):
        angle, offset, width = rng.uniform(0, np.pi), rng.uniform(0.2, 0.8), rng.uniform(0.006, 0.02)
        along = (x - 0.5) * np.cos(angle) + (y - offset) * np.sin(angle)
        across = -(x - 0.5) * np.sin(angle) + (y - offset) * np.cos(angle)
        low, high = np.sort(rng.uniform(-0.7, 0.7, 2))
        depth = (1 - (across / width).square()).clamp_min(0).sqrt() * ((along > low) & (along < high))
        image = image + float(rng.uniform(0.5, 3.0)) * depth.float()
    return image


def _as_picture(image: Tensor, valid: Tensor, rng: np.random.Generator) -> Tensor:
    """Eight bits of a window, with greys that are curved a little."""
    low, high = np.quantile(image[valid].numpy(), [0.002, 0.998])
    grey = ((image - low) / max(high - low, 1e-6)).clamp(0, 1) ** float(rng.uniform(0.75, 1.3))
    return (grey * 255).round() / 255


def with_camera(shot: Shot, *, sdd: float = 1.0, spacing: float = 1.0) -> Shot:
    """The same X-ray with what its file states multiplied by these factors."""
    camera = shot.camera
    pitch = float(torch.as_tensor(camera.pixel_spacing).reshape(-1)[0])
    stated = replace(camera, sdd=camera.sdd_mm * sdd, pixel_spacing=pitch * spacing)
    return replace(shot, camera=stated)
