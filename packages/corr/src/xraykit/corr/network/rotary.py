"""Where a patch lies, as angles: a rotary code for queries and keys, and a sine code that is added once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

BASE = 100.0
"""Ratio of the largest to the smallest period."""
FLAT_BASE = 10_000.0


def patch_centres(grid: int, *, device: torch.device | None = None) -> Tensor:
    """Centres (L, 2) of the patches, x right and y down, from -1 to 1 across the image; row-major, float32."""
    at = (torch.arange(grid, device=device, dtype=torch.float32) + 0.5) / grid * 2 - 1
    y, x = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1)


def axial_angles(grid: int, count: int, *, device: torch.device | None = None) -> Tensor:
    """Angles of x and of y in normalised coordinates, so that they stay as they are when the resolution changes.

    angle_k = 2 pi c 100^(-k / n) for k = 0 .. n - 1, n = count / 2, first for c = x, then for c = y.

    Args:
        grid: G.
        count: Angles of a patch, an even number.
        device: Where they shall be.

    Returns:
        (L, count), float32.

    Source: Simeoni et al., "DINOv3" (axial rotary code in normalised coordinates, base 100).
    """
    n = count // 2
    scales = 2 * math.pi * BASE ** (-torch.arange(n, device=device, dtype=torch.float32) / n)
    return (patch_centres(grid, device=device)[:, :, None] * scales).flatten(1)


def flat_angles(grid: int, count: int, *, device: torch.device | None = None) -> Tensor:
    """Angles (L, count) of the token's number i: angle_k = i 10000^(-k / count); they change with the grid.

    Source: Su et al., "RoFormer", equation 15.
    """
    scales = FLAT_BASE ** (-torch.arange(count, device=device, dtype=torch.float32) / count)
    return torch.arange(grid * grid, device=device, dtype=torch.float32)[:, None] * scales


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """x (..., L, 2 count) with its pairs (x_k, x_(k + count)) rotated by angles (L, count); the type stays."""
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], -1)


def sine_code(grid: int, dimension: int, *, device: torch.device | None = None) -> Tensor:
    """The absolute code (L, D): sines and cosines of `axial_angles`, D a multiple of 4."""
    angles = axial_angles(grid, dimension // 2, device=device)
    return torch.cat([angles.sin(), angles.cos()], -1)
