"""The sparse encoder: a small network scores all tokens, and only the best are refined."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import DeformableAttention, Sizes
from .settings import DetectorSettings


class TokenScores(nn.Module):
    """How likely the decoder will attend to each token: logits (B, S) from tokens (B, S, C).

    Half of the channels are replaced by their mean over all tokens, so that each is judged within its image.

    Source: Roh et al., Sparse DETR, 2022, section 4.3 (scoring network).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU())
        self.second = nn.Sequential(
            nn.Linear(width, width // 2),
            nn.GELU(),
            nn.Linear(width // 2, width // 4),
            nn.GELU(),
            nn.Linear(width // 4, 1),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (B, S)."""
        own, common = self.first(tokens).chunk(2, dim=-1)
        return self.second(torch.cat([own, common.mean(1, keepdim=True).expand_as(common)], -1)).squeeze(-1)


class EncoderLayer(nn.Module):
    """Some tokens attend to all, then a feed-forward block; both with residual and LayerNorm behind it."""

    def __init__(self, settings: DetectorSettings) -> None:
        super().__init__()
        width, levels = settings.width, len(settings.strides)
        self.attention = DeformableAttention(width, heads=settings.heads, levels=levels, points=settings.points)
        self.norm = nn.LayerNorm(width)
        self.feedforward = FeedForward(settings)

    def forward(self, queries: Tensor, positions: Tensor, references: Tensor, memory: Tensor, sizes: Sizes) -> Tensor:
        """Better tokens (B, Q, C) of tokens, their positions (B, Q, C) and places (B, Q, 1, 2)."""
        seen, _ = self.attention(queries + positions, references, memory, sizes)
        return self.feedforward(self.norm(queries + seen))


class FeedForward(nn.Module):
    """LayerNorm(x + W2 relu(W1 x))."""

    def __init__(self, settings: DetectorSettings) -> None:
        super().__init__()
        width = settings.width
        self.inner, self.outer = nn.Linear(width, settings.feedforward), nn.Linear(settings.feedforward, width)
        self.dropout = nn.Dropout(settings.dropout)
        self.norm = nn.LayerNorm(width)

    def forward(self, values: Tensor) -> Tensor:
        """Of the same shape (..., C)."""
        return self.norm(values + self.dropout(self.outer(self.dropout(F.relu(self.inner(values))))))


class SparseEncoder(nn.Module):
    """Layers that refine the k tokens of highest score; the others pass through and are only looked at.

    k = min(S, int(rho S) + 1). With rho = 1 it is the encoder of Deformable DETR.
    """

    def __init__(self, settings: DetectorSettings) -> None:
        super().__init__()
        self.keep = settings.keep
        self.scores = TokenScores(settings.width)
        self.layers = nn.ModuleList(EncoderLayer(settings) for _ in range(settings.encoder_layers))

    def forward(self, tokens: Tensor, positions: Tensor, centres: Tensor, sizes: Sizes) -> tuple[Tensor, Tensor]:
        """Refined tokens (B, S, C) and the scores' logits (B, S).

        Args:
            tokens: (B, S, C).
            positions: Embedding of place and level, (S, C).
            centres: Where the tokens lie, (S, 2).
            sizes: Of the levels.

        Gradients: none go through the choice of tokens; the scores learn from `chosen_tokens` of the decoder's map.
        """
        scores = self.scores(tokens + positions)
        index = scores.topk(kept_tokens(tokens.shape[1], self.keep), dim=1).indices
        spread = index[..., None].expand(-1, -1, tokens.shape[-1])
        places, references = positions[index], centres[index][:, :, None]
        memory = tokens
        for layer in self.layers:
            better = layer(memory.gather(1, spread), places, references, memory, sizes)
            memory = memory.scatter(1, spread, better)
        return memory, scores


def kept_tokens(tokens: int, keep: float) -> int:
    """How many of S tokens are refined: min(S, int(rho S) + 1)."""
    return min(tokens, int(keep * tokens) + 1)


def chosen_tokens(attended: Tensor, keep: float) -> Tensor:
    """What the scores should have chosen, (B, S) of 0 and 1: the k tokens that the decoder attended to most."""
    best = attended.topk(kept_tokens(attended.shape[1], keep), dim=1).indices
    return torch.zeros_like(attended).scatter_(1, best, 1.0)
