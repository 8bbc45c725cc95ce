"""Histogram equalisation in tiles with limited contrast, as scanners and viewers do it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GREYS = 256


def equalise(windows: Tensor, *, limit: float, tiles: int) -> Tensor:
    r"""Each channel with its histogram made even tile by tile.

    In each of tiles x tiles tiles the counts of 256 grey values are cut off at `limit` times their mean, and what was
    cut off is given to all alike; the tile's curve is the share of counts below a value. A pixel's grey value is
    between those that the curves of the four nearest tiles say, by its distances to their middles.

    Args:
        windows: (C, H, W) in [0, 1].
        limit: 1 or more; 1 changes hardly anything.
        tiles: Along an edge; no more than there are pixels.

    Returns:
        (C, H, W) float32 in [0, 1].

    Source: Zuiderveld, Contrast limited adaptive histogram equalization, Graphics Gems IV, 1994.
    """
    height, width = windows.shape[-2:]
    rows, row_tile, row_low, row_share = _tiles(height, min(tiles, height))
    columns, column_tile, column_low, column_share = _tiles(width, min(tiles, width))
    tile = row_tile[:, None] * columns + column_tile
    low = row_low[:, None] * columns + column_low
    offsets = (0, min(1, columns - 1), columns * min(1, rows - 1), columns * min(1, rows - 1) + min(1, columns - 1))
    made = []
    for channel in windows.numpy():
        grey = (channel * (GREYS - 1) + 0.5).astype(np.int64)
        curves = _curves((tile * GREYS + grey).reshape(-1), rows * columns, limit)
        at = low * GREYS + grey
        a, b, c, d = (curves[at + offset * GREYS] for offset in offsets)
        upper = a + (b - a) * column_share
        made.append(upper + (c + (d - c) * column_share - upper) * row_share[:, None])
    return torch.from_numpy(np.stack(made))


def _curves(values: NDArray[np.int64], tiles: int, limit: float) -> NDArray[np.float32]:
    """The curve of each tile, one after another, (tiles 256,)."""
    counts = np.bincount(values, minlength=tiles * GREYS).reshape(tiles, GREYS).astype(np.float32)
    total = counts.sum(axis=1, keepdims=True)
    most = np.maximum(limit * total / GREYS, 1)
    cut = np.minimum(counts, most)
    cut += (total - cut.sum(axis=1, keepdims=True)) / GREYS
    curves = cut.cumsum(axis=1, dtype=np.float32) / total
    return np.clip(curves, 0, 1).reshape(-1)


def _tiles(side: int, wanted: int) -> tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """The number of tiles, each pixel's tile, the middle before it, and its share of the way to the next middle."""
    place = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * np.float32(wanted / side)
    tile = np.minimum(place.astype(np.int64), wanted - 1)
    middle = np.clip(place - np.float32(0.5), 0, wanted - 1)
    low = np.minimum(middle.astype(np.int64), max(wanted - 2, 0))
    return wanted, tile, low, middle - low.astype(np.float32)
