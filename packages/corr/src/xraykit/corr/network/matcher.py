"""The matcher: which patches of each X-ray match which of every other, for any number of views and any size."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .attention import ATTENTION_BYTES, check_tokens
from .head import SigmoidHead, SquaredCosineHead
from .local_contrast import LocalContrast
from .matcher_config import MatcherConfig
from .modules.build_module import new_module
from .overlap_head import OverlapHead
from .trunk import MEAN, STD, Trunk

NO_MATCH = -1e4
"""Logit of patches of absent views."""


class MatchOutput(NamedTuple):
    """What a matcher says of B times V images; pairs (a, b) of views in the order of combinations(range(V), 2)."""

    probability: Tensor
    """(B, P, L, L) float32 from 0 to 1; row i * G + j is a patch of view a, column one of view b"""
    logits: Tensor | None
    """The same before the sigmoid, or None where the head has none"""
    tokens: Tensor
    """(B, V, L, D) after the module"""
    overlap: Tensor | None = None
    """(B, P) float32, logits that both views show the same part of one patient, or None without such a head"""


class PatchTokens(nn.Module):
    """Trunk and projection: tokens of each image by itself.

    Args:
        config: Of the matcher.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__()
        self.contrast = LocalContrast(config.stride) if config.input_contrast == "local" else None
        self.trunk = Trunk(config.trunk, stride=config.stride, norm=config.norm)
        self.projection = nn.Conv2d(self.trunk.channels, config.dimension, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(N, L, D) of images (N, 1, S, S)."""
        if self.contrast is not None:
            images = MEAN + STD * self.contrast(images)  # the trunk standardises
        return self.projection(self.trunk(images)).flatten(2).mT


class MatchNetwork(nn.Module):
    """Trunk, 1 x 1 projection to tokens, a module that lets them attend, and a head.

    Args:
        config: What it is.

    Attributes:
        attention_bytes: Largest attention matrix of a layer; images that need more are refused.
        trained_on: What it learned from, for people and results; no tensor.

    Raises:
        InputError: No such trunk.

    Source: "Self-Supervised Multiview Xray Matching" (MICCAI 2025), figure 2.
    """

    def __init__(self, config: MatcherConfig) -> None:
        super().__init__()
        self.config = config
        self.attention_bytes = ATTENTION_BYTES
        self.trained_on: Mapping[str, object] = {}
        self.patches = PatchTokens(config)
        self.module = new_module(config)
        self.head = SigmoidHead(config.dimension, config.density) if config.head == "sigmoid" else SquaredCosineHead()
        self.overlap_head = OverlapHead(config.dimension) if config.overlap_head else None

    def forward(self, images: Tensor, *, order: Tensor | None = None, present: Tensor | None = None) -> MatchOutput:
        """Matches of all pairs of views.

        Args:
            images: (B, V, 1, S, S) in [0, 1], bone bright; V of 2 or more, S any multiple of the stride.
            order: (B, V) numbers of the view embeddings, for training with views in either order; None is 0, 1, ...
            present: (B, V) bool; absent views are seen by nobody, and nothing matches them. None is all.

        Raises:
            InputError: Images of another shape or type, one view, more tokens than fit, or `order` and `present` that
                do not go with the images.

        Gradients: with respect to images and weights.
        """
        grid = check_images(images, self.config, least=2, limit=self.attention_bytes, order=order, present=present)
        tokens = patch_tokens(self.patches, images, present)
        tokens = self.module(tokens, grid, order=order, present=present)
        first, second = (list(each) for each in zip(*combinations(range(images.shape[1]), 2), strict=True))
        probability, logits = self.head(tokens[:, first], tokens[:, second])
        overlap = None if self.overlap_head is None else self.overlap_head(tokens[:, first], tokens[:, second])
        if present is not None:
            absent = ~(present[:, first] & present[:, second])
            probability = probability.masked_fill(absent[..., None, None], 0.0)
            logits = None if logits is None else logits.masked_fill(absent[..., None, None], NO_MATCH)
            overlap = None if overlap is None else overlap.masked_fill(absent, NO_MATCH)
        return MatchOutput(probability, logits, tokens, overlap)


def patch_tokens(patches: PatchTokens, images: Tensor, present: Tensor | None) -> Tensor:
    """Tokens (B, V, L, D) of images (B, V, 1, S, S); those of absent views are 0 and touch no batch statistics."""
    if present is None:
        return patches(images.flatten(0, 1)).unflatten(0, images.shape[:2])
    tokens = patches(images[present])
    whole = tokens.new_zeros((*images.shape[:2], *tokens.shape[1:]))
    return whole.masked_scatter(present[..., None, None], tokens)


def check_images(
    images: Tensor,
    config: MatcherConfig,
    *,
    least: int,
    limit: int,
    order: Tensor | None = None,
    present: Tensor | None = None,
) -> int:
    """The grid G of images that a network takes; `least` is the number of views that it needs.

    Raises:
        InputError: see `MatchNetwork.forward`.
    """
    shape = tuple(images.shape)
    if images.ndim != 5 or shape[2] != 1 or shape[3] != shape[4] or 0 in shape or not images.is_floating_point():
        raise InputError(f"images must be floating point (B, V, 1, S, S), got {images.dtype} of shape {shape}.")
    if shape[1] < least:
        raise InputError(
            f"at least {least} views must be given, got {shape[1]}; add another X-ray of the same patient."
        )
    if shape[3] % config.stride:
        size = max(round(shape[3] / config.stride), 1) * config.stride
        raise InputError(
            f"images must be a multiple of the {config.stride} pixels of a patch, got {shape[3]} x {shape[4]} pixels; "
            f"resize them to {size}."
        )
    for name, value, kind in (("order", order, torch.int64), ("present", present, torch.bool)):
        if value is not None and (tuple(value.shape) != shape[:2] or value.dtype != kind):
            raise InputError(f"{name} must be {kind} {shape[:2]}, got {value.dtype} of shape {tuple(value.shape)}.")
    if present is not None and not bool(present.any(1).all()):
        raise InputError("present must have a view in each sample, got a sample without any.")
    grid = shape[3] // config.stride
    linear = config.module in ("none", "loftr")
    check_tokens(shape[0], shape[1], grid, 1 if linear else config.heads, limit=limit)
    return grid
