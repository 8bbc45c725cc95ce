"""Label masks without walking rays: the faces through which rays enter a label, drawn where they fall on the detector.

A ray crosses a label where it enters one of its voxels from another label or from outside the grid. A grid of some
million voxels has some hundred thousand such faces, each a few pixels wide; its rays have some hundred million steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from .compile import kernel
from .launch import in_parallel

_OUTSIDE = -1
_NEAREST = 1e-6  # share of the way to the detector that a grid must keep from the source
# Whole numbers of numpy, since numba compiles a function anew for each literal that it is called with.
_ZERO, _ONE = np.int64(0), np.int64(1)
_ACROSS_I, _ACROSS_J, _ACROSS_K = np.int64(0), np.int64(1), np.int64(2)


def is_drawn(rays: np.ndarray, sizes: tuple[int, int, int], pixels: int) -> bool:
    """Whether faces can be drawn, the grid being in front of the source in each view, and are fewer steps than rays.

    Args:
        rays: (B, 4, 3), see `voxel_rays`.
        sizes: Voxels along (i, j, k).
        pixels: Of one view.
    """
    if not 3 * sizes[0] * sizes[1] * sizes[2] < pixels * sum(sizes):
        return False
    with np.errstate(all="ignore"):
        if not (np.abs(np.linalg.det(rays[:, 1:])) > 0).all():
            return False
        views = projections(rays)
    corners = np.stack(np.meshgrid(*((0, size) for size in sizes), indexing="ij"), axis=-1).reshape(-1, 3)
    return bool((views[:, :1, 2] + np.einsum("nc,bc->bn", corners, views[:, 1:, 2]) > _NEAREST).all())


def projections(rays: np.ndarray) -> np.ndarray:
    """From corners of voxels to pixels, (B, 4, 3).

    With i, j, k counting corners, (u w, v w, w) = view[0] + i view[1] + j view[2] + k view[3], where w is the share of
    the way from the source to the detector.
    """
    by_pixel = np.stack([rays[:, 2], rays[:, 3], rays[:, 1]], axis=2)  # columns du, dv, corner
    to_pixel = np.linalg.inv(by_pixel)
    first = np.einsum("bij,bj->bi", to_pixel, -0.5 - rays[:, 0])
    return np.ascontiguousarray(np.concatenate([first[:, None], np.swapaxes(to_pixel, 1, 2)], axis=1))


def draw_label_bits(
    labels: np.ndarray, sizes: tuple[int, int, int], row: int, plane: int, rays: np.ndarray, bits: np.ndarray
) -> None:
    """Add to `bits` (B, words, H, W) int32, zeros, the labels that each ray crosses; `is_drawn` must hold."""
    for ray, view, image in zip(rays, projections(rays), bits, strict=True):
        grid = (labels, sizes, row, plane, ray, view)
        _by_slices(draw_entrances, grid, image)
        _by_slices(draw_border, grid, image[0])
        met = np.bitwise_or.reduce(image, axis=0)
        if ((met != 0) & (met & 1 == 0)).any():
            _by_slices(draw_exits, grid, image[0])


def _by_slices(draw: Callable[..., None], grid: tuple, image: np.ndarray) -> None:
    """Let threads draw some slices of the grid each, all but one into images of their own."""
    pieces: list[np.ndarray] = []

    def work(first: int, last: int) -> None:
        own = np.zeros_like(image) if first else image
        draw(*grid, own, first, last)
        if first:
            pieces.append(own)

    deep = grid[1][2]
    in_parallel(work, deep, at_once=-(-deep // torch.get_num_threads()))
    for piece in pieces:
        np.bitwise_or(image, piece, out=image)


@kernel
def _project(view, i, j, k):
    """Pixel coordinates (u, v) of a corner of voxels; the same corner gives the same bits for every face it is of."""
    x = (view[0, 0] + k * view[3, 0]) + (j * view[2, 0] + i * view[1, 0])
    y = (view[0, 1] + k * view[3, 1]) + (j * view[2, 1] + i * view[1, 1])
    depth = (view[0, 2] + k * view[3, 2]) + (j * view[2, 2] + i * view[1, 2])
    share = 1.0 / depth
    return x * share, y * share, depth


@kernel
def _crossed(y, a, b, low, high):
    """The span low..high of a row of pixels, widened to where the edge from a to b crosses it."""
    if a[1] > b[1]:
        a, b = b, a
    if a[1] <= y < b[1]:
        x = a[0] + (y - a[1]) * ((b[0] - a[0]) / (b[1] - a[1]))
        return min(low, x), max(high, x)
    return low, high


@kernel
def _draw_face(bits, bit, view, ray, axis, i, j, k, run):
    """Set a bit in the pixels whose rays meet a face before the detector: that across `axis` from corner (i, j, k) on.

    Faces across the second and third axis are `run` voxels long on the first.
    A pixel on an edge belongs to the face to the right of it or below, so neighbours leave no gap and do not overlap.
    """
    a = _project(view, i, j, k)
    b = _project(view, i + run * (axis != 0), j + (axis == 0), k)
    c = _project(view, i + run * (axis != 0), j + (axis != 1), k + (axis != 2))
    d = _project(view, i, j + (axis == 2), k + (axis != 2))
    height, width = bits.shape
    lowest, highest = min(min(a[1], b[1]), min(c[1], d[1])), max(max(a[1], b[1]), max(c[1], d[1]))
    leftmost, rightmost = min(min(a[0], b[0]), min(c[0], d[0])), max(max(a[0], b[0]), max(c[0], d[0]))
    if not (highest > 0.0 and lowest < height and rightmost > 0.0 and leftmost < width):
        return
    is_cut = max(max(a[2], b[2]), max(c[2], d[2])) > 1.0  # by the detector
    way = (i, j, k)[axis] - 0.5 - ray[0, axis]
    for y in range(int(np.ceil(max(lowest, 0.0) - 0.5)), int(np.ceil(min(highest, float(height)) - 0.5))):
        middle, low, high = y + 0.5, np.inf, -np.inf
        low, high = _crossed(middle, a, b, low, high)
        low, high = _crossed(middle, b, c, low, high)
        low, high = _crossed(middle, c, d, low, high)
        low, high = _crossed(middle, d, a, low, high)
        if not high > low:
            continue
        for x in range(int(np.ceil(max(low, 0.0) - 0.5)), int(np.ceil(min(high, float(width)) - 0.5))):
            if is_cut and abs(ray[1, axis] + (x + 0.5) * ray[2, axis] + middle * ray[3, axis]) <= abs(way):
                continue
            bits[y, x] |= bit


@kernel
def _before(voxel, source, size):
    """The step to the neighbour that rays come from, 0 where the source lies between the faces, and if none is there.

    Args:
        voxel: Along one axis.
        source: Likewise.
        size: Voxels along it.
    """
    step = -1 if source < voxel - 0.5 else 1 if source > voxel + 0.5 else 0
    return step, not 0 <= voxel + step < size


@kernel
def draw_entrances(labels, sizes, row, plane, ray, view, bits, first, last):
    """Draw the faces of voxels first <= k < last through which rays enter a label other than 0.

    Args:
        labels: The grid's memory.
        sizes: Voxels along (i, j, k).
        row: Elements to the next row.
        plane: Elements to the next slice.
        ray: Source, corner, du, dv of the view, (4, 3), see `voxel_rays`.
        view: Its projection, (4, 3), see `projections`.
        bits: (words, H, W) int32, to which bits are added.
        first: First slice.
        last: One past the last.
    """
    wide, high, deep = sizes
    for k in range(first, last):
        to_z, edge_z = _before(k, ray[0, 2], deep)
        for j in range(high):
            to_y, edge_y = _before(j, ray[0, 1], high)
            start = k * plane + j * row
            for i in range(wide):
                here = int(labels[start + i])
                if here == 0:
                    continue
                to_x, edge_x = _before(i, ray[0, 0], wide)
                x = _OUTSIDE if edge_x else int(labels[start + i + to_x])
                y = _OUTSIDE if edge_y else int(labels[start + i + to_y * row])
                z = _OUTSIDE if edge_z else int(labels[start + i + to_z * plane])
                word, bit = bits[here >> 5], np.int32(np.int32(1) << np.int32(here & 31))
                if x != here:
                    _draw_face(word, bit, view, ray, _ACROSS_I, i + (to_x > 0), j, k, _ONE)
                if y != here:
                    _draw_face(word, bit, view, ray, _ACROSS_J, i, j + (to_y > 0), k, _ONE)
                if z != here:
                    _draw_face(word, bit, view, ray, _ACROSS_K, i, j, k + (to_z > 0), _ONE)


@kernel
def draw_border(labels, sizes, row, plane, ray, view, bits, first, last):
    """Draw the faces of voxels first <= k < last through which rays enter label 0 from outside, as bit 0 of (H, W)."""
    wide, high, deep = sizes
    bit = np.int32(1)
    for k in range(first, last):
        to_z, edge_z = _before(k, ray[0, 2], deep)
        for j in range(high):
            to_y, edge_y = _before(j, ray[0, 1], high)
            start = k * plane + j * row
            if labels[start] == 0 and ray[0, 0] < -0.5:
                _draw_face(bits, bit, view, ray, _ACROSS_I, _ZERO, j, k, _ONE)
            if labels[start + wide - 1] == 0 and ray[0, 0] > wide - 0.5:
                _draw_face(bits, bit, view, ray, _ACROSS_I, wide, j, k, _ONE)
            i = 0
            while (edge_y or edge_z) and i < wide:
                begin = i
                while i < wide and labels[start + i] == 0:
                    i += 1
                if i > begin and edge_y:
                    _draw_face(bits, bit, view, ray, _ACROSS_J, begin, j + (to_y > 0), k, i - begin)
                if i > begin and edge_z:
                    _draw_face(bits, bit, view, ray, _ACROSS_K, begin, j, k + (to_z > 0), i - begin)
                i += 1


@kernel
def draw_exits(labels, sizes, row, plane, ray, view, bits, first, last):
    """Draw the faces of voxels first <= k < last through which rays enter label 0 from another, as bit 0 of (H, W)."""
    wide, high, deep = sizes
    bit = np.int32(1)
    for k in range(first, last):
        down, up = k > 0 and ray[0, 2] > k - 0.5, k < deep - 1 and ray[0, 2] < k + 0.5
        for j in range(high):
            front, back = j > 0 and ray[0, 1] > j - 0.5, j < high - 1 and ray[0, 1] < j + 0.5
            start = k * plane + j * row
            for i in range(wide):
                at = start + i
                if labels[at] == 0:
                    continue
                if labels[at - 1 if i > 0 else at] == 0 and ray[0, 0] > i - 0.5:
                    _draw_face(bits, bit, view, ray, _ACROSS_I, i, j, k, _ONE)
                if labels[at + 1 if i < wide - 1 else at] == 0 and ray[0, 0] < i + 0.5:
                    _draw_face(bits, bit, view, ray, _ACROSS_I, i + 1, j, k, _ONE)
                if front and labels[at - row] == 0:
                    _draw_face(bits, bit, view, ray, _ACROSS_J, i, j, k, _ONE)
                if back and labels[at + row] == 0:
                    _draw_face(bits, bit, view, ray, _ACROSS_J, i, j + 1, k, _ONE)
                if down and labels[at - plane] == 0:
                    _draw_face(bits, bit, view, ray, _ACROSS_K, i, j, k, _ONE)
                if up and labels[at + plane] == 0:
                    _draw_face(bits, bit, view, ray, _ACROSS_K, i, j, k + 1, _ONE)
