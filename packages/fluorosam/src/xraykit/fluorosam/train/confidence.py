"""From the quality that a network expects to a confidence that comes true, and to "not visible"."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import torch
from torch import Tensor


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


def fit_calibration(quality: Tensor, iou: Tensor) -> Calibration:
    """The line with the least squared error; as it is where all qualities are alike.

    Args:
        quality: (N,), expected by the network.
        iou: (N,), real; 0 for what is absent.
    """
    x, y = quality.double(), iou.double()
    if len(x) < 2 or float(x.std()) < 1e-6:
        return Calibration()
    x0, y0 = x.mean(), y.mean()
    slope = max(float(((x - x0) * (y - y0)).sum() / (x - x0).square().sum()), 0.0)
    return Calibration(slope, float(y0) - slope * float(x0))


def fit_visible(line: Calibration, there: Tensor, absent: Tensor) -> Calibration:
    """The same with the threshold that makes the fewest mistakes about what is visible.

    Mistakes about what is there and about what is not count as shares of either kind, so that it does not matter how
    many there are; of equally good thresholds the one in the middle is taken. Without both kinds it is 0.

    Args:
        line: From quality to confidence.
        there: (N,), qualities of answers about what is there.
        absent: (M,), of those about what is not.
    """
    sure, nothing = line.confidence(there.double()), line.confidence(absent.double())
    if not len(sure) or not len(nothing):
        return replace(line, visible=0.0)
    levels = torch.cat([sure, nothing]).unique()
    tries = torch.cat([levels[:1], (levels[1:] + levels[:-1]) / 2])
    mistakes = (sure < tries[:, None]).double().mean(1) + (nothing >= tries[:, None]).double().mean(1)
    best = (mistakes <= mistakes.min() + 1e-9).nonzero()[:, 0]
    return replace(line, visible=float(tries[best[len(best) // 2]]))
