"""Names of tensors in FluoroSAM's checkpoints beside ours, and the order in which they merge patches."""

from __future__ import annotations

import re

from torch import Tensor

# Ours to theirs; what no line changes is called the same.
_NAMES: tuple[tuple[str, str], ...] = (
    (r"image_encoder\.trunk\.norms\.(\d+)\.", r"image_encoder.backbone.swin.norm\1."),
    (r"image_encoder\.trunk\.swin\.patch_embed\.proj\.", "image_encoder.backbone.swin.patch_embed.projection."),
    (r"image_encoder\.trunk\.swin\.layers\.", "image_encoder.backbone.swin.stages."),
    (r"image_encoder\.trunk\.swin\.", "image_encoder.backbone.swin."),
    (r"(swin\.stages\.\d+\.blocks\.\d+)\.attn\.", r"\1.attn.w_msa."),
    (r"(swin\.stages\.\d+\.blocks\.\d+)\.mlp\.fc1\.", r"\1.ffn.layers.0.0."),
    (r"(swin\.stages\.\d+\.blocks\.\d+)\.mlp\.fc2\.", r"\1.ffn.layers.1."),
    (r"image_encoder\.neck\.inputs\.(\d+)\.", r"image_encoder.neck.input_ops.\1.op_list.0."),
    (r"image_encoder\.neck\.blocks\.(\d+)\.(spatial|point)\.", r"image_encoder.neck.middle.op_list.\1.main.\2_conv."),
    (r"image_encoder\.neck\.output\.", "image_encoder.neck.output_ops.0.op_list.0.conv."),
)
_DOWNSAMPLE = re.compile(r"(swin\.stages\.)(\d+)(\.downsample\.)")
_MERGED = re.compile(r"image_encoder\.trunk\.swin\.layers\.\d+\.downsample\.(?:reduction|norm)\.(?:weight|bias)")

LEFTOVERS = re.compile(
    r"prompt_encoder\.text_model\.visual\..+"  # CLIP's other half, what is left of it
    r"|image_encoder\.backbone\.swin\.stages\.\d+\.blocks\.\d+\.attn\.w_msa\.relative_position_index"
    r"|prompt_encoder\.vq\._codebook\.embed_avg"
)
"""Names that their checkpoints may hold and nothing here needs."""

COUNTED = ("prompt_encoder.vq._codebook.cluster_size", "prompt_encoder.vq._codebook.initted")
"""Counts of the codebook, which differ in shape from version to version and say nothing when codes are learned."""


def published_name(ours: str) -> str:
    """What their checkpoint calls a tensor of our network, without the prefix `sam.`."""
    for pattern, replacement in _NAMES:
        ours = re.sub(pattern, replacement, ours)
    return _DOWNSAMPLE.sub(lambda found: f"{found[1]}{int(found[2]) - 1}{found[3]}", ours)


def from_published(ours: str, value: Tensor) -> Tensor:
    """Their tensor in our order: mmdetection merges 2 x 2 patches channel by channel, timm patch by patch.

    (..., 4 C) as C groups of the four patches (row-major) becomes four groups (column-major) of C channels.
    """
    if not _MERGED.fullmatch(ours) or value.shape[-1] % 4:
        return value
    return value.unflatten(-1, (-1, 4)).transpose(-1, -2)[..., [0, 2, 1, 3], :].flatten(-2)


def to_published(ours: str, value: Tensor) -> Tensor:
    """Our tensor in their order, the inverse of `from_published`."""
    if not _MERGED.fullmatch(ours) or value.shape[-1] % 4:
        return value
    return value.unflatten(-1, (4, -1))[..., [0, 2, 1, 3], :].transpose(-1, -2).flatten(-2)
