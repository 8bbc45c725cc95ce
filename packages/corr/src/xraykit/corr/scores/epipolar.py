"""What the pose alone says of correspondence: beams of two patches can only meet in a common epipolar plane."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xraykit.render import InputError

SLACK = 1e-9
"""Radians by which wedges must overlap to meet: those that only touch do not."""


def fundamental_matrix(first: Tensor, second: Tensor) -> Tensor:
    """F = [e2]_x P2 P1^+ with e2 = P2 c1: x2' F x1 = 0 for the images (x, y, 1) of one point.

    Args:
        first: P1, image projection (..., 3, 4).
        second: P2, likewise.

    Returns:
        (..., 3, 3) float64; 0 where both sources coincide.

    Raises:
        InputError: Shapes that are not so.

    Source: Hartley and Zisserman, Multiple view geometry, 2004, equation 9.1.
    """
    first, second = _projections(first, second)
    source = torch.cat([_source(first), torch.ones_like(first[..., :1, 0])], dim=-1)
    x, y, z = (second @ source[..., None])[..., 0].unbind(-1)
    nil = torch.zeros_like(x)
    cross = torch.stack([nil, -z, y, z, nil, -x, -y, x, nil], dim=-1).unflatten(-1, (3, 3))
    return cross @ second @ torch.linalg.pinv(first)


def epipolar_band(first: Tensor, second: Tensor, grid: int) -> Tensor:
    """Which patches of the second image the beam of each patch of the first may meet.

    The planes through both sources are one family, told apart by an angle about the line that joins them. A patch spans
    an interval of angles, from its corners; beams of two patches can meet only where their intervals overlap. A patch
    that contains the epipole spans all of them, and so does every patch where both sources coincide.

    Args:
        first: Image projection (..., 3, 4).
        second: Likewise.
        grid: G patches along each side.

    Returns:
        Booleans (..., L, L), L = G^2: a row for each patch of the first image. The band of (second, first) is the
        transposed one.

    Raises:
        InputError: Shapes that are not so, or a grid below 1.
    """
    first, second = _projections(first, second)
    if grid < 1:
        raise InputError(f"the patch grid must be 1 or more, got {grid}.")
    baseline = _source(second) - _source(first)
    length = baseline.norm(dim=-1)
    along = baseline / length.clamp(min=1e-12)[..., None]
    across = torch.linalg.cross(along, _least_aligned(along))
    across = across / across.norm(dim=-1, keepdim=True)
    frame = torch.stack([across, torch.linalg.cross(along, across)], dim=-2)
    middle1, low1, high1 = _intervals(first, frame, grid)
    middle2, low2, high2 = _intervals(second, frame, grid)
    apart = _wrapped(middle2[..., None, :] - middle1[..., :, None])
    meets = torch.zeros_like(apart, dtype=torch.bool)
    for turn in (-2 * math.pi, 0.0, 2 * math.pi):
        low, high = apart + turn + low2[..., None, :], apart + turn + high2[..., None, :]
        meets |= (low < high1[..., :, None] - SLACK) & (high > low1[..., :, None] + SLACK)
    return meets | (length < 1e-6)[..., None, None]


def _intervals(projection: Tensor, frame: Tensor, grid: int) -> tuple[Tensor, Tensor, Tensor]:
    """The angle of each patch's middle, and those of its lowest and highest corner from there, each (..., L)."""
    corner = torch.arange(grid + 1, dtype=torch.float64, device=projection.device) / grid
    middle = (corner[:-1] + corner[1:]) / 2
    corners = _angles(projection, frame, corner).unflatten(-1, (grid + 1, grid + 1))
    center = _angles(projection, frame, middle)
    around = torch.stack(
        [corners[..., :-1, :-1], corners[..., :-1, 1:], corners[..., 1:, 1:], corners[..., 1:, :-1]], dim=-1
    ).flatten(-3, -2)
    turns = _wrapped(around.roll(-1, dims=-1) - around).sum(-1)
    from_center = _wrapped(around - center[..., None])
    holds_epipole = turns.abs() > math.pi
    low = torch.where(holds_epipole, -math.pi, from_center.amin(-1))
    high = torch.where(holds_epipole, math.pi, from_center.amax(-1))
    return center, low, high


def _angles(projection: Tensor, frame: Tensor, places: Tensor) -> Tensor:
    """Angles about the line of the sources of the rays through a lattice of places, row by row, (..., N^2)."""
    y, x = torch.meshgrid(places, places, indexing="ij")
    image = torch.stack([x.flatten(), y.flatten(), torch.ones_like(x).flatten()])
    rays = torch.linalg.solve(projection[..., :3], image.expand(*projection.shape[:-2], -1, -1))
    u, v = (frame @ rays).unbind(-2)
    return torch.atan2(v, u)


def _source(projection: Tensor) -> Tensor:
    return -torch.linalg.solve(projection[..., :3], projection[..., 3:])[..., 0]


def _least_aligned(direction: Tensor) -> Tensor:
    """The axis that is farthest from parallel to a direction."""
    return torch.nn.functional.one_hot(direction.abs().argmin(-1), 3).to(direction.dtype)


def _wrapped(angle: Tensor) -> Tensor:
    return torch.remainder(angle + math.pi, 2 * math.pi) - math.pi


def _projections(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    for projection in (first, second):
        if projection.shape[-2:] != (3, 4):
            raise InputError(f"an image projection must be (..., 3, 4), got {tuple(projection.shape)}.")
    return first.double(), second.double()
