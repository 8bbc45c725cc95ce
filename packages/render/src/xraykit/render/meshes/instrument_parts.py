"""Closed surfaces from which instruments are made: stacks of rings, and flat regions with a thickness."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
MeshPart = tuple[Floats, NDArray[np.int64]]  # vertices (V, 3) [mm], faces (F, 3)

_SAME = 1e-6  # points of a flat region closer than this are one [mm]


def tube_mesh(rings: Floats, *, closed: bool = False) -> MeshPart:
    """The surface through a stack of rings of equally many points.

    Args:
        rings: (N, K, 3) [mm]; points counter-clockwise seen against the direction in which the stack grows.
        closed: Join the last ring to the first (a bored body: up the outside, down the inside); otherwise both ends
            are closed by a fan from their middle.
    """
    count, around, _ = rings.shape
    number = np.arange(count * around).reshape(count, around)
    low = number if closed else number[:-1]
    high = np.roll(number, -1, axis=0) if closed else number[1:]
    faces = _quads(low, np.roll(low, -1, axis=1), np.roll(high, -1, axis=1), high)
    vertices = rings.reshape(-1, 3)
    if closed:
        return vertices, faces
    first, last = number[0], number[-1]
    bottom, top = np.full(around, count * around), np.full(around, count * around + 1)
    caps = [np.stack([bottom, np.roll(first, -1), first], axis=1), np.stack([top, last, np.roll(last, -1)], axis=1)]
    ends = np.stack([rings[0].mean(axis=0), rings[-1].mean(axis=0)])
    return np.concatenate([vertices, ends]), np.concatenate([faces, *caps])


def turned(profile: Iterable[tuple[float, float | Floats]], around: int) -> Floats:
    """Rings about the z axis, (N, around, 3): each (z, r) with one radius, or one for each angle (see `angles`)."""
    theta = angles(around)
    rings = []
    for z, r in profile:
        radius = np.broadcast_to(np.asarray(r, np.float64), (around,))
        rings.append(np.stack([radius * np.cos(theta), radius * np.sin(theta), np.full(around, float(z))], axis=1))
    return np.stack(rings)


def angles(around: int) -> Floats:
    """The angles of a ring's points [rad], (around,)."""
    return 2 * np.pi * np.arange(around) / around


def polygon_radius(apothem: float, corners: int, around: int) -> Floats:
    """The radius of a regular polygon with this apothem [mm] at every angle of a ring, (around,)."""
    sector = 2 * np.pi / corners
    return apothem / np.cos((angles(around) + 1e-9) % sector - sector / 2)


def thread(z: ArrayLike, *, pitch: float, around: int, crest: float = 0.1, root: float = 0.4) -> Floats:
    """The height of a right-handed thread over its core as a share of its depth, 0 to 1, for each z: (N, around).

    Args:
        z: Heights [mm], (N,).
        pitch: Distance between turns [mm].
        around: Points of a ring.
        crest: Share of the pitch at full height.
        root: Share of the pitch at the core.
    """
    phase = (np.asarray(z, np.float64)[:, None] / pitch - angles(around) / (2 * np.pi)) % 1.0
    away = np.abs(phase - 0.5)  # 0 in the middle of the crest
    flank = (1 - crest - root) / 2
    return np.clip((crest / 2 + flank - away) / flank, 0.0, 1.0)


def extruded(points: Floats, triangles: NDArray[np.int64], low: ArrayLike, high: ArrayLike) -> MeshPart:
    """A flat region in x and y between two heights.

    Args:
        points: (N, 2) [mm]; those closer than 1e-6 mm are one.
        triangles: (T, 3), any orientation; they cover the region once.
        low: z of the lower side, one or for each point.
        high: z of the upper side.
    """
    heights = [np.broadcast_to(np.asarray(h, np.float64), (len(points),)) for h in (low, high)]
    _, first, index = np.unique(np.round(points / _SAME), axis=0, return_index=True, return_inverse=True)
    flat, heights = points[first], [h[first] for h in heights]
    triangles = index.reshape(-1)[triangles]
    u, v = flat[triangles[:, 1]] - flat[triangles[:, 0]], flat[triangles[:, 2]] - flat[triangles[:, 0]]
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    triangles = np.where((area < 0)[:, None], triangles[:, ::-1], triangles)[np.abs(area) > _SAME**2]
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    key = edges[:, 0] * len(flat) + edges[:, 1]
    rim = edges[~np.isin(key, edges[:, 1] * len(flat) + edges[:, 0])]
    up = len(flat)
    walls = _quads(rim[:, 0], rim[:, 1], rim[:, 1] + up, rim[:, 0] + up)
    vertices = np.concatenate([np.column_stack([flat, h]) for h in heights])
    return vertices, np.concatenate([triangles[:, ::-1], triangles + up, walls])


def sheet(grid: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Points (N * M, 2) and triangles of a grid of points (N, M, 2)."""
    number = np.arange(grid.shape[0] * grid.shape[1]).reshape(grid.shape[:2])
    return grid.reshape(-1, 2), _quads(number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:])


def together(sheets: Sequence[tuple[Floats, NDArray[np.int64]]]) -> tuple[Floats, NDArray[np.int64]]:
    """Several point sets (or parts) as one; the surfaces of parts may touch but not overlap."""
    offsets = np.cumsum([0, *(len(points) for points, _ in sheets)])
    points = np.concatenate([points for points, _ in sheets])
    return points, np.concatenate([faces + offset for (_, faces), offset in zip(sheets, offsets, strict=False)])


def moved(part: MeshPart, matrix: ArrayLike, offset: ArrayLike = (0.0, 0.0, 0.0)) -> MeshPart:
    """The part under x -> matrix x + offset; a mirror image gets its faces reversed."""
    linear = np.asarray(matrix, np.float64)
    faces = part[1] if np.linalg.det(linear) > 0 else part[1][:, ::-1]
    return part[0] @ linear.T + np.asarray(offset, np.float64), faces


def _quads(a: NDArray[np.int64], b: NDArray[np.int64], c: NDArray[np.int64], d: NDArray[np.int64]):
    """Two triangles for each quadrilateral a b c d."""
    a, b, c, d = (corner.reshape(-1) for corner in (a, b, c, d))
    return np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
