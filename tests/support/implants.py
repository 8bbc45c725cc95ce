"""An implant in front of uneven soft tissue: its X-ray with saturated metal, from one or two calibrated cameras."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import trimesh
from torch import Tensor
from xraykit.render import Camera, instrument
from xraykit.render.geometry import rigid_inverse, rigid_matrix, rotation_from
from xraykit.render.meshes import thickness
from xraykit.xvr.implants import Implant, ImplantFit, ImplantSettings
from xraykit.xvr.implants.implant import united
from xraykit.xvr.xray.shot import Shot

CAMERA = Camera(sdd=1000.0, height=160, width=160, pixel_spacing=1.2)
QUICK = ImplantSettings(
    scales=(160,), spread=False, lookalikes=False, fit=ImplantFit(iterations=8, reach=6, last_reach=3)
)
TURN = (0.35, 1.9, 0.4)  # of the mesh before the camera, rotation vector [rad]
PLACE = (8.0, -6.0, 760.0)  # of its middle, in the camera [mm]


@lru_cache
def component(name: str = "femoral_component") -> Implant:
    return Implant(united(instrument(name, seed=0), 2.0), "cobalt_chrome")


def twisted(implant: Implant, angle: float = 1.2) -> Implant:
    """The implant turned about its long axis, more from end to end, by `angle` [rad] in all: it has a side."""
    mesh, middle = implant.mesh, implant.pivot.to(implant.mesh.vertices)
    at = mesh.vertices - middle
    turn = angle * at[:, 0] / (mesh.bounds[1, 0] - mesh.bounds[0, 0])
    y, z = turn.cos() * at[:, 1] - turn.sin() * at[:, 2], turn.sin() * at[:, 1] + turn.cos() * at[:, 2]
    return Implant(replace(mesh, vertices=torch.stack([at[:, 0], y, z], 1) + middle), implant.material)


def truth(implant: Implant) -> Tensor:
    """Camera to mesh, (4, 4)."""
    rotation = rotation_from(torch.tensor(TURN, dtype=torch.float64), parameterization="axis_angle")
    return rigid_inverse(rigid_matrix(rotation, torch.tensor(PLACE, dtype=torch.float64) - rotation @ implant.pivot))


def second_camera() -> Tensor:
    """Where the second camera stands in the frame of the first: turned by 70 degrees about the implant."""
    rotation = rotation_from(torch.tensor([0.0, -1.22, 0.0], dtype=torch.float64), parameterization="axis_angle")
    middle = torch.tensor(PLACE, dtype=torch.float64)
    return rigid_matrix(rotation, middle - rotation @ middle)


def implant_shot(implant: Implant, pose: Tensor, *, name: str = "xray", noise: float = 0.02) -> Shot:
    """Metal on a tilted plane of tissue, with noise; the detector sees at least 3 % of the beam."""
    lengths = thickness([implant.mesh], CAMERA, pose[None])[0, 0].double()
    across, down = torch.linspace(-1, 1, CAMERA.width), torch.linspace(-1, 1, CAMERA.height)[:, None]
    tissue = 0.9 + 0.3 * across + 0.2 * down**2
    missing = implant.shadow(lengths)
    open_beam = (-tissue).exp() * (1 - missing) + 0.03
    grain = noise * torch.randn(open_beam.shape, generator=torch.Generator().manual_seed(1))
    return Shot(-(open_beam * (1 + grain)).clamp_min(1e-3).log(), CAMERA, name=name)


def moved(implant: Implant, pose: Tensor, turn: tuple[float, ...], shift: tuple[float, ...]) -> Tensor:
    """The pose with the implant turned [degrees] about its pivot and shifted [mm] in camera axes."""
    to_camera = rigid_inverse(pose)
    rotation = rotation_from(torch.tensor(turn, dtype=torch.float64).deg2rad(), parameterization="axis_angle")
    middle = to_camera[:3, :3] @ implant.pivot + to_camera[:3, 3] + torch.tensor(shift, dtype=torch.float64)
    turned = rotation @ to_camera[:3, :3]
    return rigid_inverse(rigid_matrix(turned, middle - turned @ implant.pivot))


def errors(implant: Implant, found: Tensor, true: Tensor) -> tuple[float, float, float]:
    """In plane [mm], in depth [mm], and turn [degrees] between two poses (4, 4), camera to mesh."""
    first, second = rigid_inverse(found), rigid_inverse(true)
    shift = (first[:3, :3] - second[:3, :3]) @ implant.pivot + first[:3, 3] - second[:3, 3]
    cosine = ((first[:3, :3] @ second[:3, :3].mT).trace() - 1) / 2
    return float(shift[:2].norm()), float(shift[2].abs()), float(torch.rad2deg(cosine.clamp(-1, 1).arccos()))


def write_stl(path: Path, vertices: Tensor, faces: Tensor) -> None:
    trimesh.Trimesh(np.asarray(vertices), np.asarray(faces), process=False).export(path)
