"""Intensities as 16-bit codes of their logarithm, so that all later steps of preprocessing are cheap."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .region import counted, median_and_deviation

DYNAMIC = 18.0  # e-folds below the brightest pixel that are told apart; preprocessing ends 15.95 below its clip
TOP = 65_534  # code of the darkest pixel; 65535 is beyond the exposed field
BEYOND = 65_535


class CodedFrame(NamedTuple):
    """One frame as codes: L = code * step = -ln(I / brightest)."""

    codes: NDArray[np.uint16]
    """(H, W); 65535 where the field is closed, with the L of the brightest pixel"""
    step: float
    median: float
    """Of I / brightest over the region that counts"""
    deviation: float
    scale: float
    """Pixels of the frame per pixel of the original"""


def reduced(intensity: Tensor, longest: int) -> Tensor:
    """An image (H, W) whose longest side is at most so many pixels: the mean intensity that falls on each of them.

    Smaller images stay as they are. Antialiased bilinear, which for whole factors is a triangle of twice the pixel.
    """
    height, width = intensity.shape
    factor = longest / max(height, width)
    if factor >= 1:
        return intensity
    size = [max(1, round(side * factor)) for side in (height, width)]
    return F.interpolate(intensity[None, None], size=size, mode="bilinear", antialias=True)[0, 0]


def encode(intensity: Tensor, field: Tensor | None, *, longest: int) -> CodedFrame:
    """The reduced image in codes, and the two numbers that the clip of `preprocess` follows from.

    Args:
        intensity: (H, W) float32, finite; what is not positive counts as the smallest positive intensity.
        field: Exposed field (H, W) bool, or None to count all.
        longest: See `reduced`.
    """
    image = reduced(intensity, longest)
    mask = None
    if field is not None:
        mask = reduced(field.float(), longest) >= 0.5
        mask = mask if bool(mask.any()) else None
    median, deviation = median_and_deviation(counted(image, mask))
    brightest = float(image.max())
    if not brightest > 0:
        image, brightest, median, deviation = torch.ones_like(image), 1.0, torch.zeros(()), torch.zeros(())
    positive = float(image.masked_fill(image <= 0, torch.inf).amin())
    floor = max(positive / brightest, math.exp(-DYNAMIC))
    lines = (image / brightest).clamp_min_(floor).log_().neg_()
    step = max(float(lines.max()), 1e-6) / TOP
    codes = (lines / step).round_().clamp_(0, TOP)
    if mask is not None:
        codes = codes.masked_fill(~mask, BEYOND)
    scale = max(image.shape) / max(intensity.shape)
    return CodedFrame(
        codes.numpy().astype(np.uint16), step, float(median) / brightest, float(deviation) / brightest, scale
    )
