"""Dice, focal and quality losses of masks, one number a mask."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError


def dice_loss(logits: Tensor, truth: Tensor, *, smooth: float = 1.0) -> Tensor:
    r"""1 - (2 sum p t + s) / (sum p + sum t + s) with p = sigmoid(logits), for each mask.

    With an empty truth it goes to 0 as the prediction does: "not there" is a right answer.

    Args:
        logits: (..., H, W).
        truth: The same shape, bool or 0 to 1.
        smooth: s, in pixels, above 0.

    Returns:
        (...), 0 to 1, in float32 or wider.

    Raises:
        InputError: Shapes that differ.

    Source: Milletari et al., 3DV 2016.
    """
    x, t = _full(logits, truth)
    p = x.sigmoid().flatten(-2)
    t = t.flatten(-2)
    return 1 - (2 * (p * t).sum(-1) + smooth) / (p.sum(-1) + t.sum(-1) + smooth)


def focal_loss(logits: Tensor, truth: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    r"""Mean over pixels of -a (1 - q)^gamma ln q, q the probability of what is true, for each mask.

    a is alpha inside and 1 - alpha outside.

    Args:
        logits: (..., H, W).
        truth: The same shape, bool or 0 to 1.
        alpha: Weight of the inside, 0 to 1.
        gamma: How much pixels that are right already are left out, 0 or more.

    Returns:
        (...), 0 or more, in float32 or wider.

    Raises:
        InputError: Shapes that differ.

    Source: Lin et al., ICCV 2017.
    """
    x, t = _full(logits, truth)
    signed = x * (1 - 2 * t)  # the logit of being wrong
    wrong = F.softplus(signed)
    focus = signed.sigmoid()
    focus = focus.square() if gamma == 2 else focus**gamma
    weight = (1 - alpha) + (2 * alpha - 1) * t
    return (weight * focus * wrong).flatten(-2).mean(-1)


def mask_iou(logits: Tensor, truth: Tensor) -> Tensor:
    """Intersection over union (...) of logits > 0 (..., H, W) and a truth; 0 for an empty truth. No gradient.

    Raises:
        InputError: Shapes that differ.
    """
    if logits.shape != truth.shape:
        raise _differ(logits, truth)
    with torch.no_grad():
        inside, real = (logits > 0).flatten(-2), truth.bool().flatten(-2)
        both, one, other = (x.sum(-1, dtype=torch.float32) for x in (inside & real, inside, real))
        return both / (one + other - both).clamp(min=1)


def quality_loss(quality: Tensor, iou: Tensor) -> Tensor:
    """(quality - iou)^2, one number (...) a mask; the real intersection over union is a constant.

    Raises:
        InputError: Shapes that differ.
    """
    if quality.shape != iou.shape:
        raise _differ(quality, iou)
    return (quality.to(torch.promote_types(quality.dtype, torch.float32)) - iou.detach()).square()


def _full(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    if logits.shape != truth.shape or logits.ndim < 2:
        raise _differ(logits, truth)
    kind = torch.promote_types(logits.dtype, torch.float32)
    return logits.to(kind), truth.to(kind)


def _differ(one: Tensor, other: Tensor) -> InputError:
    return InputError(f"prediction and truth must have one shape, got {tuple(one.shape)} and {tuple(other.shape)}.")
