"""The loss of dense classes that may overlap and are not all known."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError

from .mask_losses import dice_loss


class ClassLoss(NamedTuple):
    """Two scalars with gradients: binary cross-entropy, and Dice loss of the classes that are there."""

    cross_entropy: Tensor
    dice: Tensor


def class_loss(logits: Tensor, cover: Tensor, known: Tensor) -> ClassLoss:
    r"""Binary cross-entropy of known classes and Dice loss of those that are in an image.

    The first is -sum(t ln p + (1 - t) ln(1 - p)) over the pixels of known classes, divided by their number; the second
    the mean of `dice_loss` over the pairs of image and known class that cover anything.

    Args:
        logits: (B, K, N, N).
        cover: The same shape, 0 to 1: what share of a cell a class covers.
        known: (B, K) bool; what an unknown class covers does not count.

    Returns:
        Zeros, with gradients of zero, where nothing is known. Gradients: to the logits.

    Raises:
        InputError: Shapes that do not fit.
    """
    if logits.shape != cover.shape or logits.ndim != 4 or known.shape != logits.shape[:2]:
        raise InputError(
            f"logits and cover must be (B, K, N, N) and known (B, K), got {tuple(logits.shape)}, {tuple(cover.shape)} "
            f"and {tuple(known.shape)}."
        )
    x = logits.to(torch.promote_types(logits.dtype, torch.float32))
    each = F.binary_cross_entropy_with_logits(x, cover.to(x.dtype), reduction="none").mean((2, 3))
    entropy = (each * known).sum() / known.sum().clamp(min=1)
    there = known & (cover.amax((2, 3)) > 0)
    dice = dice_loss(x, cover.to(x.dtype))
    return ClassLoss(entropy, (dice * there).sum() / there.sum().clamp(min=1))
