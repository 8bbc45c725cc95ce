"""Joseph's method: bilinear interpolation in every slice across the ray's dominant axis."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from .common import Labelling, by_label, compute_dtype, labels_at, ordered_sum, voxels_at

BLOCK = 32  # slices held at once


def joseph(mu: Tensor, source: Tensor, direction: Tensor, *, labelling: Labelling | None = None) -> Tensor:
    r"""The integral over alpha by one bilinear sample per slice of the axis a with the largest |direction_a|.

        I = 1 / |direction_a|  sum_k f(source + alpha_k direction),   alpha_k = (k - source_a) / direction_a

    over the slices k of axis a with 0 <= alpha_k <= 1; f is bilinear within the slice and zero outside the grid.

    Args:
        mu: (depth, height, width), voxel centres at integer indices.
        source: (R, 3) in (i, j, k).
        direction: (R, 3), from the source to the pixel, not zero.
        labelling: Divide the integral among labels; None keeps one channel.

    Returns:
        (channels, R), in the units of mu per unit alpha.

    Accuracy: second order in the voxel size where mu is smooth.
    Source: Joseph, IEEE Trans. Med. Imaging 1 (1982) 192-196.
    """
    main = direction.detach().abs().argmax(dim=1)
    axes = torch.stack([main, (main + 1) % 3, (main + 2) % 3], dim=1)  # dominant axis, then the two across
    sizes = torch.tensor(mu.shape[::-1], device=source.device)
    start, along = source.gather(1, axes), direction.gather(1, axes)
    channels = 1 if labelling is None else labelling.channels
    total = torch.zeros(channels, len(source), dtype=compute_dtype(mu), device=mu.device)
    for first in range(0, max(mu.shape), BLOCK):
        block = torch.arange(first, min(first + BLOCK, max(mu.shape)), device=source.device)[:, None]
        alpha = (block - start[:, 0]) / along[:, 0]
        valid = (alpha >= 0) & (alpha <= 1) & (block < sizes[main])
        across = [start[:, a] + alpha * along[:, a] for a in (1, 2)]
        total = total + _block(mu, block.expand_as(alpha), across, axes, valid, labelling)
    return total / along[:, 0].abs().to(total.dtype)


def _block(
    mu: Tensor, main: Tensor, across: list[Tensor], axes: Tensor, valid: Tensor, labelling: Labelling | None
) -> Tensor:
    cell = [p.detach().floor() for p in across]
    fraction = [(p - c).to(compute_dtype(mu)) for p, c in zip(across, cell, strict=True)]
    base = [c.long() for c in cell]
    parts = []
    for corner in itertools.product((0, 1), repeat=2):
        weight = valid.to(fraction[0].dtype)
        for f, c in zip(fraction, corner, strict=True):
            weight = weight * (f if c else 1 - f)
        index = _in_grid_order(main, [b + c for b, c in zip(base, corner, strict=True)], axes)
        term = weight * voxels_at(mu, index)
        if labelling is not None and labelling.soft:
            parts.append(by_label(term, labels_at(labelling.labels, index), labelling.channels))
        else:
            parts.append(term)
    value = ordered_sum(torch.stack(parts))
    if labelling is None:
        return ordered_sum(value)[None]
    if labelling.soft:
        return value
    index = _in_grid_order(main, [b + (f >= 0.5) for b, f in zip(base, fraction, strict=True)], axes)
    return by_label(value, labels_at(labelling.labels, index), labelling.channels)


def _in_grid_order(main: Tensor, across: list[Tensor], axes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Turn (dominant, first across, second across) back into (i, j, k)."""
    i, j, k = (
        torch.where(axes[:, 0] == axis, main, torch.where(axes[:, 1] == axis, across[0], across[1]))
        for axis in range(3)
    )
    return i, j, k
