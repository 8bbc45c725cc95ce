"""Triangles where a CT crosses a threshold, by surface nets on a grid coarse enough for a web page."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import InputError
from ..materials.attenuation import WATER_AND_BONE
from ..volumes.volume import Volume

MOST_CELLS = 6_000_000
CORNERS = tuple((k, j, i) for k in (0, 1) for j in (0, 1) for i in (0, 1))


class Surface(NamedTuple):
    """A closed triangle mesh: vertices (N, 3) float32 [mm, world RAS], faces (M, 3) int32, outward; its grid [mm]."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    spacing: float


def hounsfield(volume: Volume) -> Tensor:
    """CT numbers (D, H, W): those of the file, or 1000 (mu / mu_water - 1) where the volume knows only mu."""
    if volume.hu is not None:
        return volume.hu
    return 1000 * (volume.mu.to(torch.float32) * (volume.mu_scale / WATER_AND_BONE.mu_water) - 1)


def isosurface(values: Tensor, affine: Tensor, *, threshold: float, triangles: int = 50_000) -> Surface:
    """The border between voxels above and below a threshold.

    Voxels are averaged in blocks, as nearly cubic as whole numbers of voxels allow and just large enough for the
    triangle budget. Each cell of eight block centres that the border crosses gets one vertex, the mean of the points
    where its edges cross the threshold; each crossed edge gets a quad between its four cells (naive surface nets).
    Beyond the volume everything counts as below, so the surface is closed.

    Args:
        values: What is compared, for instance HU, (D, H, W).
        affine: Voxel (i, j, k) to world RAS [mm], (4, 4).
        threshold: In the unit of values.
        triangles: Most triangles that come out, at least 100.

    Returns:
        The surface; without faces if no block exceeds the threshold.

    Raises:
        InputError: The budget is below 100, or values are no (D, H, W).

    Accuracy: vertices lie within about a tenth of the block of a smooth border (tested on a sphere); structures
    thinner than a block may vanish.
    Source: S. F. F. Gibson, Constrained elastic surface nets, MICCAI 1998, without the elastic part.
    """
    if triangles < 100 or values.ndim != 3:
        raise InputError(
            f"isosurface needs (D, H, W) values and at least 100 triangles, got shape {tuple(values.shape)} and "
            f"triangles={triangles}."
        )
    voxel = affine[:3, :3].norm(dim=0).flip(0)  # edges along k, j, i
    spacing = max(float(voxel.min()), float((voxel.prod() * values.numel() / MOST_CELLS) ** (1 / 3)))
    grid, placed = _block_means(values, affine, voxel, spacing)
    count = _count(grid, threshold)
    while count > triangles:
        spacing *= max(1.1, 0.8 * math.sqrt(count / triangles))  # towards the budget from above
        grid, placed = _block_means(values, affine, voxel, spacing)
        count = _count(grid, threshold)
    points, quads = _surface_net(np.pad(grid, 1, constant_values=min(float(grid.min()), threshold) - 1.0), threshold)
    matrix = placed.numpy()
    vertices = (points[:, ::-1] - 1) @ matrix[:3, :3].T + matrix[:3, 3]
    if np.linalg.det(matrix[:3, :3]) > 0:  # arrays run k, j, i: a mirror image of i, j, k
        quads = quads[:, ::-1]
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Surface(vertices.astype(np.float32), faces.astype(np.int32), spacing)


def _block_means(values: Tensor, affine: Tensor, voxel: Tensor, spacing: float) -> tuple[NDArray[np.float32], Tensor]:
    """Means of blocks of about `spacing` mm (k, j, i), and where their centres are; what fills no block is left out."""
    fits = zip(voxel.tolist(), values.shape, strict=True)
    block = [min(size, max(1, round(spacing / edge))) for edge, size in fits]
    means = torch.nn.functional.avg_pool3d(values.detach().to("cpu", torch.float32)[None], block)[0]
    scale = torch.eye(4, dtype=torch.float64)
    for axis, factor in enumerate(reversed(block)):
        scale[axis, axis], scale[axis, 3] = factor, (factor - 1) / 2
    return means.numpy(), affine.to(torch.float64) @ scale


def _count(grid: NDArray[np.float32], threshold: float) -> int:
    """Triangles that the grid gives: two for each pair of neighbours on different sides."""
    inside = np.pad(grid > threshold, 1)
    return 2 * sum(int(np.count_nonzero(np.diff(inside, axis=axis))) for axis in range(3))


def _surface_net(grid: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices (N, 3) in index units (k, j, i) and quads (Q, 4), outward in that space; the rim of grid is below."""
    inside = grid > threshold
    shape = tuple(n - 1 for n in grid.shape)
    corners = np.zeros(shape, np.uint8)
    for corner in CORNERS:
        corners += inside[tuple(slice(o, o + n) for o, n in zip(corner, shape, strict=True))]
    active = (corners > 0) & (corners < len(CORNERS))
    number = np.cumsum(active).reshape(shape) - 1
    total = np.zeros((int(active.sum()), 3))
    crossings = np.zeros(len(total))
    quads = []
    for axis in range(3):
        edge = np.argwhere(np.diff(inside, axis=axis))
        other = edge + np.eye(3, dtype=np.int64)[axis]
        low, high = grid[tuple(edge.T)].astype(np.float64), grid[tuple(other.T)].astype(np.float64)
        point = edge + np.eye(3)[axis] * ((threshold - low) / (high - low))[:, None]
        around = number[tuple(np.moveaxis(_cells_around(edge, axis), -1, 0))]
        for cell in around.T:
            crossings += np.bincount(cell, minlength=len(total))
            for c in range(3):
                total[:, c] += np.bincount(cell, weights=point[:, c], minlength=len(total))
        leaving = inside[tuple(edge.T)][:, None]
        quads.append(np.where(leaving, around, around[:, ::-1]))
    return total / np.maximum(crossings, 1)[:, None], np.concatenate(quads)


def _cells_around(edge: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """The four cells (E, 4, 3) that share each edge, counterclockwise about its direction."""
    b, c = np.eye(3, dtype=np.int64)[[(axis + 1) % 3, (axis + 2) % 3]]
    return np.stack([edge - b - c, edge - c, edge, edge - b], axis=1)
