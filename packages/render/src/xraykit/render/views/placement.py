"""From a target and a line of sight to camera and pose: detector close behind the body, field inside the image."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera
from ..geometry.rigid import rigid_matrix
from ..geometry.rotations import rotation_about
from .definition import Axis

GAP = 25.0  # between body and detector: table top, grid and casing [mm]
SKIN = 50.0  # least distance from the source to the body [mm]
UPWARDS = {"+x": (1.0, 0.0, 0.0), "+y": (0.0, 1.0, 0.0), "+z": (0.0, 0.0, 1.0), "-z": (0.0, 0.0, -1.0)}


class CameraPlacement(NamedTuple):
    """Camera and pose (1, 4, 4) float64 with the distance from source to target, and whether both keep off the body."""

    camera: Camera
    pose: Tensor
    sod: float
    clear: bool


def camera_axes(a: float, b: float, *, up: Axis = "+z", roll: float = 0.0) -> Tensor:
    r"""The camera's axes (columns x, y, z) in the frame of a view, (3, 3) float64.

    z = -s = (-sin a cos b, -cos a cos b, sin b), y is the part of -up across z, x = y x z; then a turn by `roll`
    [degrees] about z. With up = "+z" this is the rotation of carm_pose(lao_rao=180 - a, cra_cau=b, roll=roll).
    """
    sin_a, cos_a, sin_b, cos_b = (f(math.radians(v)) for v in (a, b) for f in (math.sin, math.cos))
    z = torch.tensor([-sin_a * cos_b, -cos_a * cos_b, sin_b], dtype=torch.float64)
    upwards = torch.tensor(UPWARDS[up], dtype=torch.float64)
    y = -(upwards - (upwards @ z) * z)
    y = y / torch.linalg.vector_norm(y)
    turn = rotation_about("Z", torch.tensor(math.radians(roll), dtype=torch.float64))
    return torch.stack([torch.linalg.cross(y, z), y, z], dim=1) @ turn


def place(
    target: Tensor,
    axes: Tensor,
    *,
    sdd: float,
    field: tuple[float, float],
    size: tuple[int, int],
    body: Tensor,
    gap: float = GAP,
) -> CameraPlacement:
    """The camera whose central ray passes through the target, its detector `gap` behind the body in the field.

    Where the body is too deep for that (a beam along the patient) the target stays in the middle between source and
    detector, one of which is then inside the body: `clear` is false.

    Args:
        target: World RAS [mm], (3,).
        axes: Camera x, y, z in the world as columns, (3, 3).
        sdd: Source to detector [mm].
        field: Width and height [mm] at the detector that the image must show; pixels are square, so it may show more.
        size: Detector rows and columns [px].
        body: World points of what must not touch the detector [mm], (n, 3).
        gap: Between body and detector [mm].

    Raises:
        GeometryError: size or field are not positive.
    """
    height, width = size
    if min(height, width) < 1 or min(field) <= 0:
        raise GeometryError(f"size [px] and field [mm] must be positive, got {size} and {field}.")
    spacing = max(field[0] / width, field[1] / height)
    local = (body - target) @ axes
    half = torch.tensor([spacing * width / 2, spacing * height / 2], dtype=torch.float64)
    depth = local[(local[:, :2].abs() <= half).all(dim=1), 2]
    front, back = (float(depth.min()), float(depth.max())) if len(depth) else (0.0, 0.0)
    behind = min(max(back, 0.0) + gap, sdd / 2)
    sod = sdd - behind
    pose = rigid_matrix(axes, target - sod * axes[:, 2])[None]
    clear = behind >= back and sod + front >= SKIN
    return CameraPlacement(Camera(sdd=sdd, height=height, width=width, pixel_spacing=spacing), pose, sod, clear)
