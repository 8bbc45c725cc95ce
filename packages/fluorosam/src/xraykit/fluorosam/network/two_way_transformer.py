"""SAM's decoder layers: tokens ask the image, the image asks the tokens; many prompts share what is the same."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TwoWayTransformer(nn.Module):
    """Layers of self-attention of tokens, tokens to image, network, image to tokens; then tokens to image once more.

    Args:
        width: C.
        heads: Attention heads.
        hidden: Hidden channels of a layer's network.
        depth: Layers.

    Source: Kirillov et al., ICCV 2023.
    """

    def __init__(self, width: int, heads: int, hidden: int, depth: int = 2) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayLayer(width, heads, hidden, first=i == 0) for i in range(depth))
        self.final_attn_token_to_image = PromptAttention(width, heads, inner=width // 2)
        self.norm_final_attn = nn.LayerNorm(width)

    def forward(
        self, image: Tensor, positions: Tensor, tokens: Tensor, present: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Tokens (B, P, T, C) and image (B, P, L, C) after they saw each other.

        Args:
            image: (B, P, L, C), or (B, 1, L, C) while it is the same for all prompts.
            positions: (L, C), encoding of the cells, or (B, 1, L, C) where images have cells of their own.
            tokens: (B, P, T, C).
            present: (B, P, T) bool, tokens that count; None is all.
        """
        queries = tokens
        for layer in self.layers:
            queries, image = layer(queries, image, tokens, positions, present)
        seen = self.final_attn_token_to_image(queries + tokens, image + positions, image)
        return self.norm_final_attn(queries + seen), image


class TwoWayLayer(nn.Module):
    """One layer; the first has no way around its self-attention."""

    def __init__(self, width: int, heads: int, hidden: int, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = PromptAttention(width, heads, inner=width)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = PromptAttention(width, heads, inner=width // 2)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = _Network(width, hidden)
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = PromptAttention(width, heads, inner=width // 2)

    def forward(
        self, queries: Tensor, image: Tensor, tokens: Tensor, positions: Tensor, present: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Queries (B, P, T, C) and image (B, P, L, C)."""
        if self.first:
            queries = self.norm1(self.self_attn(queries, queries, queries, present))
        else:
            q = queries + tokens
            queries = self.norm1(queries + self.self_attn(q, q, queries, present))
        keys = image + positions
        queries = self.norm2(queries + self.cross_attn_token_to_image(queries + tokens, keys, image))
        queries = self.norm3(queries + self.mlp(queries))
        return queries, self.norm4(image + self.cross_attn_image_to_token(keys, queries + tokens, queries, present))


class PromptAttention(nn.Module):
    """Attention between sequences of P prompts, either of which may be one sequence for all of them.

    Args:
        width: C of all sequences.
        heads: Heads.
        inner: Channels of queries, keys and values.
    """

    def __init__(self, width: int, heads: int, *, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(width, inner)
        self.v_proj = nn.Linear(width, inner)
        self.out_proj = nn.Linear(inner, width)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, present: Tensor | None = None) -> Tensor:
        """(B, P, N, C) of queries (B, P or 1, N, C), keys and values (B, P or 1, M, C).

        Queries see keys one by one, so prompts that share their keys are one long sequence.

        Args:
            queries: What asks.
            keys: What is asked.
            values: What it answers.
            present: (B, P, M) bool, keys that count; None is all.
        """
        q, k, v = self.q_proj(queries), self.k_proj(keys), self.v_proj(values)
        prompts, length = q.shape[1], q.shape[2]
        shared = k.shape[1] == 1 and prompts > 1 and present is None
        if shared:
            q = q.flatten(1, 2)[:, None]
        both = max(q.shape[1], k.shape[1])
        batch = len(q) * both
        q, k, v = (self._heads(x, both) for x in (q, k, v))
        mask = None if present is None else present.expand(-1, both, -1).reshape(batch, 1, 1, -1)
        y = _attention(q, k, v, mask)
        y = self.out_proj(y.transpose(1, 2).flatten(2).unflatten(0, (-1, both)))
        return y[:, 0].unflatten(1, (prompts, length)) if shared else y

    def _heads(self, x: Tensor, prompts: int) -> Tensor:
        """(B P, heads, N, C / heads)."""
        return x.expand(-1, prompts, -1, -1).flatten(0, 1).unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax attention (B, heads, N, D); `mask` is (B, 1, 1, M).

    On a CPU in bfloat16 it is written plainly, several times faster than torch's fused one for heads as short as these;
    scores lie so that the longer side, the image, is contiguous.
    """
    if q.device.type != "cpu" or q.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    q = q * q.shape[-1] ** -0.5
    if k.shape[2] >= q.shape[2]:
        scores = q @ k.transpose(-1, -2)
        return (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1) @ v
    scores = k @ q.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask.transpose(-1, -2), -torch.inf)
    return scores.softmax(-2).transpose(-1, -2) @ v


class _Network(nn.Module):
    """Two linear layers with a ReLU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, hidden)
        self.lin2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.lin2(F.relu(self.lin1(x)))
