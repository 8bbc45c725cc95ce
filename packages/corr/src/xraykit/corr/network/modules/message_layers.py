"""What the alternating modules share: self layers within each view, cross layers to all other views."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..attention import ABSENT, attend, join_heads, other_views, split_heads
from ..rotary import rotate


class MessageLayer(nn.Module):
    """A layer in which tokens x attend to a source, their own view or all others; queries, keys and values are linear.

    Args:
        dimension: D.
        heads: H.
        bias: Whether the three have biases.
    """

    def __init__(self, dimension: int, heads: int, *, bias: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(dimension, dimension, bias=bias) for _ in range(3))

    def split(self, x: Tensor, source: Tensor, angles: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (N, H, L, d) of x (N, L, D), keys and values (N, H, M, d) of source (N, M, D), rotated by angles."""
        query = split_heads(self.query(x), self.heads)
        key, value = split_heads(self.key(source), self.heads), split_heads(self.value(source), self.heads)
        return (query, key, value) if angles is None else (rotate(query, angles), rotate(key, angles), value)

    def message(self, x: Tensor, source: Tensor, angles: Tensor | None, keys: Tensor | None) -> Tensor:
        """What x learns from the source by softmax attention, (N, L, D); keys (N, M) bool are those that count."""
        bias = None if keys is None else (~keys)[:, None, None] * ABSENT
        return join_heads(attend(*self.split(x, source, angles), bias=bias))


class MessageLayers(nn.Module):
    """Layers that alternate self, cross, self, cross, ... with the same weights for every view.

    In a cross layer each view attends to the tokens of all other views as they were before the layer, so that no view
    comes first. A layer is called as `layer(x, source, angles, keys)`: x (N, L, D) attends to source (N, M, D), angles
    are those of the rotary code in self layers or None, keys (N, M) bool says which tokens of the source count, None
    is all.

    Args:
        layers: An even number of them.
    """

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def pass_messages(self, tokens: Tensor, present: Tensor | None, angles: Tensor | None = None) -> Tensor:
        """All layers over tokens (B, V, L, D); absent views stay as they are and nobody attends to them."""
        x = tokens.flatten(0, 1) if present is None else tokens[present]
        whole, keys = tokens, None
        if present is not None:
            keys = other_views(present[..., None].expand(tokens.shape[:3]))[present]
        for number, layer in enumerate(self.layers):
            run: Any = layer
            if number % 2 == 0:
                x = run(x, x, angles, None)
            else:
                source = other_views(whole)
                x = run(x, source.flatten(0, 1) if present is None else source[present], None, keys)
            whole = x.unflatten(0, tokens.shape[:2]) if present is None else _put(tokens, present, x)
        return whole


def _put(tokens: Tensor, present: Tensor, x: Tensor) -> Tensor:
    """The tokens with those of present views replaced; gradients flow to `x`."""
    return torch.zeros_like(tokens, dtype=x.dtype).masked_scatter(present[..., None, None], x)
