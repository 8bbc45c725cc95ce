"""From the quality that a network expects to a confidence that comes true, and to "not visible"."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ..predictor.calibrated_confidence import ConfidenceMap

MISSED = 2.0
"""What it costs to hide an answer about what is there, against showing one about what is not: a mask with a low
confidence can be looked at and refused, one that is not shown cannot."""


def fit_calibration(quality: Tensor, iou: Tensor) -> ConfidenceMap:
    """The line with the least squared error; as it is where all qualities are alike.

    Args:
        quality: (N,), expected by the network.
        iou: (N,), real; 0 for what is absent.
    """
    x, y = quality.double(), iou.double()
    if len(x) < 2 or float(x.std()) < 1e-6:
        return ConfidenceMap()
    x0, y0 = x.mean(), y.mean()
    slope = max(float(((x - x0) * (y - y0)).sum() / (x - x0).square().sum()), 0.0)
    return ConfidenceMap(slope, float(y0) - slope * float(x0))


def fit_visible(line: ConfidenceMap, there: Tensor, absent: Tensor) -> ConfidenceMap:
    """The same with the threshold that makes the least costly mistakes about what is visible.

    Mistakes about what is there and about what is not count as shares of either kind, so that it does not matter how
    many there are, the former `MISSED` times; of equally good thresholds the one in the middle is taken. Without both
    kinds it is 0.

    Args:
        line: From quality to confidence.
        there: (N,), qualities of answers about what is there.
        absent: (M,), of those about what is not.
    """
    return replace(line, visible=_least(line(there.double()), line(absent.double())))


def fit_presence(line: ConfidenceMap, there: Tensor, absent: Tensor) -> ConfidenceMap:
    """The same for the probabilities of a network that tells what is visible; as it is for one that does not.

    Args:
        line: Gets the threshold.
        there: (N,), probabilities of what is there, NaN of a network without.
        absent: (M,), of what is not.
    """
    told = torch.cat([there, absent])
    return line if bool(told.isnan().any()) else replace(line, presence=_least(there.double(), absent.double()))


def _least(sure: Tensor, nothing: Tensor) -> float:
    if not len(sure) or not len(nothing):
        return 0.0
    levels = torch.cat([sure, nothing]).unique()
    tries = torch.cat([levels[:1], (levels[1:] + levels[:-1]) / 2])
    mistakes = MISSED * (sure < tries[:, None]).double().mean(1) + (nothing >= tries[:, None]).double().mean(1)
    best = (mistakes <= mistakes.min() + 1e-9).nonzero()[:, 0]
    return float(tries[best[len(best) // 2]])
