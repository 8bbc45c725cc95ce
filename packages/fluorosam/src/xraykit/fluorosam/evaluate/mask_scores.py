"""How well two masks agree: overlap, and the distance of their borders."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError

_CHUNK = 1 << 22  # distances at once


class MaskOverlap(NamedTuple):
    """Intersection over union and Dice's coefficient, 0 to 1."""

    iou: float
    dice: float


class BorderDistance(NamedTuple):
    """Hausdorff distance, and the one that 95 % of the borders keep."""

    hausdorff: float
    hd95: float


def mask_overlap(predicted: Tensor, truth: Tensor) -> MaskOverlap:
    """IoU = |A and B| / |A or B| and Dice = 2 |A and B| / (|A| + |B|); both 1 where both masks are empty.

    Args:
        predicted: (H, W) bool.
        truth: (H, W) bool.

    Raises:
        InputError: Masks of different sizes, or other things than masks.
    """
    _check(predicted, truth)
    both, either = int((predicted & truth).sum()), int((predicted | truth).sum())
    if not either:
        return MaskOverlap(1.0, 1.0)
    return MaskOverlap(both / either, 2 * both / (both + either))


def border_distance(predicted: Tensor, truth: Tensor, *, spacing: tuple[float, float] = (1.0, 1.0)) -> BorderDistance:
    r"""Distances between the borders of two masks.

    A border is the pixels of a mask that have a neighbour (up, down, left, right) outside of it or outside the image.
    Hausdorff is the greatest distance from a pixel of one border to the other border; HD95 the greater of the two 95th
    percentiles (linear between order statistics). If one mask is empty both are the image's diagonal; 0 if both are.

    Args:
        predicted: (H, W) bool.
        truth: (H, W) bool.
        spacing: Of rows and columns; the result has its unit.

    Raises:
        InputError: Masks of different sizes, or other things than masks.

    Source: Maier-Hein et al., "Metrics reloaded", Nature Methods 2024.
    """
    _check(predicted, truth)
    if not bool(predicted.any()) or not bool(truth.any()):
        empty = not bool(predicted.any()) and not bool(truth.any())
        diagonal = 0.0 if empty else math.hypot(truth.shape[0] * spacing[0], truth.shape[1] * spacing[1])
        return BorderDistance(diagonal, diagonal)
    unit = torch.tensor(spacing, dtype=torch.float64, device=truth.device)
    a, b = (mask_border(mask).nonzero() * unit for mask in (predicted, truth))
    there, back = _nearest(a, b), _nearest(b, a)
    return BorderDistance(
        float(torch.maximum(there.max(), back.max())),
        float(torch.maximum(torch.quantile(there, 0.95), torch.quantile(back, 0.95))),
    )


def mask_border(mask: Tensor) -> Tensor:
    """The pixels of a mask (H, W) that touch its outside."""
    padded = F.pad(mask, (1, 1, 1, 1))
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def _nearest(points: Tensor, others: Tensor) -> Tensor:
    """The distance of each point to the nearest of the others."""
    step = max(1, _CHUNK // len(others))
    squares = []
    for part in points.split(step):
        y = part[:, :1] - others[:, 0]
        x = part[:, 1:] - others[:, 1]
        squares.append((y * y + x * x).amin(dim=1))
    return torch.cat(squares).sqrt()


def _check(predicted: Tensor, truth: Tensor) -> None:
    for mask in (predicted, truth):
        if mask.ndim != 2 or mask.dtype != torch.bool or mask.shape != truth.shape:
            came = f"{tuple(predicted.shape)} {predicted.dtype} and {tuple(truth.shape)} {truth.dtype}"
            raise InputError(f"two masks must be (H, W) bool of one size, got {came}.")
