"""Where each cell falls in a view: one patch, or the shares of a small window of patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .support import Support

CELLS_AT_ONCE = 1 << 16


class Footprints(NamedTuple):
    """Patches that each of N cells reaches in a view, and with which share.

    `patch` (K, N), int32 or int64, counts on a grid with a border of one patch all around, (row + 1) (G + 2) + column
    + 1, so that what falls outside the image is caught there. `share` (K, N) float32 in [0, 1]; None is 1 each.
    """

    patch: Tensor
    share: Tensor | None

    def in_field(self, grid: int) -> bool:
        """Whether any cell reaches a patch of the image."""
        row, column = self.patch // (grid + 2), self.patch % (grid + 2)
        inside = (row >= 1) & (row <= grid) & (column >= 1) & (column <= grid)
        return bool((inside if self.share is None else inside & (self.share > 0)).any())


def patch_number(row: Tensor, column: Tensor, grid: int) -> Tensor:
    """The number on the bordered grid of whole-numbered rows and columns from -1 to G."""
    return (row * (grid + 2) + column + (grid + 3)).long()


def seen(
    columns: Tensor, matrix: list[list[float]], grid: int = 1, *, space: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """x G, y G and depth z of cells, from three columns of indices and the projection of indices, in their dtype.

    Each number depends on its own cell alone, which a matrix product would not promise. `space`, (3, at least N), is
    where they are written if given.
    """
    space = torch.empty_like(columns) if space is None else space[:, : columns.shape[1]]
    for value, row, scale in zip(space, matrix, (grid, grid, 1), strict=True):
        torch.mul(columns[0], row[0] * scale, out=value)
        value.add_(columns[1], alpha=row[1] * scale).add_(columns[2], alpha=row[2] * scale).add_(row[3] * scale)
    x, y, z = space
    inverse = z.reciprocal()
    return x.mul_(inverse), y.mul_(inverse), z


def hard_footprints(support: Support, matrices: Sequence[list[list[float]]], grid: int) -> list[Footprints]:
    """The one patch that holds the image of each cell's centre, in each view.

    All views take a block of cells in turn, so that its indices are fetched from memory once.
    """
    cells = support.columns.shape[1]
    patch = torch.empty(len(matrices), cells, dtype=torch.int32, device=support.device)
    space = support.columns.new_empty(3, min(CELLS_AT_ONCE, cells))
    for columns, places in zip(*(t.split(CELLS_AT_ONCE, dim=1) for t in (support.columns, patch)), strict=True):
        for matrix, place in zip(matrices, places, strict=True):
            x, y, _ = seen(columns, matrix, grid, space=space)
            row, column = (value.floor_().clamp_(-1, grid) for value in (y, x))
            place.copy_(column.add_(row, alpha=grid + 2).add_(grid + 3))
    return [Footprints(each[None], None) for each in patch]


def share_footprints(
    support: Support, matrix: list[list[float]], halves: tuple[float, float], grid: int, *, nearest: float
) -> Footprints:
    r"""The share of each cell's shadow that falls on each patch of a window.

    The shadow is a product of two tents of half widths h = halves / z around (x G, y G): along an axis the part below
    an edge e is T((e - x G) / h), with T(t) = (1 + t)^2 / 2 for t < 0 and 1 - (1 - t)^2 / 2 from there on. A window of
    ceil(2 h) + 1 patches holds all of it.

    Args:
        support: N cells.
        matrix: From indices to (x z, y z, z).
        halves: h z for x and y [patches mm].
        grid: G.
        nearest: Least depth of a cell that counts [mm], positive; it decides on the window, and cells nearer to the
            source or behind it reach nothing.
    """
    wide, high = (min(math.ceil(2 * half / nearest) + 1, grid + 2) for half in halves)
    patches, shares = [], []
    for columns in support.columns.split(max(1, CELLS_AT_ONCE // (wide * high)), dim=1):
        x, y, z = seen(columns, matrix, grid)
        counts = z >= nearest
        x, y, z = (torch.where(counts, value, 1.0) for value in (x, y, z))
        column, across = _tent(x, halves[0] / z, wide, grid)
        row, down = _tent(y, halves[1] / z, high, grid)
        down = (down * counts).to(torch.float32)
        patches.append(patch_number(row[:, None], column[None], grid).flatten(0, 1))
        shares.append((down[:, None] * across.to(torch.float32)[None]).flatten(0, 1))
    return Footprints(torch.cat(patches, dim=1), torch.cat(shares, dim=1))


def _tent(centre: Tensor, half: Tensor, window: int, grid: int) -> tuple[Tensor, Tensor]:
    """Patches (W, N) along an axis, from -1 to G, and the tent's mass in each."""
    first = (centre - half).floor_().clamp_(-1, grid)
    patch = torch.stack([first + step for step in range(window)])
    t = ((patch[1:] - centre) / half).clamp_(-1, 1)
    below = torch.where(t < 0, (1 + t).square() / 2, 1 - (1 - t).square() / 2)
    mass = torch.cat([below, torch.ones_like(centre)[None]])
    mass[1:] -= below
    return patch.clamp_(max=grid), mass
