"""Rays against triangles in plain torch: which ray meets which triangle, and how far along.

The camera frame makes it a scan conversion that needs no clipping and no tolerance. All rays of an image row lie in one
plane through the source; that plane cuts a closed mesh in closed polygons, whose corners lie on edges of the mesh. A
corner is computed from its edge alone, upper vertex first, so the two triangles that share the edge get the same bits;
whether a ray passes left or right of a corner is one sign. Each ray therefore crosses every polygon as often inwards as
outwards, whatever rounding does: shared edges and vertices count once, and nothing leaks.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .fixed_point import step_of

_NUMBERS_AT_ONCE = 2**22


class Hits(NamedTuple):
    """N meetings of rays and triangles in one view, all (N,); sign is +1 out of the solid, -1 into it."""

    row: Tensor
    column: Tensor
    face: Tensor
    sign: Tensor


def find_hits(points: Tensor, faces: Tensor, across: Tensor, down: Tensor) -> Hits:
    """Every meeting in front of the source.

    Args:
        points: Vertices in the camera frame [mm], (V, 3) float64.
        faces: (F, 3), counter-clockwise seen from outside the solid.
        across: x / z of the rays of each image column, (W,).
        down: y / z of the rays of each image row, (H,).
    """
    points, across, down = points.detach(), across.detach(), down.detach()
    found = []
    for rows in torch.arange(len(down), device=points.device).split(max(1, _NUMBERS_AT_ONCE // (3 * len(faces) + 1))):
        row, face = _sections(points, faces, down, rows)
        for r, f in zip(*(t.split(max(1, _NUMBERS_AT_ONCE // len(across))) for t in (row, face)), strict=True):
            found.append(_along_rows(points, faces, across, down, r, f))
    return Hits(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def depth_of(points: Tensor, faces: Tensor, across: Tensor, down: Tensor, hits: Hits) -> Tensor:
    """z of every hit [mm], (N,); differentiable with respect to points, across and down.

    With P and Q the corners of the row's section of the triangle and f(X) = X_x - across X_z,
    z = P_z + s (Q_z - P_z), s = f(P) / (f(P) - f(Q)), which always lies between P_z and Q_z.
    """
    ends = _ends(points.detach(), faces, down.detach(), hits.row, hits.face)
    return _depth(*_corners(points, ends, down[hits.row]), across[hits.column])


def sum_signed(z: Tensor, sign: Tensor, slot: Tensor, slots: int, far: float) -> Tensor:
    """Sum of sign * z per slot, (slots,) float64, with bits that do not depend on the order of the terms.

    The value is summed in whole multiples of `step_of(far)`; the gradient is that of the plain sum.
    """
    step = step_of(far)
    terms = sign * z
    exact = (sign * torch.round(z.detach() / step)).to(torch.int64)
    total = torch.zeros(slots, dtype=torch.int64, device=z.device).index_add_(0, slot, exact)
    value = total.to(torch.float64) * step
    if not (terms.requires_grad and torch.is_grad_enabled()):
        return value
    plain = torch.zeros(slots, dtype=torch.float64, device=z.device).index_add(0, slot, terms)
    return plain + (value - plain).detach()


def _sections(points: Tensor, faces: Tensor, down: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """(row, face) of each triangle that a row's plane cuts and that is not all behind the source."""
    below = points[:, 1] - down[rows, None] * points[:, 2] > 0
    count = below[:, faces].sum(dim=2)
    in_front = (points[:, 2] > 0)[faces].any(dim=1)
    index, face = torch.nonzero((count > 0) & (count < 3) & in_front, as_tuple=True)
    return rows[index], face


def _along_rows(
    points: Tensor, faces: Tensor, across: Tensor, down: Tensor, row: Tensor, face: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    p_x, p_z, q_x, q_z = _corners(points, _ends(points, faces, down, row, face), down[row])
    right_of_p = p_x[:, None] - across * p_z[:, None] > 0
    right_of_q = q_x[:, None] - across * q_z[:, None] > 0
    section, column = torch.nonzero(right_of_p != right_of_q, as_tuple=True)
    sign = right_of_q[section, column].to(points.dtype) * 2 - 1
    z = _depth(p_x[section], p_z[section], q_x[section], q_z[section], across[column])
    keep = z > 0
    return row[section][keep], column[keep], face[section][keep], sign[keep]


def _ends(points: Tensor, faces: Tensor, down: Tensor, row: Tensor, face: Tensor) -> tuple[Tensor, ...]:
    """The vertices (positive side, other side) of the edge of P, then those of Q, for each section.

    Going round the triangle, the edge of P leaves the positive side and that of Q returns to it.
    """
    corner = faces[face]
    positive = points[corner, 1] - down[row, None] * points[corner, 2] > 0
    single = positive.sum(dim=1) == 1
    lone = torch.where(single, positive.to(torch.uint8).argmax(dim=1), positive.to(torch.uint8).argmin(dim=1))
    o, p, q = (corner.gather(1, (lone[:, None] + n) % 3)[:, 0] for n in range(3))
    return (
        torch.where(single, o, q),
        torch.where(single, p, o),
        torch.where(single, o, p),
        torch.where(single, q, o),
    )


def _corners(points: Tensor, ends: tuple[Tensor, ...], down: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    p_first, p_second, q_first, q_second = (points[end] for end in ends)
    return *_crossing(p_first, p_second, down), *_crossing(q_first, q_second, down)


def _crossing(a: Tensor, b: Tensor, down: Tensor) -> tuple[Tensor, Tensor]:
    """Where the edge from a (positive side) to b meets the plane y = down z, as x and z."""
    height = a[:, 1] - down * a[:, 2]
    t = height / (height - (b[:, 1] - down * b[:, 2]))
    return a[:, 0] + t * (b[:, 0] - a[:, 0]), a[:, 2] + t * (b[:, 2] - a[:, 2])


def _depth(p_x: Tensor, p_z: Tensor, q_x: Tensor, q_z: Tensor, across: Tensor) -> Tensor:
    first, second = p_x - across * p_z, q_x - across * q_z
    return p_z + first / (first - second) * (q_z - p_z)
