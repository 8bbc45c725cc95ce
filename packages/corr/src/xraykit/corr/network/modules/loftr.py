"""Rows "loftr" and "standard_mp": LoFTR's layer with linear attention, or with softmax attention and rotary code."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..attention import join_heads, without_autocast
from ..rotary import axial_angles, sine_code
from .message_layers import MessageLayer, MessageLayers

_EPS = 1e-6


def linear_attention(query: Tensor, key: Tensor, value: Tensor, keys: Tensor | None = None) -> Tensor:
    """phi(Q) (phi(K)' V) / (phi(Q) sum phi(K)) with phi = elu + 1: time and memory grow with N + M, not with N M.

    Args:
        query: (B, H, N, d).
        key: (B, H, M, d).
        value: (B, H, M, d).
        keys: (B, M) bool, those that count; None is all.

    Returns:
        (B, H, N, d), in the type of `value`.

    Source: Katharopoulos et al., "Transformers are RNNs", equation 5; Sun et al., "LoFTR", section 3.2.
    """
    dtype = value.dtype
    with without_autocast(value):
        precise = torch.float64 if dtype == torch.float64 else torch.float32
        query, key, value = F.elu(query.to(precise)) + 1, F.elu(key.to(precise)) + 1, value.to(precise)
        if keys is not None:
            key = key * keys[:, None, :, None]
        total = query @ key.sum(-2, keepdim=True).mT
        return (query @ (key.mT @ value) / (total + _EPS)).to(dtype)


class LoftrLayer(MessageLayer):
    """x + LN(MLP([x, LN(message)])) with 2 D inner channels and ReLU, no biases: 10 D^2 + 4 D weights.

    Args:
        dimension: D.
        heads: H.
        linear: Linear attention; otherwise softmax.

    Source: Sun et al., "LoFTR", section 3.2 and figure 3.
    """

    def __init__(self, dimension: int, heads: int, *, linear: bool) -> None:
        super().__init__(dimension, heads, bias=False)
        self.linear = linear
        self.merge = nn.Linear(dimension, dimension, bias=False)
        self.norm1, self.norm2 = nn.LayerNorm(dimension), nn.LayerNorm(dimension)
        self.mlp = nn.Sequential(
            nn.Linear(2 * dimension, 2 * dimension, bias=False),
            nn.ReLU(),
            nn.Linear(2 * dimension, dimension, bias=False),
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)

    def forward(self, x: Tensor, source: Tensor, angles: Tensor | None, keys: Tensor | None) -> Tensor:
        """See `MessageLayers`."""
        if self.linear:
            message = join_heads(linear_attention(*self.split(x, source, angles), keys))
        else:
            message = self.message(x, source, angles, keys)
        message = self.norm1(self.merge(message))
        return x + self.norm2(self.mlp(torch.cat([x, message], -1)))


class LoftrModule(MessageLayers):
    """The sine code added once, then LoftrLayers; with softmax attention also an axial rotary code in self layers.

    Args:
        dimension: D.
        layers: How many, half of them cross; the publication has 8.
        heads: H; the publication has 8.
        linear: Linear attention, "loftr"; otherwise "standard_mp".
    """

    def __init__(self, dimension: int, layers: int, heads: int, *, linear: bool) -> None:
        super().__init__([LoftrLayer(dimension, heads, linear=linear) for _ in range(layers)])
        self.count = None if linear else dimension // heads // 2

    def forward(
        self, tokens: Tensor, grid: int, *, order: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Tokens (B, V, L, D) that have seen all others; it knows no order of views."""
        x = tokens + sine_code(grid, tokens.shape[-1], device=tokens.device).to(tokens.dtype)
        angles = None if self.count is None else axial_angles(grid, self.count, device=tokens.device)
        return self.pass_messages(x, present, angles)
