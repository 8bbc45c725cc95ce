"""Some cells of the image embedding in place of all: what a training may look at for a share of the price.

Nothing in the decoder mixes cells but the tokens' attention to the image, which among many cells is a mean like any
other; so a step on a quarter of them costs a quarter and has, on average, the same gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor


def draw_cells(batch: int, grid: int, share: float, generator: torch.Generator) -> Tensor:
    """(B, K) places in the grid, row by row, K = share G^2 rounded and at least 1; no cell of an image twice.

    Args:
        batch: B images.
        grid: G.
        share: Above 0, at most 1.
        generator: Of the CPU.

    Source: He et al., Masked autoencoders, CVPR 2022; Liu et al., PatchDropout, WACV 2023.
    """
    count = max(1, round(share * grid**2))
    return torch.rand(batch, grid**2, generator=generator).argsort(1)[:, :count].contiguous()


def cell_pixels(maps: Tensor, cells: Tensor, grid: int) -> Tensor:
    """The pixels (B, P, K E, E) of cells, E x E each, one cell below the other.

    Args:
        maps: (B, P, E G, E G).
        cells: (B, K).
        grid: G.
    """
    edge = maps.shape[-1] // grid
    parts = maps.unflatten(3, (grid, edge)).unflatten(2, (grid, edge)).transpose(3, 4).flatten(2, 3)  # B P GG E E
    index = cells.to(maps.device)[:, None, :, None, None].expand(-1, maps.shape[1], -1, edge, edge)
    return parts.gather(2, index).flatten(2, 3)
