"""The forward pass of timm's vision transformer: images of any size, masked patches, features at depths, attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from xraykit.render import InputError

from .position import PositionResize, resize_positions


def is_vit(network: object) -> bool:
    """Whether this module knows the network: timm's plain VisionTransformer, no class derived from it."""
    from timm.models.vision_transformer import VisionTransformer

    return type(network) is VisionTransformer


def embed_patches(
    vit: Any,
    images: Tensor,
    how: PositionResize,
    *,
    masked: Tensor | None = None,
    mask_token: Tensor | None = None,
) -> tuple[Tensor, tuple[int, int]]:
    """The tokens that enter the first block, and the grid of patches.

    Args:
        vit: The network.
        images: (B, C, H, W); rows and columns beyond the last whole patch are not seen.
        how: How position embeddings are resized.
        masked: (B, P) bool: patches replaced by the mask token, before positions are added.
        mask_token: (D,) or anything that reshapes to it; None is zeros.

    Returns:
        (B, prefix + P, D), and (h, w) with P = h w.
    """
    patches = vit.patch_embed.proj(images)
    grid = (patches.shape[-2], patches.shape[-1])
    x = vit.patch_embed.norm(patches.flatten(2).transpose(1, 2))
    if masked is not None:
        token = x.new_zeros(x.shape[-1]) if mask_token is None else mask_token.reshape(-1).to(x.dtype)
        x = torch.where(masked[..., None], token, x)
    prefix = [token.expand(len(x), -1, -1) for token in (vit.cls_token, vit.reg_token) if token is not None]
    if vit.pos_embed is not None:
        own = 0 if vit.no_embed_class else vit.num_prefix_tokens
        positions = resize_positions(vit.pos_embed[:, own:], tuple(vit.patch_embed.grid_size), grid, how)
        x = x + positions
        if own:
            prefix = [torch.cat(prefix, 1) + vit.pos_embed[:, :own]]
    x = torch.cat([*prefix, x], 1)
    return vit.norm_pre(vit.pos_drop(x)), grid


def run_blocks(vit: Any, x: Tensor, depths: Sequence[int] = ()) -> tuple[Tensor, list[Tensor], Tensor]:
    """All blocks.

    Returns:
        The normalised tokens after the last block (B, N, D), those after each number of blocks in `depths`, and what
        enters the last block.
    """
    kept, before = [], x
    for number, block in enumerate(vit.blocks, start=1):
        before = x
        if vit.grad_checkpointing and torch.is_grad_enabled():
            x = checkpoint(block, x, use_reentrant=False)  # type: ignore[assignment]
        else:
            x = block(x)
        if number in depths and number < len(vit.blocks):
            kept.append(vit.norm(x))
    x = vit.norm(x)
    return x, [*kept, x] if len(vit.blocks) in depths else kept, before


def quarter_depths(blocks: int) -> tuple[int, ...]:
    """After how many of the blocks maps are taken: 1/4, 1/2, 3/4 and all, rounded up, each once."""
    return tuple(sorted({-(-blocks * quarter // 4) for quarter in (1, 2, 3, 4)}))


def patch_map(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Patch tokens, the last h w of (B, N, D), as (B, D, h, w)."""
    return x[:, -grid[0] * grid[1] :].transpose(1, 2).unflatten(2, grid).contiguous()


def class_attention(vit: Any, x: Tensor, grid: tuple[int, int]) -> Tensor:
    """By how much the class token attends to each patch in the last block, (B, heads, h, w).

    softmax(q_cls k^T / sqrt(d)) over all tokens, of which the patches' part is returned. One row of the attention is
    computed instead of all N.

    Args:
        vit: The network.
        x: (B, N, D), what enters the last block.
        grid: Rows and columns of patches.

    Raises:
        InputError: Another attention than the plain one, or no class token.
    """
    from timm.layers.attention import Attention

    block = vit.blocks[-1]
    attention = block.attn
    if vit.cls_token is None or type(attention) is not Attention:
        raise InputError(
            "attention must be that of a class token in timm's plain Attention, got "
            f"{type(attention).__name__}{'' if vit.cls_token is not None else ' without class token'}; "
            "take a vit_* architecture."
        )
    y = block.norm1(x)
    qkv = attention.qkv(y).unflatten(2, (3, attention.num_heads, attention.head_dim)).permute(2, 0, 3, 1, 4)
    query, key = attention.q_norm(qkv[0][:, :, :1]), attention.k_norm(qkv[1])
    weights = (query @ key.mT * attention.scale).softmax(-1)
    return weights[:, :, 0, -grid[0] * grid[1] :].unflatten(2, grid)
