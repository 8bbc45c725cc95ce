"""Position embeddings of another grid of patches: the clean way, and the one of the published networks."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

PositionResize = Literal["size", "published"]


def resize_positions(positions: Tensor, old: tuple[int, int], new: tuple[int, int], how: PositionResize) -> Tensor:
    """Learned position embeddings of a grid of patches, resampled bicubically with antialiasing.

    - "size": to exactly the new grid; pixel centres are kept, so a resized grid is neither shifted nor cut.
    - "published": by the factors (h + 0.1) / h_old and (w + 0.1) / w_old, as the DAX checkpoints were trained. The
      0.1, once a guard against rounding, makes it another operator: samples lie old / (new + 0.1) apart.

    At the network's own grid both are the identity (the published code resamples even there where an image of that grid
    is not square, such as 224 x 230).

    Args:
        positions: (1, h_old * w_old, D), without class or register tokens.
        old: Rows and columns of their grid.
        new: Rows and columns wanted.
        how: Which way.

    Returns:
        (1, h * w, D), in the dtype of `positions`; computed in float32 or better.

    Gradients: with respect to the positions; antialiased, so that small crops do not leave a pattern in a large grid.

    Source: Caron et al., DINO (scale factor + 0.1); DAX adds antialias=True; dinov2 #378 (size).
    """
    if old == new:
        return positions
    grid = positions.to(torch.promote_types(positions.dtype, torch.float32))
    grid = grid.reshape(1, *old, -1).permute(0, 3, 1, 2)
    if how == "size":
        grid = F.interpolate(grid, size=new, mode="bicubic", align_corners=False, antialias=True)
    else:
        factors = ((new[0] + 0.1) / old[0], (new[1] + 0.1) / old[1])
        grid = F.interpolate(grid, scale_factor=factors, mode="bicubic", align_corners=False, antialias=True)
    return grid.flatten(2).transpose(1, 2).to(positions.dtype)
