"""Numbers that change while a training goes on: rate, weight decay, momentum, temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import InputError

Shape = Literal["constant", "linear", "cosine"]


@dataclass(frozen=True)
class Schedule:
    """A number that goes from `start` to `end` and stays there.

    Args:
        start: At the beginning.
        end: At the end; None is `start`.
        shape: linear; cosine, which is level at both ends; constant is `start` always.
        until: Share of the training at which `end` is reached, above 0 to 1.

    Raises:
        InputError: An unknown shape or a share outside its range.
    """

    start: float
    end: float | None = None
    shape: Shape = "constant"
    until: float = 1.0

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape):
            raise InputError(f"shape must be one of {', '.join(get_args(Shape))}, got {self.shape!r}.")
        if not 0 < self.until <= 1:
            raise InputError(f"until is a share of the training and must lie above 0 and up to 1, got {self.until}.")

    def __call__(self, progress: float) -> float:
        """The number that is due when this share of the training is over, 0 to 1."""
        end = self.start if self.end is None else self.end
        share = min(max(progress / self.until, 0.0), 1.0)
        if self.shape == "constant":
            return self.start
        if self.shape == "cosine":
            return end + (self.start - end) * 0.5 * (1 + math.cos(math.pi * share))
        return self.start + (end - self.start) * share


def warmup_cosine(step: int, progress: float, *, warmup: int) -> float:
    r"""Share of the peak learning rate: min(1, (step + 1) / warmup) * (1 + cos(pi progress)) / 2.

    Args:
        step: Optimiser steps done.
        progress: Share of the training that is over, 0 to 1.
        warmup: Optimiser steps of the linear rise; 0 for none.
    """
    rise = min(1.0, (step + 1) / warmup) if warmup > 0 else 1.0
    return rise * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))
