"""Values of several quantities at points of a grid: the trilinear interpolant, zero outside."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .compile import kernel
from .launch import flat_memory, in_parallel
from .voxel import value_at

_POINTS_AT_ONCE = 4096


def values_at(grid: Tensor, index: Tensor, *, dtype: torch.dtype) -> Tensor:
    """`trilinear_at` of volumes/interpolation.py on the CPU, without gradients; see there. (N, C) of `dtype`."""
    depth, height, width, channels = grid.shape
    out = torch.empty(len(index), channels, dtype=dtype)
    places, values = index.detach().to(torch.float64).contiguous().numpy(), out.numpy()
    flat, sizes, strides = flat_memory(grid), (width, height, depth), (grid.stride(2), grid.stride(1), grid.stride(0))
    step = grid.stride(3)

    def work(first: int, last: int) -> None:
        interpolate(flat, sizes, strides, step, places, values, first, last)

    in_parallel(work, len(index), at_once=_POINTS_AT_ONCE)
    return out


@kernel
def interpolate(flat, sizes, strides, step, places, values, first, last):
    """Fill values[first:last]; `strides` lead to the next voxel, row and slice, `step` to the next quantity."""
    cell = np.empty(3, np.int64)
    weights = np.empty((3, 2))
    for n in range(first, last):
        values[n] = 0.0
        for axis in range(3):
            place = min(max(places[n, axis], -1.0), float(sizes[axis]))  # beyond them all is zero, and sizes are finite
            cell[axis] = int(np.floor(place))
            weights[axis, 1] = place - cell[axis]
            weights[axis, 0] = 1.0 - weights[axis, 1]
        for corner in range(8):
            i, j, k = cell[0] + (corner & 1), cell[1] + (corner >> 1 & 1), cell[2] + (corner >> 2)
            if not (0 <= i < sizes[0] and 0 <= j < sizes[1] and 0 <= k < sizes[2]):
                continue
            weight = weights[0, corner & 1] * weights[1, corner >> 1 & 1] * weights[2, corner >> 2]
            at = i * strides[0] + j * strides[1] + k * strides[2]
            for c in range(values.shape[1]):
                values[n, c] += weight * value_at(flat, at + c * step)
