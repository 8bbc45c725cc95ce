"""From tokens of two views to how likely each patch matches each, in single precision."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import without_autocast


class SigmoidHead(nn.Module):
    """C_ij = sigmoid(s a_i . b_j + b0), a = W LN(x) / |W LN(x)|, with the same W for all views.

    s > 0 and b0 are learned; at first s = 10 and b0 = logit(density), which `calibrate_head` corrects for tokens that
    are not at right angles.

    Args:
        dimension: D.
        density: Share of matches expected at first.
    """

    def __init__(self, dimension: int, density: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dimension)
        self.project = nn.Linear(dimension, dimension)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.bias = nn.Parameter(torch.tensor(math.log(density / (1 - density))))

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Probability and logits (..., L, L) of tokens (..., L, D); autocast is off inside."""
        with without_autocast(first):
            cosine = self._unit(first) @ self._unit(second).mT
            logits = self.log_scale.exp() * cosine + self.bias
            return logits.sigmoid(), logits

    def _unit(self, x: Tensor) -> Tensor:
        return F.normalize(self.project(self.norm(x.to(self.project.weight.dtype))), dim=-1)


class SquaredCosineHead(nn.Module):
    """C_ij = (a_i . b_j)^2, a = x / |x|, as the authors' partial code has it; no weights, and no logits."""

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, None]:
        """Probability (..., L, L) of tokens (..., L, D), in float32 or more."""
        with without_autocast(first):
            precise = torch.float64 if first.dtype == torch.float64 else torch.float32
            cosine = F.normalize(first.to(precise), dim=-1) @ F.normalize(second.to(precise), dim=-1).mT
            return cosine.square().clamp(max=1), None
