"""Whether two views show the same part of one patient, told from their tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import without_autocast


class OverlapHead(nn.Module):
    """Logits that two views overlap, the same whichever comes first.

        W2 gelu(W1 [m_a m_b, |m_a - m_b|, m_a + m_b]),  m = mean over the patches of LN(x)

    Sums of matches cannot tell it: a squared error makes a matcher cautious, so that many small answers may mean two
    patients or one that is hard to match.

    Args:
        dimension: D.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dimension)
        self.hidden = nn.Linear(3 * dimension, dimension)
        self.logit = nn.Linear(dimension, 1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(...) of tokens (..., L, D) of both views; autocast is off inside."""
        with without_autocast(first):
            a, b = (self.norm(x.to(self.logit.weight.dtype)).mean(-2) for x in (first, second))
            joined = torch.cat([a * b, (a - b).abs(), a + b], -1)
            return self.logit(F.gelu(self.hidden(joined)))[..., 0]
