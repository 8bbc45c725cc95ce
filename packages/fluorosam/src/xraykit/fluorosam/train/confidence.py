"""From the quality that a network expects to a confidence that comes true, and to "not visible"."""

from __future__ import annotations

import torch
from torch import Tensor

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Calibration:
    """confidence = clip(slope quality + offset, 0, 1), an estimate of the intersection over union.

    Args:
        slope: From 0 up.
        offset: Added.
        visible: Least confidence of an answer by words that is called visible, 0 to 1.
    """

    slope: float = 1.0
    offset: float = 0.0
    visible: float = 0.0

    def confidence(self, quality: Tensor) -> Tensor:
        """Of any shape."""
        return (self.slope * quality + self.offset).clamp(0, 1)

    def plain(self) -> dict[str, float]:
        """As it is saved with the weights."""
        return asdict(self)


def fit_calibration(quality: Tensor, iou: Tensor, absent: Tensor) -> Calibration:
    """The line with the least squared error, and the threshold with the fewest mistakes about what is visible.

    A mistake about a thing that is there and about one that is not count as shares of either kind, so that it does
    not matter how many there are; of equally good thresholds that in the middle is taken. An answer that misses what is
    there altogether (intersection over union under 0.1) counts as neither. Without both kinds the threshold is 0.

    Args:
        quality: (N,), expected by the network.
        iou: (N,), real; 0 for what is absent.
        absent: (N,) bool.
    """
    x, y = quality.double(), iou.double()
    if len(x) < 2 or float(x.std()) < 1e-6:
        return Calibration()
    x0, y0 = x.mean(), y.mean()
    slope = max(float(((x - x0) * (y - y0)).sum() / (x - x0).square().sum()), 0.0)
    line = Calibration(slope, float(y0) - slope * float(x0))
    sure = line.confidence(x)
    there, nothing = sure[~absent & (y >= 0.1)], sure[absent]
    if not len(there) or not len(nothing):
        return line
    levels = torch.cat([there, nothing]).unique()
    tries = torch.cat([levels[:1], (levels[1:] + levels[:-1]) / 2])
    mistakes = (there < tries[:, None]).double().mean(1) + (nothing >= tries[:, None]).double().mean(1)
    best = (mistakes <= mistakes.min() + 1e-9).nonzero()[:, 0]
    return Calibration(line.slope, line.offset, float(tries[best[len(best) // 2]]))
