"""Siddon's exact path: the chord of the ray through each voxel, times the voxel's value."""

from __future__ import annotations

import torch
from torch import Tensor

from .common import Labelling, by_label, clip_to_box, compute_dtype, labels_at, ordered_sum, voxels_at


def siddon(mu: Tensor, source: Tensor, direction: Tensor, *, labelling: Labelling | None = None) -> Tensor:
    r"""The integral over alpha of the piecewise-constant volume, exactly.

        I = sum_m mu_v(m) (alpha_{m+1} - alpha_m)

    over the sorted crossings alpha_m of the ray with the planes between voxels (at half-integers).

    Args:
        mu: (depth, height, width); voxel v covers [v - 1/2, v + 1/2] on each axis.
        source: (R, 3) in (i, j, k).
        direction: (R, 3), from the source to the pixel.
        labelling: Divide the integral among labels; hard and soft are the same here.

    Returns:
        (channels, R), in the units of mu per unit alpha.

    Gradients: a crossing alpha_m on axis a moves by -d source_a / direction_a - alpha_m d direction_a / direction_a;
    that is exact away from edges shared by two planes.

    Source: Siddon, Med. Phys. 12 (1985) 252-255, eqs. 3-14.
    """
    alpha = _crossings(mu.shape, source, direction)
    chord = alpha.diff(dim=0)
    i, j, k = _voxel_between(alpha, source, direction)
    term = voxels_at(mu, (i, j, k)) * chord.to(compute_dtype(mu))
    if labelling is None:
        return ordered_sum(term)[None]
    return by_label(term, labels_at(labelling.labels, (i, j, k)), labelling.channels)


def labels_crossed(labels: Tensor, source: Tensor, direction: Tensor, *, words: int) -> Tensor:
    """The set of labels that each ray meets, as bits: label l is bit l % 32 of int32 word l // 32; (words, R)."""
    alpha = _crossings(labels.shape, source, direction)
    label = labels_at(labels, _voxel_between(alpha, source, direction))
    label = torch.where(alpha.diff(dim=0) > 0, label, -1)
    bits = []
    for word in range(words):
        here = torch.where(label // 32 == word, label % 32, -1)
        bit = torch.where(here >= 0, torch.ones_like(here) << here.clamp(min=0), 0)
        while len(bit) > 1:
            half = (len(bit) + 1) // 2
            bit = torch.cat([bit[: len(bit) - half] | bit[half:], bit[len(bit) - half : half]])
        bits.append(bit[0])
    stacked = torch.stack(bits)
    return torch.where(stacked >= 2**31, stacked - 2**32, stacked).to(torch.int32)


def _crossings(shape: torch.Size, source: Tensor, direction: Tensor) -> Tensor:
    """The sorted plane crossings of each ray inside the volume, (K, R), padded with its end points."""
    sizes = torch.tensor(shape[::-1], dtype=source.dtype, device=source.device)
    near, far = clip_to_box(source, direction, torch.full_like(sizes, -0.5), sizes - 0.5)
    crossings = []
    for axis, size in enumerate(shape[::-1]):
        plane = torch.arange(size + 1, dtype=source.dtype, device=source.device)[:, None] - 0.5
        moving = direction[:, axis] != 0
        safe = torch.where(moving, direction[:, axis], 1.0)
        alpha = torch.where(moving, (plane - source[:, axis]) / safe, near)
        crossings.append(torch.maximum(near, torch.minimum(alpha, far)))
    return torch.cat([near[None], *crossings, far[None]]).sort(dim=0).values


def _voxel_between(alpha: Tensor, source: Tensor, direction: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    middle = (alpha[1:] + alpha[:-1]).detach() / 2
    i, j, k = ((source[:, a] + middle * direction[:, a]).detach().add(0.5).floor().long() for a in range(3))
    return i, j, k
