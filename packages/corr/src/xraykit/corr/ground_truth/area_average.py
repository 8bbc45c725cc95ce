"""Voxels averaged into cells that are cubes along the volume's own axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

VOXELS_AT_ONCE = 1 << 24


class CellGrid(NamedTuple):
    """Cells over a volume: `shape` along i, j, k, `affine` of their centres, and `edges` in voxel indices per axis."""

    shape: tuple[int, int, int]
    affine: Float[Tensor, "4 4"]
    edges: list[Tensor]


def cell_grid(shape: tuple[int, int, int], affine: Float[Tensor, "4 4"], cells: int, *, cube: bool = False) -> CellGrid:
    """Cells of equal edges, `cells` of them along the longest side, centred on the volume and covering all of it.

    Args:
        shape: Voxels along i, j, k.
        affine: Voxel (i, j, k) to world [mm], float64.
        cells: Along the longest side.
        cube: As many along the other sides too.
    """
    voxels = torch.tensor(shape, dtype=torch.float64)
    spacing = affine[:3, :3].norm(dim=0)
    extent = voxels * spacing
    edge = extent.max() / cells
    counts = torch.full((3,), cells) if cube else ((extent / edge - 1e-9).ceil().long().clamp(min=1))
    step = edge / spacing  # of a cell, in voxels
    first = (voxels - 1) / 2 - (counts - 1) / 2 * step
    placed = affine.clone()
    placed[:3, :3] = affine[:3, :3] * step
    placed[:3, 3] = affine[:3, :3] @ first + affine[:3, 3]
    edges = [start + (torch.arange(int(n) + 1) - 0.5) * by for start, n, by in zip(first, counts, step, strict=True)]
    ni, nj, nk = counts.tolist()
    return CellGrid((ni, nj, nk), placed, edges)


def area_average(
    slices: Callable[[int, int], Tensor], shape: tuple[int, int, int], edges: list[Tensor], device: torch.device
) -> Float[Tensor, "nk nj ni"]:
    """The mean over each cell of a quantity that is constant within a voxel and zero outside the volume.

    Args:
        slices: From a first and a last index k to the quantity (k, H, W), float32.
        shape: Voxels along i, j, k.
        edges: Of the cells along i, j, k, in voxel indices.
        device: Of the quantity.
    """
    width, height, depth = shape
    along = [_overlaps(edge, size).to(device, torch.float32) for edge, size in zip(edges, shape, strict=True)]
    at_once = max(1, VOXELS_AT_ONCE // (width * height))
    parts = [
        torch.einsum("khw,iw,jh->kji", slices(first, min(first + at_once, depth)), along[0], along[1])
        for first in range(0, depth, at_once)
    ]
    return torch.tensordot(along[2], torch.cat(parts), dims=1)


def _overlaps(edges: Tensor, voxels: int) -> Tensor:
    """(cells, voxels): which share of each cell each voxel fills."""
    left = torch.arange(voxels, dtype=torch.float64) - 0.5
    low = torch.maximum(edges[:-1, None], left)
    high = torch.minimum(edges[1:, None], left + 1)
    return (high - low).clamp(min=0) / (edges[1:] - edges[:-1])[:, None]
