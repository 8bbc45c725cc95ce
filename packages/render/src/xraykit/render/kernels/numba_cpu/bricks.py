"""Which parts of a grid hold anything, in bricks of voxels, so that marches leap over the air around a body."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .compile import kernel

EDGE = 4  # voxels along the side of a brick
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def filled_bricks(voxels: Tensor) -> np.ndarray:
    """Which bricks (k, j, i) of voxels (D, H, W, ...) hold a number that is not zero, or touch one that does, bool."""
    bits = _words(voxels.detach()).numpy()
    for axis in range(3):
        layers = np.moveaxis(bits, axis, 0)
        folded = np.zeros((-(-len(layers) // EDGE), *layers.shape[1:]), dtype=bits.dtype)
        for n, layer in enumerate(layers):
            folded[n // EDGE] |= layer
        bits = np.moveaxis(folded, 0, axis)
    filled = np.ascontiguousarray(bits.reshape(*bits.shape[:3], -1).any(axis=3))
    for axis in range(3):
        own, spread = np.moveaxis(filled.copy(), axis, 0), np.moveaxis(filled, axis, 0)
        spread[1:] |= own[:-1]
        spread[:-1] |= own[1:]
    return filled


def _words(voxels: Tensor) -> Tensor:
    """The same bits in fewer, wider numbers, where a voxel's quantities lie side by side."""
    size = voxels.element_size()
    if voxels.ndim == 4:
        held = voxels.shape[3] * size
        wide = next((n for n in (8, 4, 2) if held % n == 0), size)
        whole = voxels.stride(3) == 1 and all(stride * size % wide == 0 for stride in voxels.stride()[:3])
        if whole and voxels.storage_offset() * size % wide == 0:
            size = wide
    return voxels.view(_BITS[size])


@kernel
def _brick(x, count):
    return min(max(int(x), 0) // EDGE, count - 1)


@kernel
def is_filled(filled, x, y, z):
    """Whether anything may lie within a brick's edge of a position [voxels]."""
    depth, height, width = filled.shape
    return filled[_brick(z, depth), _brick(y, height), _brick(x, width)]


@kernel
def meets(filled, point, step, count):
    """Whether one of the samples point + m step, m < count, may draw on a voxel that holds anything.

    Looked up are places no farther apart than a brick's edge, so each sample is within half of it from one of them, and
    each voxel that it draws on within a brick's edge.
    """
    last = count - 1
    pieces = int(last * max(abs(step[0]), abs(step[1]), abs(step[2])) / EDGE) + 1
    for n in range(pieces):
        m = (n + 0.5) * last / pieces
        if is_filled(filled, point[0] + m * step[0], point[1] + m * step[1], point[2] + m * step[2]):
            return True
    return False


@kernel
def trimmed(filled, source, direction, near, far):
    """The part of near <= alpha <= far outside of which nothing lies on the ray; both far where there is nothing."""
    length = far - near
    pieces = int(length * max(abs(direction[0]), abs(direction[1]), abs(direction[2])) / EDGE) + 1
    begin, end = pieces, 0
    for n in range(pieces):
        alpha = near + (n + 0.5) * length / pieces
        x, y, z = (
            source[0] + alpha * direction[0],
            source[1] + alpha * direction[1],
            source[2] + alpha * direction[2],
        )
        if is_filled(filled, x, y, z):
            begin, end = min(begin, n), n + 1
    if begin >= end:
        return far, far
    return near + begin * length / pieces, far if end == pieces else near + end * length / pieces
