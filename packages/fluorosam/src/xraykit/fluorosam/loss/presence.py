"""How wrong a network is about what an image shows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def presence_loss(logits: Tensor, absent: Tensor) -> Tensor:
    """Binary cross-entropy, a scalar; what is there and what is not each count half, however many there are.

    Args:
        logits: (B, P), above 0 for what is visible.
        absent: (B, P) bool.

    Gradients: to `logits`.
    """
    each = F.binary_cross_entropy_with_logits(logits.float(), (~absent).float(), reduction="none")
    halves = [torch.where(which, each, 0.0).sum() / which.sum().clamp(min=1) for which in (absent, ~absent)]
    return (halves[0] + halves[1]) / 2
