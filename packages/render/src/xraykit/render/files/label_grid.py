"""A label map brought onto the grid of its volume: the same points in another order, or a part of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..storage.declared_grid import DeclaredGrid

TOLERANCE = 0.05
"""How far a label voxel may lie from its volume voxel, in voxels, at the corners of the grid."""

MAX_LABEL = 32767
_ALMOST = 1e-3

Voxels = NDArray[np.generic]
Labels = NDArray[np.integer]


@dataclass(frozen=True)
class Placement:
    """Where label voxels go in a volume.

    Args:
        axes: Label axis n (i, j, k) runs along volume axis axes[n].
        flips: Whether it runs backwards.
        low: Volume index (i, j, k) of the first voxel of the re-ordered labels; negative where they begin outside.
        size: Voxels of the volume along i, j, k.
    """

    axes: tuple[int, ...]
    flips: tuple[bool, ...]
    low: tuple[int, ...]
    size: tuple[int, int, int]

    def __call__(self, labels: Labels) -> tuple[Labels, int]:
        """Labels [k, j, i] on the volume, 0 where they say nothing, and how many labelled voxels lie outside it."""
        ijk = labels.transpose(2, 1, 0)
        ijk = np.flip(ijk, tuple(n for n in range(3) if self.flips[n])).transpose(np.argsort(self.axes))
        if self.low == (0, 0, 0) and ijk.shape == self.size:
            return np.ascontiguousarray(ijk.transpose(2, 1, 0)), 0
        inside = [slice(max(0, -low), max(0, n - low)) for low, n in zip(self.low, self.size, strict=True)]
        kept = ijk[tuple(inside)]
        placed = np.zeros(self.size[::-1], labels.dtype)
        at = [slice(max(0, low), max(0, low) + n) for low, n in zip(self.low, kept.shape, strict=True)]
        placed[tuple(at[::-1])] = kept.transpose(2, 1, 0)
        return placed, int(np.count_nonzero(labels) - np.count_nonzero(kept))


def onto_grid(labels: DeclaredGrid, volume: DeclaredGrid) -> Placement:
    """The re-ordering (axes swapped and flipped) and shift by whole voxels that bring labels onto the volume.

    Raises:
        FileError: The two grids do not share their points within `TOLERANCE`: other spacing, turned, shifted by
            parts of a voxel, apart, or as large as the volume and yet shifted.
    """
    to_volume = np.linalg.inv(volume.affine) @ labels.affine
    axes = np.abs(to_volume[:3, :3]).argmax(axis=0)  # label axis a runs along volume axis axes[a]
    if sorted(axes) != [0, 1, 2]:
        raise _mismatch(labels, volume)
    flips = [bool(to_volume[axis, n] < 0) for n, axis in enumerate(axes)]
    steps = np.zeros((3, 3))
    steps[axes, range(3)] = np.where(flips, -1.0, 1.0)
    first = np.rint(to_volume[:3, 3])
    ends = np.array(list(product(*((0, n - 1) for n in labels.size))), dtype=np.float64)
    off = np.abs(ends @ (to_volume[:3, :3] - steps).T + to_volume[:3, 3] - first).max()
    # A single layer has no second corner, so its steps are compared as well.
    unlike = np.abs(np.abs(to_volume[axes, range(3)]) - 1).max()
    corners = ends @ steps.T + first
    low, high, last = corners.min(0), corners.max(0), np.array(volume.size) - 1
    shape = tuple(labels.size[n] for n in np.argsort(axes))
    shifted = shape == volume.size and bool(low.any())
    if off > TOLERANCE or unlike > TOLERANCE or (high < 0).any() or (low > last).any() or shifted:
        raise _mismatch(labels, volume)
    return Placement(tuple(int(a) for a in axes), tuple(flips), tuple(int(value) for value in low), volume.size)


def as_labels(grid: DeclaredGrid, voxels: Voxels) -> tuple[Labels, bool]:
    """Label voxels as uint8 or, above 255, int16, and whether they had to be rounded by up to a thousandth.

    Raises:
        FileError: A voxel is negative, above 32767, or no whole number.
    """
    is_rounded = False
    if voxels.dtype.kind == "f":
        whole = np.rint(voxels)
        off = np.abs(voxels - whole)
        if not off.max() <= _ALMOST:  # true for NaN as well
            odd = voxels[~(off <= _ALMOST)].flat[0]
            raise FileError(f"{grid.path} must hold whole numbers as labels, it holds {odd:g}; is it the label map?")
        is_rounded, voxels = bool(off.any()), whole
    low, high = voxels.min(), voxels.max()
    if not (low >= 0 and high <= MAX_LABEL):
        raise FileError(f"{grid.path} must hold labels from 0 to {MAX_LABEL}, its voxels run from {low} to {high}.")
    return voxels.astype(np.uint8 if high <= 255 else np.int16), is_rounded


def _mismatch(labels: DeclaredGrid, volume: DeclaredGrid) -> FileError:
    return FileError(
        f"the label map must lie on the grid of its volume: {volume.path} has {_words(volume)}, "
        f"{labels.path} has {_words(labels)}; resample the labels (nearest neighbour) onto the volume."
    )


def _words(grid: DeclaredGrid) -> str:
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    size, steps = " x ".join(map(str, grid.size)), " x ".join(f"{value:.4g}" for value in spacing)
    return f"{size} voxels of {steps} mm from ({', '.join(f'{value:.4g}' for value in grid.affine[:3, 3])})"
