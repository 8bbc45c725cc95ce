"""Row "standard": a transformer encoder over the tokens of all views in one sequence."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from xraykit.render import InputError

from ..attention import attend, attention_weights, join_heads, key_bias, split_heads
from ..rotary import axial_angles, rotate, sine_code


class StandardLayer(nn.Module):
    """x + Attention(LN(x)), then x + FFN(LN(x)) with GELU and 4 D inner channels: 12 D^2 + 13 D weights.

    Source: Dosovitskiy et al., "An image is worth 16x16 words", equations 2 and 3; Su et al., "RoFormer" (positions).
    """

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(dimension)
        self.qkv = nn.Linear(dimension, 3 * dimension)
        self.merge = nn.Linear(dimension, dimension)
        self.norm2 = nn.LayerNorm(dimension)
        self.expand = nn.Linear(dimension, 4 * dimension)
        self.reduce = nn.Linear(4 * dimension, dimension)

    def forward(self, x: Tensor, angles: Tensor, bias: Tensor | None = None) -> Tensor:
        """x (B, N, D), angles (N, d / 2), bias broadcastable to (B, H, N, N)."""
        query, key, value = self._queries(x, angles)
        x = x + self.merge(join_heads(attend(query, key, value, bias=bias)))
        return x + self.reduce(F.gelu(self.expand(self.norm2(x))))

    def attention(self, x: Tensor, angles: Tensor, bias: Tensor | None = None) -> Tensor:
        """The attention weights (B, H, N, N) of the same input."""
        query, key, _ = self._queries(x, angles)
        return attention_weights(query, key, bias=bias)

    def _queries(self, x: Tensor, angles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = (split_heads(each, self.heads) for each in self.qkv(self.norm1(x)).chunk(3, -1))
        return rotate(query, angles), rotate(key, angles), value


class JoinedTokens(NamedTuple):
    """Tokens of all views in one sequence."""

    tokens: Tensor
    """(B, V L, D)"""
    angles: Tensor
    """(V L, d / 2), the same for each view"""
    bias: Tensor | None
    """(B, 1, 1, V L), or None where all views are present"""


class StandardEncoder(nn.Module):
    """View embedding and sine code, then `layers` of StandardLayer over all views' tokens with axial rotary code.

    The rotary code is the same for both views: their offsets mean something where they share an axis. Without a last
    normalisation, which the head has.

    Args:
        dimension: D.
        layers: How many.
        heads: H.
        views: View embeddings.
    """

    def __init__(self, dimension: int, layers: int, heads: int, views: int) -> None:
        super().__init__()
        self.heads = heads
        self.view_embedding = nn.Parameter(0.02 * torch.randn(views, dimension))
        self.layers = nn.ModuleList(StandardLayer(dimension, heads) for _ in range(layers))
        for module in self.layers.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(
        self, tokens: Tensor, grid: int, *, order: Tensor | None = None, present: Tensor | None = None
    ) -> Tensor:
        """Tokens (B, V, L, D) that have seen all others.

        Args:
            tokens: (B, V, L, D).
            grid: G, L = G^2.
            order: (B, V) numbers of the view embeddings; None is 0, 1, ...
            present: (B, V) bool, views that count; None is all.

        Raises:
            InputError: More views than embeddings.
        """
        x, angles, bias = self.join(tokens, grid, order=order, present=present)
        for layer in self.layers:
            x = layer(x, angles, bias)
        return x.unflatten(1, tokens.shape[1:3])

    def join(self, tokens: Tensor, grid: int, *, order: Tensor | None, present: Tensor | None) -> JoinedTokens:
        """What the first layer sees; arguments as for `forward`."""
        views, count, dimension = tokens.shape[1:]
        embedding = self.view_embedding[:views] if order is None else self.view_embedding[self._known(order)]
        if embedding.shape[-2] < views:
            raise InputError(
                f"the network tells {len(self.view_embedding)} views apart, got {views}; give fewer, or an order."
            )
        angles = axial_angles(grid, dimension // self.heads // 2, device=tokens.device)
        code = sine_code(grid, dimension, device=tokens.device)
        x = tokens + embedding[..., None, :].to(tokens.dtype) + code.to(tokens.dtype)
        return JoinedTokens(x.flatten(1, 2), angles.repeat(views, 1), key_bias(present, count))

    def _known(self, order: Tensor) -> Tensor:
        most = len(self.view_embedding) - 1
        if int(order.max()) > most or int(order.min()) < 0:
            raise InputError(
                f"order must hold view numbers from 0 to {most}, got {int(order.min())} to {int(order.max())}."
            )
        return order
