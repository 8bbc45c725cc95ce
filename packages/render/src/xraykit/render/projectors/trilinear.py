"""Ray marching: midpoint samples of the trilinear interpolant."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from .common import Labelling, by_label, clip_to_box, compute_dtype, labels_at, ordered_sum, voxels_at

BLOCK = 32  # samples held at once


def trilinear(
    mu: Tensor, source: Tensor, direction: Tensor, *, samples: int, labelling: Labelling | None = None
) -> Tensor:
    r"""The integral over alpha of the trilinearly interpolated, zero-padded volume, by the midpoint rule.

        T = far - near,   I = T / n  sum_{m=0}^{n-1} f(source + (near + (m + 1/2) T / n) direction)

    where f(x) = sum_v mu_v prod_axes max(0, 1 - |x - v|) and [near, far] is the ray's part inside f's support
    (-1, N) on each axis.

    Args:
        mu: (depth, height, width), voxel centres at integer indices.
        source: (R, 3) in (i, j, k).
        direction: (R, 3), from the source to the pixel.
        samples: n, samples per ray inside the volume.
        labelling: Divide the integral among labels; None keeps one channel.

    Returns:
        (channels, R), in the units of mu per unit alpha.

    Accuracy: second order in the step (tests/render/projectors/test_projectors.py).
    """
    upper = torch.tensor(mu.shape[::-1], dtype=source.dtype, device=source.device)
    near, far = clip_to_box(source, direction, -torch.ones_like(upper), upper)
    step = (far - near) / samples
    channels = 1 if labelling is None else labelling.channels
    total = torch.zeros(channels, len(source), dtype=compute_dtype(mu), device=mu.device)
    for first in range(0, samples, BLOCK):
        middle = torch.arange(first, min(first + BLOCK, samples), dtype=source.dtype, device=source.device) + 0.5
        alpha = near + middle[:, None] * step
        point = [source[:, axis] + alpha * direction[:, axis] for axis in range(3)]
        total = total + _block(mu, point, labelling)
    return total * step.to(total.dtype)


def _block(mu: Tensor, point: list[Tensor], labelling: Labelling | None) -> Tensor:
    """The sum of f over a block of samples (K, R), per channel."""
    cell = [p.detach().floor() for p in point]
    fraction = [(p - c).to(compute_dtype(mu)) for p, c in zip(point, cell, strict=True)]
    base = [c.long() for c in cell]
    parts = []
    for corner in itertools.product((0, 1), repeat=3):
        weight = torch.ones_like(fraction[0])
        for f, c in zip(fraction, corner, strict=True):
            weight = weight * (f if c else 1 - f)
        i, j, k = (b + c for b, c in zip(base, corner, strict=True))
        term = weight * voxels_at(mu, (i, j, k))
        if labelling is not None and labelling.soft:
            parts.append(by_label(term, labels_at(labelling.labels, (i, j, k)), labelling.channels))
        else:
            parts.append(term)
    value = ordered_sum(torch.stack(parts))
    if labelling is None:
        return ordered_sum(value)[None]
    if labelling.soft:
        return value
    i, j, k = (b + (f >= 0.5) for b, f in zip(base, fraction, strict=True))
    return by_label(value, labels_at(labelling.labels, (i, j, k)), labelling.channels)
