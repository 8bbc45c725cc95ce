"""The decoder: tokens that look like screws become queries, which find head and tip step by step."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .attention import DeformableAttention, SampledPlaces, Sizes
from .encoder import FeedForward
from .pyramid import sine_embedding
from .settings import DetectorSettings

PRIOR = 0.01
"""Objectness before training."""


class ScrewQueries(NamedTuple):
    """Logits that a query is a screw, (B, Q), and its head and tip, (B, Q, 2, 2) as shares (u, v) of the image."""

    objectness: Tensor
    keypoints: Tensor


class ScrewHead(nn.Module):
    """Objectness, and head and tip as offsets from where they were thought to be; no offset before training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.objectness = nn.Linear(width, 1)
        nn.init.constant_(self.objectness.bias, -math.log(1 / PRIOR - 1))
        last = nn.Linear(width, 4)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.offsets = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), last)

    def forward(self, values: Tensor, references: Tensor) -> ScrewQueries:
        """Of values (B, Q, C) and references (B, Q, 2, 2), or (B, Q, 1, 2) for both keypoints."""
        offsets = self.offsets(values).unflatten(-1, (2, 2))
        return ScrewQueries(self.objectness(values).squeeze(-1), references + offsets)


class DecoderLayer(nn.Module):
    """Queries attend to each other, then to the tokens around head and tip, then a feed-forward block."""

    def __init__(self, settings: DetectorSettings) -> None:
        super().__init__()
        width, levels = settings.width, len(settings.strides)
        self.among = nn.MultiheadAttention(width, settings.heads, dropout=settings.dropout, batch_first=True)
        self.among_norm = nn.LayerNorm(width)
        self.across = DeformableAttention(width, heads=settings.heads, levels=levels, points=settings.points)
        self.across_norm = nn.LayerNorm(width)
        self.feedforward = FeedForward(settings)

    def forward(
        self, queries: Tensor, positions: Tensor, references: Tensor, memory: Tensor, sizes: Sizes
    ) -> tuple[Tensor, SampledPlaces]:
        """Better queries (B, Q, C), and where they looked; references (B, Q, M, 2)."""
        placed = queries + positions
        queries = self.among_norm(queries + self.among(placed, placed, queries, need_weights=False)[0])
        seen, places = self.across(queries + positions, references, memory, sizes)
        return self.feedforward(self.across_norm(queries + seen)), places


class ScrewDecoder(nn.Module):
    """From tokens to screws.

    Every token proposes a screw; the best become queries, with the token as content and the proposed head and tip as
    references. Even attention heads look around the head of the screw, odd ones around its tip. Each layer corrects the
    references of the one before, without gradient to it.

    Source: Roh et al., Sparse DETR, 2022 (queries from top tokens); Zhu et al., Deformable DETR, 2021 (refinement).
    """

    def __init__(self, settings: DetectorSettings) -> None:
        super().__init__()
        width = settings.width
        self.queries, self.heads, self.width = settings.queries, settings.heads, width
        self.proposal = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width))
        self.proposal_head = ScrewHead(width)
        self.position = nn.Linear(2 * width, width)
        self.layers = nn.ModuleList(DecoderLayer(settings) for _ in range(settings.decoder_layers))
        self.screw_heads = nn.ModuleList(ScrewHead(width) for _ in range(settings.decoder_layers))

    def forward(
        self, memory: Tensor, centres: Tensor, sizes: Sizes
    ) -> tuple[ScrewQueries, list[ScrewQueries], list[SampledPlaces]]:
        """Proposals of all S tokens, the Q queries after each layer, and where each layer looked.

        Args:
            memory: Refined tokens (B, S, C).
            centres: Where they lie, (S, 2).
            sizes: Of the levels.
        """
        content = self.proposal(memory)
        proposals = self.proposal_head(content, centres[None, :, None])
        best = proposals.objectness.topk(min(self.queries, memory.shape[1]), dim=1).indices
        rows = torch.arange(len(best), device=best.device)[:, None]
        queries, keypoints = content[rows, best], proposals.keypoints[rows, best]
        found, looked = [], []
        for layer, head in zip(self.layers, self.screw_heads, strict=True):
            keypoints = keypoints.detach()
            positions = self.position(sine_embedding(keypoints, self.width).flatten(-2))
            references = keypoints.repeat(1, 1, self.heads // 2, 1)
            queries, places = layer(queries, positions, references, memory, sizes)
            found.append(head(queries, keypoints))
            keypoints = found[-1].keypoints
            looked.append(places)
        return proposals, found, looked
