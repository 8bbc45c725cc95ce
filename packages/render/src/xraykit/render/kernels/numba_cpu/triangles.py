"""Signed depth of closed meshes per pixel, its gradient, and lists of hits, on the CPU.

The arithmetic is that of projectors/triangles.py, operation for operation: the image has the same bits.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ...projectors.fixed_point import step_of
from .compile import kernel
from .launch import in_parallel

_ROWS_AT_ONCE = 16
_FACES_AT_ONCE = 2048


def depth(
    points: Tensor, faces: Tensor, mesh: Tensor, across: Tensor, down: Tensor, far: Tensor, meshes: int
) -> Tensor:
    """Sum of sign * min(z, far) over the hits of each pixel and mesh [mm], (B, meshes, H, W) float64.

    Args:
        points: Vertices in the camera frame [mm], (B, V, 3) float64.
        faces: (F, 3) int64.
        mesh: Which mesh each face belongs to, (F,) int64.
        across: x / z per column, (B, W) float64.
        down: y / z per row, (B, H) float64.
        far: z of the detector [mm], (B,) float64.
        meshes: How many meshes there are.
    """
    height, width = down.shape[1], across.shape[1]
    image = np.zeros((len(points), meshes, height, width), np.float64)
    corners, owner = _numbers(faces), _numbers(mesh)
    for b, (vertices, columns, lines, end) in enumerate(_views(points, across, down, far)):
        rows = np.empty((len(corners), 2), np.int32)
        _row_ranges(vertices, corners, lines, rows)
        step = step_of(end)
        total = np.zeros((meshes, height, width), np.int64)

        def work(first: int, last: int, view=(vertices, columns, lines, rows, total, 1 / step, end)) -> None:
            vertices, columns, lines, rows, total, scale, end = view
            _accumulate(vertices, corners, owner, rows, columns, lines, end, scale, total, first, last)

        in_parallel(work, height, at_once=_ROWS_AT_ONCE)
        np.multiply(total, step, out=image[b])
    return torch.from_numpy(image)


def depth_gradient(
    grad: Tensor, points: Tensor, faces: Tensor, mesh: Tensor, across: Tensor, down: Tensor, far: Tensor
) -> Tensor:
    """The gradient of sum(grad * depth) with respect to each face's corners, (B, F, 3, 3) float64."""
    result = np.zeros((len(points), len(faces), 3, 3), np.float64)
    corners, owner, weights = _numbers(faces), _numbers(mesh), _numbers(grad)
    for b, (vertices, columns, lines, end) in enumerate(_views(points, across, down, far)):
        rows = np.empty((len(corners), 2), np.int32)
        _row_ranges(vertices, corners, lines, rows)

        def work(first: int, last: int, b=b, view=(vertices, columns, lines, rows, end)) -> None:
            vertices, columns, lines, rows, end = view
            _face_gradient(vertices, corners, owner, rows, columns, lines, end, weights[b], result[b], first, last)

        in_parallel(work, len(corners), at_once=_FACES_AT_ONCE)
    return torch.from_numpy(result)


def ray_gradient(
    grad: Tensor, points: Tensor, faces: Tensor, mesh: Tensor, across: Tensor, down: Tensor, far: Tensor
) -> Tensor:
    """The gradient of sum(grad * depth) with respect to each pixel's (across, down, far), (B, 3, H, W) float64."""
    height, width = down.shape[1], across.shape[1]
    result = np.zeros((len(points), 3, height, width), np.float64)
    corners, owner, weights = _numbers(faces), _numbers(mesh), _numbers(grad)
    for b, (vertices, columns, lines, end) in enumerate(_views(points, across, down, far)):
        rows = np.empty((len(corners), 2), np.int32)
        _row_ranges(vertices, corners, lines, rows)

        def work(first: int, last: int, b=b, view=(vertices, columns, lines, rows, end)) -> None:
            vertices, columns, lines, rows, end = view
            _ray_gradient(vertices, corners, owner, rows, columns, lines, end, weights[b], result[b], first, last)

        in_parallel(work, height, at_once=_ROWS_AT_ONCE)
    return torch.from_numpy(result)


def find_hits(points: Tensor, faces: Tensor, across: Tensor, down: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Row, column, face and sign of every hit of one view, as `projectors.triangles.find_hits`."""
    vertices, corners, columns, lines = (_numbers(t) for t in (points, faces, across, down))
    rows = np.empty((len(corners), 2), np.int32)
    _row_ranges(vertices, corners, lines, rows)
    count = np.zeros(len(lines), np.int64)
    _in_rows(_list_hits, vertices, corners, rows, columns, lines, count, np.empty((0, 4), np.int32))
    found = np.empty((int(count.sum()), 4), np.int32)
    _in_rows(_list_hits, vertices, corners, rows, columns, lines, np.cumsum(count) - count, found)
    row, column, face, sign = torch.from_numpy(found).to(torch.int64).unbind(dim=1)
    return row, column, face, sign.to(torch.float64)


@kernel
def _row_ranges(vertices, faces, down, rows):
    """The image rows first <= r < last that may cut each face; none for a face behind the source."""
    height = len(down)
    for f in range(len(faces)):
        low, high, front, behind = math.inf, -math.inf, False, False
        for n in range(3):
            y, z = vertices[faces[f, n], 1], vertices[faces[f, n], 2]
            if z > 0.0:
                front = True
                low, high = min(low, y / z), max(high, y / z)
            else:
                behind = True
        rows[f, 0], rows[f, 1] = _pixel_range(low, high, down, height)
        if behind:
            rows[f, 0], rows[f, 1] = 0, height if front else 0


@kernel
def _pixel_range(low, high, slopes, count):
    """Pixels whose slope may lie in [low, high], with one to spare on both sides."""
    if count == 1:
        return 0, 1
    pitch = slopes[1] - slopes[0]
    first = min(max((low - slopes[0]) / pitch - 1.0, 0.0), float(count))
    last = min(max((high - slopes[0]) / pitch + 2.0, 0.0), float(count))
    return int(first), math.ceil(last)


@kernel
def _crossing(vertices, a, b, down):
    """Where the edge from a (positive side) to b meets the plane y = down z: t, x, z."""
    height = vertices[a, 1] - down * vertices[a, 2]
    t = height / (height - (vertices[b, 1] - down * vertices[b, 2]))
    x = vertices[a, 0] + t * (vertices[b, 0] - vertices[a, 0])
    return t, x, vertices[a, 2] + t * (vertices[b, 2] - vertices[a, 2])


@kernel
def _lone(vertices, face, down):
    """The corner that is alone on its side of the row's plane, and whether that side is the positive one; -1: uncut."""
    a = vertices[face[0], 1] - down * vertices[face[0], 2] > 0.0
    b = vertices[face[1], 1] - down * vertices[face[1], 2] > 0.0
    c = vertices[face[2], 1] - down * vertices[face[2], 2] > 0.0
    if a == b:
        if b == c:
            return -1, False
        return 2, c
    if a == c:
        return 1, b
    return 0, a


@kernel
def _ends(lone, positive):
    """Corner numbers (positive side, other side) of the edge of P, then those of Q."""
    p, q = (lone + 1) % 3, (lone + 2) % 3
    if positive:
        return lone, p, lone, q
    return q, lone, p, lone


@kernel
def _column_range(p_x, p_z, q_x, q_z, across):
    width = len(across)
    if p_z <= 0.0 and q_z <= 0.0:
        return 0, 0
    if p_z <= 0.0 or q_z <= 0.0:
        return 0, width
    return _pixel_range(min(p_x / p_z, q_x / q_z), max(p_x / p_z, q_x / q_z), across, width)


@kernel
def _accumulate(vertices, faces, owner, rows, across, down, far, scale, total, first, last):
    for f in range(len(faces)):
        for r in range(max(first, rows[f, 0]), min(last, rows[f, 1])):
            lone, positive = _lone(vertices, faces[f], down[r])
            if lone < 0:
                continue
            pa, pb, qa, qb = _ends(lone, positive)
            _, p_x, p_z = _crossing(vertices, faces[f, pa], faces[f, pb], down[r])
            _, q_x, q_z = _crossing(vertices, faces[f, qa], faces[f, qb], down[r])
            begin, end = _column_range(p_x, p_z, q_x, q_z, across)
            line = total[owner[f], r]
            for c in range(begin, end):
                at_p, at_q = p_x - across[c] * p_z, q_x - across[c] * q_z
                if (at_p > 0.0) == (at_q > 0.0):
                    continue
                z = p_z + at_p / (at_p - at_q) * (q_z - p_z)
                steps = np.int64(np.rint(min(max(z, 0.0), far) * scale))
                line[c] += steps if at_q > 0.0 else -steps


@kernel
def _normal(vertices, face):
    a, b, c = vertices[face[0]], vertices[face[1]], vertices[face[2]]
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


@kernel
def _face_gradient(vertices, faces, owner, rows, across, down, far, grad, result, first, last):
    """dz / d vertex_i = lambda_i n / (n . d), with d = (across, down, 1) and lambda the hit's barycentric share."""
    share = np.zeros(3)
    for f in range(first, last):
        nx, ny, nz = _normal(vertices, faces[f])
        for r in range(rows[f, 0], rows[f, 1]):
            lone, positive = _lone(vertices, faces[f], down[r])
            if lone < 0:
                continue
            pa, pb, qa, qb = _ends(lone, positive)
            t_p, p_x, p_z = _crossing(vertices, faces[f, pa], faces[f, pb], down[r])
            t_q, q_x, q_z = _crossing(vertices, faces[f, qa], faces[f, qb], down[r])
            begin, end = _column_range(p_x, p_z, q_x, q_z, across)
            for c in range(begin, end):
                at_p, at_q = p_x - across[c] * p_z, q_x - across[c] * q_z
                facing = nx * across[c] + ny * down[r] + nz
                if (at_p > 0.0) == (at_q > 0.0) or facing == 0.0:
                    continue
                s = at_p / (at_p - at_q)
                z = p_z + s * (q_z - p_z)
                if z <= 0.0 or z >= far:
                    continue
                weight = (grad[owner[f], r, c] if at_q > 0.0 else -grad[owner[f], r, c]) / facing
                share[:] = 0.0
                share[pa] += (1.0 - s) * (1.0 - t_p)
                share[pb] += (1.0 - s) * t_p
                share[qa] += s * (1.0 - t_q)
                share[qb] += s * t_q
                for n in range(3):
                    result[f, n, 0] += weight * share[n] * nx
                    result[f, n, 1] += weight * share[n] * ny
                    result[f, n, 2] += weight * share[n] * nz


@kernel
def _ray_gradient(vertices, faces, owner, rows, across, down, far, grad, result, first, last):
    """dz / d across = -z n_x / (n . d), dz / d down = -z n_y / (n . d); a hit behind the detector moves with far."""
    for f in range(len(faces)):
        nx, ny, nz = _normal(vertices, faces[f])
        for r in range(max(first, rows[f, 0]), min(last, rows[f, 1])):
            lone, positive = _lone(vertices, faces[f], down[r])
            if lone < 0:
                continue
            pa, pb, qa, qb = _ends(lone, positive)
            _, p_x, p_z = _crossing(vertices, faces[f, pa], faces[f, pb], down[r])
            _, q_x, q_z = _crossing(vertices, faces[f, qa], faces[f, qb], down[r])
            begin, end = _column_range(p_x, p_z, q_x, q_z, across)
            for c in range(begin, end):
                at_p, at_q = p_x - across[c] * p_z, q_x - across[c] * q_z
                if (at_p > 0.0) == (at_q > 0.0):
                    continue
                z = p_z + at_p / (at_p - at_q) * (q_z - p_z)
                weight = grad[owner[f], r, c] if at_q > 0.0 else -grad[owner[f], r, c]
                facing = nx * across[c] + ny * down[r] + nz
                if z >= far:
                    result[2, r, c] += weight
                elif z > 0.0 and facing != 0.0:
                    result[0, r, c] -= weight * z * nx / facing
                    result[1, r, c] -= weight * z * ny / facing


@kernel
def _list_hits(vertices, faces, rows, across, down, place, found, first, last):
    """Advance place[r] by the hits of row r, and, where `found` has room, write each hit there."""
    for f in range(len(faces)):
        for r in range(max(first, rows[f, 0]), min(last, rows[f, 1])):
            lone, positive = _lone(vertices, faces[f], down[r])
            if lone < 0:
                continue
            pa, pb, qa, qb = _ends(lone, positive)
            _, p_x, p_z = _crossing(vertices, faces[f, pa], faces[f, pb], down[r])
            _, q_x, q_z = _crossing(vertices, faces[f, qa], faces[f, qb], down[r])
            begin, end = _column_range(p_x, p_z, q_x, q_z, across)
            for c in range(begin, end):
                at_p, at_q = p_x - across[c] * p_z, q_x - across[c] * q_z
                if (at_p > 0.0) == (at_q > 0.0):
                    continue
                if p_z + at_p / (at_p - at_q) * (q_z - p_z) <= 0.0:
                    continue
                if len(found) > 0:
                    found[place[r], 0], found[place[r], 1] = r, c
                    found[place[r], 2], found[place[r], 3] = f, 1 if at_q > 0.0 else -1
                place[r] += 1


def _in_rows(function, vertices, corners, rows, across, down, *results: np.ndarray) -> None:
    """Call a row kernel on all image rows, in parallel."""

    def work(first: int, last: int) -> None:
        function(vertices, corners, rows, across, down, *results, first, last)

    in_parallel(work, len(down), at_once=_ROWS_AT_ONCE)


def _views(points: Tensor, across: Tensor, down: Tensor, far: Tensor):
    yield from zip(_numbers(points), _numbers(across), _numbers(down), far.tolist(), strict=True)


def _numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()
