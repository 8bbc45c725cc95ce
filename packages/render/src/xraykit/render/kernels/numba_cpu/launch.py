"""Between torch tensors and numba kernels: flat views of voxels, and threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

_BITS = {torch.float16: np.dtype([("half", np.uint16)]), torch.bfloat16: np.dtype(np.uint16)}


class Grid(NamedTuple):
    """A volume as a kernel reads it: its memory, sizes along (i, j, k), and the offsets to the next row and slice."""

    flat: np.ndarray
    sizes: tuple[int, int, int]
    row: int
    plane: int


def grid_of(volume: Tensor) -> Grid:
    """Look at (D, H, W) voxels without copying them, whatever the row and slice pitch.

    A volume that is one voxel thin on some axis is copied with a second, empty layer, since the kernels read cells of
    two; its `sizes` stay those of the volume.
    """
    depth, height, width = volume.shape
    volume = volume.detach()
    if 1 in volume.shape:
        volume = torch.nn.functional.pad(volume, [p for size in (width, height, depth) for p in (0, int(size == 1))])
    if volume.stride(2) != 1:
        volume = volume.contiguous()
    plane, row, _ = volume.stride()
    return Grid(flat_memory(volume), (width, height, depth), row, plane)


def flat_memory(tensor: Tensor) -> np.ndarray:
    """All memory from a tensor's first to its last element, gaps included, without a copy."""
    extent = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return _as_numpy(tensor.detach().as_strided((extent,), (1,)))


def labels_like(labels: Tensor, volume: Tensor) -> np.ndarray:
    """Labels as flat integers at the same offsets as the voxels of `grid_of(volume)`."""
    labels = labels.detach()
    if labels.dtype not in (torch.uint8, torch.int16, torch.int32):
        labels = labels.to(torch.int32)
    if 1 in volume.shape or volume.stride(2) != 1:
        return grid_of(labels.contiguous()).flat
    if labels.stride() != volume.stride():
        same = torch.empty_strided(volume.shape, volume.stride(), dtype=labels.dtype)
        labels = same.copy_(labels)
    return grid_of(labels).flat


def _as_numpy(flat: Tensor) -> np.ndarray:
    if flat.dtype in _BITS:
        return flat.view(torch.int16).numpy().view(_BITS[flat.dtype])
    return flat.numpy()


def in_parallel(work: Callable[[int, int], None], items: int, *, at_once: int = 1) -> None:
    """Call work(first, last) over ranges that cover 0..items, on torch.get_num_threads() threads that take turns.

    `work` must release the GIL and write to disjoint places, so the result does not depend on the number of threads.
    """
    ranges = [(first, min(first + at_once, items)) for first in range(0, items, at_once)]
    threads = min(torch.get_num_threads(), len(ranges))
    if threads <= 1:
        work(0, items)
        return
    turn = count()

    def take_turns() -> None:
        while (n := next(turn)) < len(ranges):
            work(*ranges[n])

    pool = _pool(threads - 1, os.getpid())  # a forked process needs threads of its own
    helpers = [pool.submit(take_turns) for _ in range(threads - 1)]
    take_turns()
    for helper in helpers:
        helper.result()


@lru_cache(maxsize=4)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    del process
    return ThreadPoolExecutor(threads, thread_name_prefix="xraykit")
