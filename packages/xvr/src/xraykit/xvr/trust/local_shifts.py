"""How far small parts of a DRR would have to move to fit the X-ray better, each by itself."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..refine.similarity import box_mean, sobel, standardised

PATCH, REACH = 15, 3  # px: side of a part, farthest shift
INSIDE = 0.99  # share of a part's pixels that must be compared


class LocalFit(NamedTuple):
    """What the parts say.

    Args:
        shift: Mean best shift [px], 0 to 4.3.
        gain: How much of the similarity that it lacks the median part gains by its best shift, 0 to 1: noise lacks much
            and gains little, a wrong place lacks less and gains more of it.
    """

    shift: float
    gain: float


NOTHING = LocalFit(float(REACH), 1.0)  # compared


def local_shifts(image: Tensor, drr: Tensor, valid: Tensor, known: Tensor | None = None) -> LocalFit:
    r"""How parts of the DRR fit where they are and where they would fit best.

    For every part of 15 x 15 pixels and every shift s of at most 3 pixels, c(s) is the cosine between the derivatives
    of the X-ray and those of the shifted DRR. In a right registration the best shift is none, whatever the noise; a
    wrong pose, and even more another patient's CT, leaves every part with a wish of its own. With k the share of the
    rays that the CT knows, m = k^2 averaged over the part, and s* = argmax c,

        shift = sum w |s*| / sum w,  gain = median_w (c(s*) - c(0)) / (1 - c(0)),      w = m max(c(s*), 0)^2

    Args:
        image: The X-ray, (H, W).
        drr: Line integrals at the pose found, (H, W).
        valid: Pixels compared, (H, W).
        known: k in 0 to 1, (H, W); None is 1 everywhere.

    Returns:
        The fit; shifts of 3 px that gain everything where there is nothing to compare.
    """
    side = min(PATCH, *image.shape)
    inside = box_mean(valid[None, None].to(image), side)[0, 0] > INSIDE
    if not bool(inside.any()):
        return NOTHING
    trust = torch.ones_like(image) if known is None else known.to(image).square()
    mass = box_mean(trust[None, None], side)[0, 0][inside]
    ours, theirs = (sobel(standardised(one, valid)[None, None], padding=1) for one in (image, drr))
    power = box_mean(ours.square(), side).sum(1)
    steps = range(-REACH, REACH + 1)
    offsets = [(down, right) for down in steps for right in steps]
    cosines = torch.stack([_cosine(ours, power, torch.roll(theirs, offset, (2, 3)), side) for offset in offsets])
    best, which = (one[inside] for one in cosines.max(dim=0))
    here = cosines[len(offsets) // 2][inside]
    weight = mass * best.clamp_min(0).square()
    total = float(weight.sum())
    if total <= 0:
        return NOTHING
    lengths = torch.tensor(offsets, dtype=image.dtype).norm(dim=-1)[which]
    return LocalFit(
        float((weight * lengths).sum()) / total,
        _weighted_median((best - here) / (1 - here).clamp_min(1e-3), weight),
    )


def _weighted_median(values: Tensor, mass: Tensor) -> float:
    order = values.argsort()
    reached = mass[order].cumsum(0)
    place = int((reached < reached[-1] / 2).sum())
    return float(values[order][min(place, len(values) - 1)])


def _cosine(ours: Tensor, power: Tensor, theirs: Tensor, side: int) -> Tensor:
    """Between two derivative images (1, 2, H, W) in every part, (H', W')."""
    product = box_mean(ours * theirs, side).sum(1)
    return (product / (power * box_mean(theirs.square(), side).sum(1)).clamp_min(1e-12).sqrt())[0]
