"""The average of a network's weights over the training, which often does better than the last ones."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import nn


class AveragedNetwork(nn.Module):
    """A copy whose weights follow another network's: w' <- m w' + (1 - m) w, buffers as they are.

    At first m is smaller, (1 + n) / (10 + n) after n steps, so that the beginning is forgotten.

    Args:
        network: Whose weights are averaged; the copy begins with them and gets no gradient.
        momentum: m, 0 to below 1.
    """

    steps: torch.Tensor

    def __init__(self, network: nn.Module, momentum: float) -> None:
        super().__init__()
        self.network = deepcopy(network).requires_grad_(False)
        self.momentum = momentum
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self, network: nn.Module) -> None:
        """One step towards a network."""
        n = int(self.steps)
        kept = min(self.momentum, (1 + n) / (10 + n))
        for own, other in zip(self.network.parameters(), network.parameters(), strict=True):
            own.lerp_(other, 1 - kept)
        for own, other in zip(self.network.buffers(), network.buffers(), strict=True):
            own.copy_(other)
        self.steps += 1
