"""How far small parts of a DRR would have to move to fit the X-ray better, each by itself."""

from __future__ import annotations

import torch
from torch import Tensor

from ..refine.similarity import box_mean, sobel, standardised

PATCH, REACH = 15, 3  # px: side of a part, farthest shift
INSIDE = 0.99  # share of a part's pixels that must be compared


def local_shifts(image: Tensor, drr: Tensor, valid: Tensor) -> tuple[float, float]:
    r"""Mean best shift of parts of the DRR [px], and how much their similarity gains by it.

    For every part of 15 x 15 pixels and every shift s of at most 3 pixels, c(s) is the cosine between the derivatives
    of the X-ray and those of the shifted DRR. In a right registration the best shift is none, whatever the noise; a
    wrong pose, and even more another patient's CT, leaves every part with a wish of its own.

        shift = sum_parts w |s*| / sum_parts w,  gain = mean_parts (c(s*) - c(0)),   s* = argmax c, w = max(c(s*), 0)^2

    Args:
        image: The X-ray, (H, W).
        drr: Line integrals at the pose found, (H, W).
        valid: Pixels compared, (H, W).

    Returns:
        Shift in 0 to 4.3 px, and gain in 0 to 2; a shift of 3 px and no gain where there is nothing to compare.
    """
    side = min(PATCH, *image.shape)
    inside = box_mean(valid[None, None].to(image), side)[0, 0] > INSIDE
    if not bool(inside.any()):
        return float(REACH), 0.0
    ours, theirs = (sobel(standardised(one, valid)[None, None], padding=1) for one in (image, drr))
    power = box_mean(ours.square(), side).sum(1)
    steps = range(-REACH, REACH + 1)
    offsets = [(down, right) for down in steps for right in steps]
    cosines = torch.stack([_cosine(ours, power, torch.roll(theirs, offset, (2, 3)), side) for offset in offsets])
    best, which = cosines.max(dim=0)
    lengths = torch.tensor(offsets, dtype=image.dtype).norm(dim=-1)[which]
    weight = best.clamp_min(0).square()[inside]
    if not bool(weight.any()):
        return float(REACH), 0.0
    shift = (weight * lengths[inside]).sum() / weight.sum()
    return float(shift), float((best - cosines[len(offsets) // 2])[inside].mean())


def _cosine(ours: Tensor, power: Tensor, theirs: Tensor, side: int) -> Tensor:
    """Between two derivative images (1, 2, H, W) in every part, (H', W')."""
    product = box_mean(ours * theirs, side).sum(1)
    return (product / (power * box_mean(theirs.square(), side).sum(1)).clamp_min(1e-12).sqrt())[0]
