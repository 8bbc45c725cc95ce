"""Attention with a bias that may learn, and the masks of views that are absent."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from xraykit.render import InputError

ABSENT = -1e4
"""Bias of keys that do not count: exp of it is 0, and a row without any key stays finite."""
ATTENTION_BYTES = 4 << 30
"""Largest attention matrix of a layer, unless a network says otherwise [bytes]."""


def without_autocast(x: Tensor) -> AbstractContextManager[object]:
    """A block in which autocast is off for the tensor's device."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


def attend(query: Tensor, key: Tensor, value: Tensor, *, bias: Tensor | None = None) -> Tensor:
    """softmax(Q K' / sqrt(d) + bias) V.

    Torch's fused attention, except where the bias needs a gradient: then the matrix is written out, because not every
    fused kernel has that gradient. Both are equal up to rounding, that of the inputs' precision.

    Args:
        query: (B, H, N, d).
        key: (B, H, M, d).
        value: (B, H, M, d).
        bias: Broadcastable to (B, H, N, M).

    Returns:
        (B, H, N, d).

    Gradients: all four.
    """
    if bias is not None and bias.requires_grad and torch.is_grad_enabled():
        scores = (query * query.shape[-1] ** -0.5) @ key.mT + bias.to(query.dtype)
        return scores.softmax(-1).to(value.dtype) @ value
    if bias is None:
        return F.scaled_dot_product_attention(query, key, value)
    bias = bias.to(query.dtype).expand(len(query), query.shape[1], query.shape[2], key.shape[2])
    # cuDNN's kernel is wrong for some masks and lengths.
    safe = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
    with sdpa_kernel(safe) if query.is_cuda else nullcontext():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)


def attention_weights(query: Tensor, key: Tensor, *, bias: Tensor | None = None) -> Tensor:
    """softmax(Q K' / sqrt(d) + bias), (B, H, N, M), in float32 or more."""
    scores = (query * query.shape[-1] ** -0.5) @ key.mT
    scores = scores if scores.dtype == torch.float64 else scores.float()
    return (scores if bias is None else scores + bias).softmax(-1)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(..., N, D) to (..., H, N, D / H)."""
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def join_heads(x: Tensor) -> Tensor:
    """(..., H, N, d) to (..., N, H d)."""
    return x.transpose(-3, -2).flatten(-2)


def key_bias(present: Tensor | None, tokens: int) -> Tensor | None:
    """Bias (B, 1, 1, V L) that leaves the tokens of absent views out as keys, for `present` (B, V) and L tokens."""
    if present is None:
        return None
    absent = (~present).repeat_interleave(tokens, 1)
    return absent[:, None, None].to(torch.float32) * ABSENT


def other_views(x: Tensor) -> Tensor:
    """What each view sees of all others: (B, V, L, ...) to (B, V, (V - 1) L, ...), in the order of the views."""
    views = x.shape[1]
    if views == 2:
        return x.flip(1)
    others = torch.tensor([[b for b in range(views) if b != a] for a in range(views)], device=x.device)
    return x[:, others].flatten(2, 3)


def check_tokens(batch: int, views: int, grid: int, heads: int, *, limit: int) -> None:
    """Refuse images whose attention does not fit.

    Raises:
        InputError: B H (V L)^2 numbers of 4 bytes are more than `limit`; the message says how many tokens fit.
    """
    tokens = views * grid * grid
    needed = 4 * batch * heads * tokens**2
    if needed > limit:
        fit = int((limit / (4 * batch * heads)) ** 0.5)
        grid_fit = int((fit / views) ** 0.5)
        raise InputError(
            f"attention must fit into {limit / 2**30:.3g} GiB, got {tokens} tokens ({views} views of {grid} x {grid} "
            f"patches, batch {batch}) that need {needed / 2**30:.3g}; {fit} tokens fit, a grid of {grid_fit}, so take "
            "smaller images, fewer views or a smaller batch."
        )
