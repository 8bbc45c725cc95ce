"""Cine runs of an implant that moves, and of two bones that move against each other."""

from __future__ import annotations

import torch
from support.implants import CAMERA, component, implant_shot, moved, truth
from torch import Tensor
from xraykit.xvr import Shot
from xraykit.xvr.tracking import CineFrame

TURN, SHIFT = (0.0, 4.0, 1.5), (3.0, 1.0, 0.0)  # from frame to frame [degrees, mm]


def true_poses(count: int) -> list[Tensor]:
    """Camera to mesh (4, 4) of the femoral component in each frame."""
    implant = component()
    steps = ((tuple(n * angle for angle in TURN), tuple(n * way for way in SHIFT)) for n in range(count))
    return [moved(implant, truth(implant), turn, shift) for turn, shift in steps]


def noise_shot() -> Shot:
    """An X-ray in which nothing is seen."""
    return Shot(torch.rand(CAMERA.height, CAMERA.width, generator=torch.Generator().manual_seed(3)), CAMERA)


def implant_run(count: int, *, empty: tuple[int, ...] = ()) -> list[CineFrame]:
    """Frames of the component; in those named it is out of the picture."""
    shots = [
        noise_shot() if n in empty else implant_shot(component(), pose) for n, pose in enumerate(true_poses(count))
    ]
    return [CineFrame((shot,), n, f"{n:03}") for n, shot in enumerate(shots)]
