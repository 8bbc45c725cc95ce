"""Pairs of triangles of one mesh that pierce each other."""

from __future__ import annotations

import numpy as np

from .compile import kernel

_ENOUGH = 100


def count_piercing(vertices: np.ndarray, faces: np.ndarray, pairs: int) -> int | None:
    """The number of piercing pairs, at most 100; None if more than `pairs` candidates would have to be tested.

    Args:
        vertices: (V, 3) float64.
        faces: (F, 3) int64.
        pairs: The bound.
    """
    corners = vertices[faces]
    low, high = corners.min(axis=1), corners.max(axis=1)
    cell = np.maximum((high - low).mean(axis=0), 1e-6 * (vertices.max() - vertices.min()))
    while True:
        first = np.floor((low - low.min(axis=0)) / cell).astype(np.int64)
        last = np.floor((high - low.min(axis=0)) / cell).astype(np.int64)
        entries = (last - first + 1).prod(axis=1)
        if entries.sum() <= 16 * len(faces):
            break
        cell = cell * 1.5
    grid = last.max(axis=0) + 1
    key, owner = np.empty(entries.sum(), np.int64), np.empty(entries.sum(), np.int64)
    _fill(first, last, grid, key, owner)
    order = np.argsort(key, kind="stable")
    key, owner = key[order], owner[order]
    start = np.flatnonzero(np.r_[True, key[1:] != key[:-1], True])
    inside = np.diff(start)
    if int((inside * (inside - 1) // 2).sum()) > pairs:
        return None
    return int(_count(vertices, faces, low, high, first, grid, key, owner, start))


@kernel
def _fill(first, last, grid, key, owner):
    place = 0
    for f in range(len(first)):
        for i in range(first[f, 0], last[f, 0] + 1):
            for j in range(first[f, 1], last[f, 1] + 1):
                for k in range(first[f, 2], last[f, 2] + 1):
                    key[place], owner[place] = (i * grid[1] + j) * grid[2] + k, f
                    place += 1


@kernel
def _count(vertices, faces, low, high, first, grid, key, owner, start):
    total = 0
    for n in range(len(start) - 1):
        for m in range(start[n], start[n + 1]):
            f = owner[m]
            for other in range(m + 1, start[n + 1]):
                g = owner[other]
                if _apart(low, high, f, g) or _neighbours(faces, f, g):
                    continue
                # A pair that shares several cells is tested in the one where both boxes begin.
                i, j = max(first[f, 0], first[g, 0]), max(first[f, 1], first[g, 1])
                if (i * grid[1] + j) * grid[2] + max(first[f, 2], first[g, 2]) != key[m]:
                    continue
                if _pierces(vertices, faces[f], faces[g]) or _pierces(vertices, faces[g], faces[f]):
                    total += 1
                    if total == _ENOUGH:
                        return total
    return total


@kernel
def _apart(low, high, f, g):
    x = low[f, 0] >= high[g, 0] or low[g, 0] >= high[f, 0]
    y = low[f, 1] >= high[g, 1] or low[g, 1] >= high[f, 1]
    return x or y or low[f, 2] >= high[g, 2] or low[g, 2] >= high[f, 2]


@kernel
def _neighbours(faces, f, g):
    for n in range(3):
        for m in range(3):
            if faces[f, n] == faces[g, m]:
                return True
    return False


@kernel
def _pierces(vertices, face, other):
    """Whether an edge of `face` passes through the inside of `other`."""
    a, b, c = vertices[other[0]], vertices[other[1]], vertices[other[2]]
    for n in range(3):
        p, q = vertices[face[n]], vertices[face[(n + 1) % 3]]
        at_p, at_q = _volume(a, b, c, p), _volume(a, b, c, q)
        if not ((at_p > 0.0 and at_q < 0.0) or (at_p < 0.0 and at_q > 0.0)):
            continue
        u, v, w = _volume(p, q, a, b), _volume(p, q, b, c), _volume(p, q, c, a)
        if (u > 0.0 and v > 0.0 and w > 0.0) or (u < 0.0 and v < 0.0 and w < 0.0):
            return True
    return False


@kernel
def _volume(a, b, c, d):
    """Six times the signed volume of a tetrahedron."""
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    wx, wy, wz = d[0] - a[0], d[1] - a[1], d[2] - a[2]
    return wx * (uy * vz - uz * vy) + wy * (uz * vx - ux * vz) + wz * (ux * vy - uy * vx)
