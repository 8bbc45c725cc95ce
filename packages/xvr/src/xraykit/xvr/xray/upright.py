"""X-rays that are stored turned: as the detector saw them, and their poses as the stored image has them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from xraykit.render import Camera
from xraykit.render.geometry import rigid_matrix

from .shot import Shot

TURN = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)  # a quarter, x to y


def upright_shot(shot: Shot) -> Shot:
    """The X-ray turned by the quarter turns that its file says it is stored turned by; others as they are.

    An image whose camera is rolled by 90 degrees is turned anticlockwise, so it is turned clockwise. The camera goes
    with it: a point (x, y) of an image H pixels high comes to (H - y, x).
    """
    quarters = round(shot.roll / 90) % 4
    image = torch.rot90(shot.image, -quarters)
    valid = None if shot.valid is None else torch.rot90(shot.valid, -quarters).contiguous()
    camera = shot.camera
    for _ in range(quarters):
        camera = _clockwise(camera)
    return replace(shot, image=image.contiguous(), valid=valid, camera=camera, roll=shot.roll - 90 * quarters)


def rolled(pose: Tensor, degrees: float) -> Tensor:
    """Poses (..., 4, 4) of cameras that are turned about their beam, from x towards y, by a multiple of 90 degrees."""
    turn = torch.linalg.matrix_power(TURN, round(degrees / 90) % 4)
    return pose @ rigid_matrix(turn, torch.zeros(3, dtype=torch.float64)).to(pose)


def _clockwise(camera: Camera) -> Camera:
    _, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    (row, column), (x, y) = spacing[0].tolist(), centre[0].tolist()
    return replace(
        camera,
        height=camera.width,
        width=camera.height,
        pixel_spacing=(column, row),
        principal_point=(camera.height - y, x),
    )
