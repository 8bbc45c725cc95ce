"""What the three projectors share: clipping, gathering and sums whose bits do not depend on the neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Labelling:
    """How a ray's integral is divided among labels: one channel per label value 0 .. channels - 1.

    Hard labels give a sample to the label of its nearest voxel; soft ones give each voxel's share of the sample to
    that voxel's own label, so that every channel is the projection of the volume masked to one label.
    """

    labels: Tensor
    channels: int
    soft: bool


def clip_to_box(source: Tensor, direction: Tensor, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
    """The part of 0 <= alpha <= 1 inside the box, as (near, far) of shape (R,); far = near where the ray misses."""
    moving = direction != 0
    safe = torch.where(moving, direction, torch.ones_like(direction))
    a, b = (lower - source) / safe, (upper - source) / safe
    inside = (source > lower) & (source < upper)
    infinity = torch.full_like(a, torch.inf)
    enter = torch.where(moving, torch.minimum(a, b), torch.where(inside, -infinity, infinity))
    leave = torch.where(moving, torch.maximum(a, b), torch.where(inside, infinity, -infinity))
    near = enter.amax(dim=-1).clamp(min=0.0, max=1.0)
    far = leave.amin(dim=-1).clamp(min=0.0, max=1.0)
    return near, torch.maximum(near, far)


def compute_dtype(mu: Tensor) -> torch.dtype:
    """The precision of the sums: float64 for float64 voxels, else float32."""
    return torch.float64 if mu.dtype == torch.float64 else torch.float32


def voxels_at(mu: Tensor, index: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """mu at integer (i, j, k), zero outside the grid."""
    inside, flat = flat_index(mu.shape, index)
    return torch.where(inside, mu.reshape(-1)[flat].to(compute_dtype(mu)), 0.0)


def labels_at(labels: Tensor, index: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """The label at integer (i, j, k) as int64, zero outside the grid."""
    inside, flat = flat_index(labels.shape, index)
    return torch.where(inside, labels.reshape(-1)[flat].long(), 0)


def flat_index(shape: torch.Size, index: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Whether (i, j, k) is in the grid, and its offset in the flattened (depth, height, width) tensor."""
    depth, height, width = shape
    i, j, k = index
    inside = (i >= 0) & (i < width) & (j >= 0) & (j < height) & (k >= 0) & (k < depth)
    flat = (k.clamp(0, depth - 1) * height + j.clamp(0, height - 1)) * width + i.clamp(0, width - 1)
    return inside, flat


def ordered_sum(terms: Tensor) -> Tensor:
    """Sum over the first axis by repeated halving: the same bits however many rays stand beside each other."""
    while len(terms) > 1:
        half = len(terms) // 2
        pairs = terms[:half] + terms[half : 2 * half]
        terms = torch.cat([pairs, terms[2 * half :]]) if len(terms) % 2 else pairs
    return terms[0]


def by_label(terms: Tensor, label: Tensor, channels: int) -> Tensor:
    """Sum terms (K, R) over K into the channel that label (K, R) names, giving (channels, R); others are dropped."""
    known = (label >= 0) & (label < channels)
    slots = torch.zeros(channels, terms.shape[1], dtype=terms.dtype, device=terms.device)
    return slots.scatter_add(0, torch.where(known, label, 0), torch.where(known, terms, 0.0))
