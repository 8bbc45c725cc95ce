"""Multi-scale deformable attention: each query looks at a few places of each level, which it chooses itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Sizes = Sequence[tuple[int, int]]
"""Height and width of each level; S is the sum of their products."""


class SampledPlaces(NamedTuple):
    """Where queries looked, (B, Q, M, L, P, 2) as shares (u, v) of the image, and how much each place counted."""

    locations: Tensor
    weights: Tensor


class DeformableAttention(nn.Module):
    r"""Attention to P places of each of L levels for each of M heads.

        out_q = W_o sum_m,l,p a_mlp V_lm(ref_qm + offset_mlp / (w_l, h_l)),    sum_l,p a_mlp = 1

    with bilinear V, 0 outside the map. Offsets [cells of the level] and weights are linear in the query. At first the
    heads look in M directions around the reference, 1 to P cells away, and every place counts the same.

    Args:
        width: Channels C.
        heads: M.
        levels: L.
        points: P.

    Source: Zhu et al., Deformable DETR, 2021, equations 2 and 3.
    """

    def __init__(self, width: int, *, heads: int, levels: int, points: int) -> None:
        super().__init__()
        self.shape = (heads, levels, points)
        self.sampling_offsets = nn.Linear(width, heads * levels * points * 2)
        self.attention_weights = nn.Linear(width, heads * levels * points)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        for layer in (self.value, self.output):
            nn.init.xavier_uniform_(layer.weight)
        for layer in (self.sampling_offsets, self.attention_weights):
            nn.init.zeros_(layer.weight)
        for layer in (self.value, self.output, self.attention_weights):
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(ring_offsets(heads, levels, points).flatten())

    def forward(
        self, queries: Tensor, references: Tensor, memory: Tensor, sizes: Sizes
    ) -> tuple[Tensor, SampledPlaces]:
        """What the queries see.

        Args:
            queries: (B, Q, C).
            references: (B, Q, M, 2), or (B, Q, 1, 2) for one that all heads share, as shares of the image.
            memory: Tokens of all levels, (B, S, C).
            sizes: Of the levels.

        Returns:
            (B, Q, C), and where it comes from.
        """
        batch, count, width = queries.shape
        heads, levels, points = self.shape
        offsets = self.sampling_offsets(queries).view(batch, count, *self.shape, 2)
        weights = self.attention_weights(queries).view(batch, count, heads, levels * points).softmax(-1)
        cells = offsets.new_tensor([(w, h) for h, w in sizes])[:, None]
        places = SampledPlaces(
            references[:, :, :, None, None] + offsets / cells, weights.view(batch, count, heads, levels, points)
        )
        value = self.value(memory).view(batch, -1, heads, width // heads)
        return self.output(sampled(value, places, sizes).flatten(2)), places


def ring_offsets(heads: int, levels: int, points: int) -> Tensor:
    """Offsets (M, L, P, 2): head m looks in direction 2 pi m / M, point p is p + 1 cells away in the maximum norm."""
    angles = torch.arange(heads) * (2 * math.pi / heads)
    ring = torch.stack([angles.cos(), angles.sin()], -1)
    ring = ring / ring.abs().amax(-1, keepdim=True)
    return ring[:, None, None] * torch.arange(1, points + 1)[:, None].expand(levels, points, 1)


def sampled(value: Tensor, places: SampledPlaces, sizes: Sizes) -> Tensor:
    """Weighted sum of bilinear samples, (B, Q, M, d) from value (B, S, M, d).

    Gradients: to value, locations and weights; that to locations jumps where they cross centres of cells.
    """
    total = value.new_zeros(())
    levels = value.split([h * w for h, w in sizes], dim=1)
    for n, ((height, width), level) in enumerate(zip(sizes, levels, strict=True)):
        maps = level.permute(0, 2, 3, 1).reshape(-1, level.shape[-1], height, width)
        grid = (2 * places.locations[:, :, :, n] - 1).transpose(1, 2).flatten(0, 1)
        seen = F.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        part = (seen * places.weights[:, :, :, n].transpose(1, 2).flatten(0, 1)[:, None]).sum(-1)
        total = total + part
    batch, _, heads, channels = value.shape
    return total.view(batch, heads, channels, -1).permute(0, 3, 1, 2)


def attention_map(places: SampledPlaces, sizes: Sizes) -> Tensor:
    """How much each token was attended to by all queries and heads together, (B, S).

    The weight of a place goes to the four cells around it in the shares of bilinear interpolation.

    Source: Roh et al., Sparse DETR, 2022, section 4.2 (decoder cross-attention map).
    """
    batch = len(places.weights)
    total = places.weights.new_zeros(batch, sum(h * w for h, w in sizes))
    start = 0
    for n, (height, width) in enumerate(sizes):
        scale = places.locations.new_tensor([width, height])
        place = places.locations[:, :, :, n].reshape(batch, -1, 2) * scale - 0.5
        weight = places.weights[:, :, :, n].reshape(batch, -1)
        low = place.floor()
        part = place - low
        for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
            u, v = (low + low.new_tensor([right, down])).long().unbind(-1)
            share = (part[..., 0] if right else 1 - part[..., 0]) * (part[..., 1] if down else 1 - part[..., 1])
            inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
            index = start + v.clamp(0, height - 1) * width + u.clamp(0, width - 1)
            total.scatter_add_(1, index, weight * share * inside)
        start += height * width
    return total
