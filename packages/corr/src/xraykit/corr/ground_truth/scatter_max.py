"""From the footprints of two views to their matrix: the largest product over all cells, or their summed volume."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .footprint import Footprints

ENTRIES_AT_ONCE = 1 << 18


def largest_product(
    first: Footprints, second: Footprints, weights: Tensor | None, grid: int, *, chunk: int | None = None
) -> Float[Tensor, "patches patches"]:
    """C_ij = max over cells v of w(v) f1_i(v) f2_j(v), (G^2, G^2) float32 in [0, 1].

    Args:
        first: Of N cells in the view of the rows.
        second: Of the same cells in the view of the columns.
        weights: w, (N,); None is 1.
        grid: G.
        chunk: Cells at once; None is bounded to some ten megabytes. Changes no bit: a maximum has no order.
    """
    side = (grid + 2) ** 2
    plain = first.share is None and second.share is None and weights is None
    table = torch.zeros(side * side, dtype=torch.uint8 if plain else torch.float32, device=first.patch.device)
    for part in _parts(first, second, chunk):
        pair = _pairs(first, second, part, side)
        if plain:
            table.index_fill_(0, pair, 1)
        else:
            table.scatter_reduce_(0, pair, _products(first, second, weights, part), "amax")
    return _inner(table, grid).to(torch.float32)


def summed_volume(
    first: Footprints, second: Footprints, weights: Tensor | None, grid: int, *, chunk: int | None = None
) -> Float[Tensor, "patches patches"]:
    """C_ij = sum_v w(v) f1_i(v) f2_j(v) / max_kl sum_v f1_k(v) f2_l(v), (G^2, G^2) float32 in [0, 1].

    Arguments as in `largest_product`. Products are summed as whole multiples of the least power of two whose sum fits
    into 63 bits, so that neither the order nor `chunk` changes a bit.
    """
    unit = 2.0 ** (62 - first.patch.shape[1].bit_length())
    side = (grid + 2) ** 2
    counted, met = torch.zeros(2, side * side, dtype=torch.int64, device=first.patch.device)
    for part in _parts(first, second, chunk):
        pair = _pairs(first, second, part, side)
        for table, each in ((counted, weights), (met, None)):
            table.scatter_add_(0, pair, _products(first, second, each, part).double().mul_(unit).round_().long())
    most = _inner(met, grid).max().clamp(min=1)
    return (_inner(counted, grid).double() / most).to(torch.float32)


def _parts(first: Footprints, second: Footprints, chunk: int | None) -> list[slice]:
    entries, cells = len(first.patch) * len(second.patch), first.patch.shape[1]
    chunk = chunk or max(1, ENTRIES_AT_ONCE // entries)
    return [slice(start, start + chunk) for start in range(0, cells, chunk)]


def _pairs(first: Footprints, second: Footprints, part: slice, side: int) -> Tensor:
    rows = first.patch[:, part] * side
    return (rows[:, None] + second.patch[None, :, part]).flatten().long()


def _products(first: Footprints, second: Footprints, weights: Tensor | None, part: slice) -> Tensor:
    one, other = (
        torch.ones_like(each.patch[:, part], dtype=torch.float32) if each.share is None else each.share[:, part]
        for each in (first, second)
    )
    one = one if weights is None else one * weights[part].to(torch.float32)
    return (one[:, None] * other[None]).flatten()


def _inner(table: Tensor, grid: int) -> Tensor:
    """The matrix without the borders that caught what lies outside the images."""
    inner = table.view(*(grid + 2,) * 4)[1:-1, 1:-1, 1:-1, 1:-1]
    return inner.reshape(grid * grid, grid * grid)
