"""The layer of the authors' partial code, from its description: rotary code over flattened numbers in self layers."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ..rotary import flat_angles
from .message_layers import MessageLayer, MessageLayers


class AuthorsLayer(MessageLayer):
    """x + LN(Attention(LN(x))), then x + FFN(LN(x)) with GELU and 2 D inner channels.

    Without a projection after the attention; with it the whole network would have 25.9 M weights instead of the 24 M
    that the paper states.
    """

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__(dimension, heads)
        self.before, self.after = nn.LayerNorm(dimension), nn.LayerNorm(dimension)
        self.norm = nn.LayerNorm(dimension)
        self.expand, self.reduce = nn.Linear(dimension, 2 * dimension), nn.Linear(2 * dimension, dimension)

    def forward(self, x: Tensor, source: Tensor, angles: Tensor | None, keys: Tensor | None) -> Tensor:
        """See `MessageLayers`."""
        x = x + self.after(self.message(self.before(x), self.before(source), angles, keys))
        return x + self.reduce(F.gelu(self.expand(self.norm(x))))


class AuthorsModule(MessageLayers):
    """AuthorsLayers that alternate self and cross; positions come from the rotary code alone.

    Args:
        dimension: D; 512 in the authors' code.
        layers: How many, half of them cross; 8.
        heads: H; 8.
    """

    def __init__(self, dimension: int, layers: int, heads: int) -> None:
        super().__init__([AuthorsLayer(dimension, heads) for _ in range(layers)])
        self.count = dimension // heads // 2

    def forward(
        self, tokens: Tensor, grid: int, *, order: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Tokens (B, V, L, D) that have seen all others; it knows no order of views."""
        return self.pass_messages(tokens, present, flat_angles(grid, self.count, device=tokens.device))
