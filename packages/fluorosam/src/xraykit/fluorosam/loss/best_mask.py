"""Of the three masks that answer a prompt only the best one learns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import InputError

from .mask_losses import dice_loss, focal_loss, mask_iou, quality_loss


@dataclass(frozen=True)
class BestMasks:
    """The losses of P prompts for each of B images.

    Args:
        mask: (B, P), weighted Dice and focal loss of the mask that does best.
        quality: (B, P), mean squared error of the expected intersection over union of all masks.
        best: (B, P), which mask does best.
        iou: (B, P, M), the real intersection over union of all masks, without gradient.
    """

    mask: Tensor
    quality: Tensor
    best: Tensor
    iou: Tensor


def best_mask_loss(
    logits: Tensor, quality: Tensor, truth: Tensor, *, dice_weight: float = 1.0, focal_weight: float = 20.0
) -> BestMasks:
    """min over M masks of dice_weight Dice + focal_weight focal, and the error of the expected quality of all.

    The minimum has the gradient of its mask alone, so the others are only looked at; that is most of the cost. Computed
    in float32, also under autocast.

    Args:
        logits: (B, P, M, H, W).
        quality: (B, P, M).
        truth: (B, P, H, W) bool.
        dice_weight: Of Dice.
        focal_weight: Of the focal loss.

    Raises:
        InputError: Shapes that differ.

    Source: Kirillov et al., ICCV 2023.
    """
    if logits.ndim != 5 or quality.shape != logits.shape[:3] or truth.shape != (*logits.shape[:2], *logits.shape[3:]):
        raise InputError(
            f"logits (B, P, M, H, W), quality (B, P, M) and truth (B, P, H, W) must go together, got "
            f"{tuple(logits.shape)}, {tuple(quality.shape)} and {tuple(truth.shape)}."
        )
    with torch.autocast(logits.device.type, enabled=False):
        seen = logits.detach()
        wide = truth[:, :, None].expand_as(seen)

        def loss(x: Tensor, t: Tensor) -> Tensor:
            return dice_weight * dice_loss(x, t) + focal_weight * focal_loss(x, t)

        with torch.no_grad():
            best, iou = loss(seen, wide).argmin(2), mask_iou(seen, wide)
        return BestMasks(loss(chosen_masks(logits, best), truth), quality_loss(quality, iou).mean(-1), best, iou)


def chosen_masks(logits: Tensor, which: Tensor) -> Tensor:
    """(B, P, H, W): of logits (B, P, M, H, W) the masks (B, P)."""
    index = which[:, :, None, None, None].expand(-1, -1, 1, *logits.shape[3:])
    return logits.gather(2, index)[:, :, 0]
