"""Batches of images with prompts."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class SegmentationBatch(NamedTuple):
    """B images with P prompts each."""

    images: Tensor
    masks: Tensor
    absent: Tensor
    texts: tuple[tuple[str, ...], ...]
    targets: tuple[tuple[str, ...], ...]
    shown: Tensor
