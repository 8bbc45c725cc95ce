"""A label map brought onto the grid of its volume, where both are the same set of points."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..storage.declared_grid import DeclaredGrid

TOLERANCE = 0.05
"""How far a label voxel may lie from its volume voxel, in voxels, at the corners of the grid."""

MAX_LABEL = 32767

Voxels = NDArray[np.generic]


def onto_grid(labels: DeclaredGrid, volume: DeclaredGrid) -> Callable[[Voxels], Voxels]:
    """The re-ordering (axes swapped and flipped) that brings label voxels [k, j, i] into the volume's order.

    Raises:
        FileError: The two grids are not the same points within `TOLERANCE`.
    """
    to_volume = np.linalg.inv(volume.affine) @ labels.affine
    axes = np.abs(to_volume[:3, :3]).argmax(axis=0)  # label axis a runs along volume axis axes[a]
    if sorted(axes) != [0, 1, 2]:
        raise _mismatch(labels, volume)
    ends = np.array(list(product(*((0, n - 1) for n in labels.size))), dtype=np.float64)
    corners = ends @ to_volume[:3, :3].T + to_volume[:3, 3]
    flips = [bool(to_volume[axis, n] < 0) for n, axis in enumerate(axes)]
    expected = np.empty_like(ends)
    for n, axis in enumerate(axes):
        if labels.size[n] != volume.size[axis]:
            raise _mismatch(labels, volume)
        expected[:, axis] = labels.size[n] - 1 - ends[:, n] if flips[n] else ends[:, n]
    # A single layer has no second corner, so its steps are compared as well.
    steps = np.abs(np.abs(to_volume[axes, range(3)]) - 1).max()
    if np.abs(corners - expected).max() > TOLERANCE or steps > TOLERANCE:
        raise _mismatch(labels, volume)

    def reorder(voxels: Voxels) -> Voxels:
        ijk = voxels.transpose(2, 1, 0)
        ijk = np.flip(ijk, tuple(n for n in range(3) if flips[n]))
        return np.ascontiguousarray(ijk.transpose(np.argsort(axes)).transpose(2, 1, 0))

    return reorder


def as_labels(grid: DeclaredGrid, voxels: Voxels) -> NDArray[np.integer]:
    """Label voxels as uint8 or, above 255, int16.

    Raises:
        FileError: A voxel is negative, above 32767, or no whole number.
    """
    low, high = voxels.min(), voxels.max()
    if not (low >= 0 and high <= MAX_LABEL):
        raise FileError(f"{grid.path} must hold labels from 0 to {MAX_LABEL}, its voxels run from {low} to {high}.")
    labels = voxels.astype(np.uint8 if high <= 255 else np.int16)
    if voxels.dtype.kind == "f" and not np.array_equal(labels, voxels):
        odd = voxels[labels != voxels].flat[0]
        raise FileError(f"{grid.path} must hold whole numbers as labels, it holds {odd:g}; is it the label map?")
    return labels


def _mismatch(labels: DeclaredGrid, volume: DeclaredGrid) -> FileError:
    return FileError(
        f"the label map must lie on the grid of its volume: {volume.path} has {_words(volume)}, "
        f"{labels.path} has {_words(labels)}; resample the labels (nearest neighbour) onto the volume."
    )


def _words(grid: DeclaredGrid) -> str:
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    size, steps = " x ".join(map(str, grid.size)), " x ".join(f"{value:.4g}" for value in spacing)
    return f"{size} voxels of {steps} mm from ({', '.join(f'{value:.4g}' for value in grid.affine[:3, 3])})"
