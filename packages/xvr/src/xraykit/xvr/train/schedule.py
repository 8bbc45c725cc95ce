"""How far a training is, and the learning rate that follows: warm-up in steps, cosine over steps or over the clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

LEAST_RESERVE = 2.0
"""Seconds kept back from a wall-clock budget for the last validation and the weights, if nothing is known yet."""


def rate_factor(step: int, progress: float, *, warmup: int) -> float:
    r"""Share of the peak learning rate: min(1, (step + 1) / warmup) * (1 + cos(pi progress)) / 2.

    Args:
        step: Optimiser steps done.
        progress: Share of the training that is over, 0 to 1.
        warmup: Optimiser steps of the linear rise; 0 for none.
    """
    rise = min(1.0, (step + 1) / warmup) if warmup > 0 else 1.0
    return rise * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))


class Course:
    """The course of a training: so many batches, or so much wall time.

    Args:
        steps: Batches in all; None without a limit.
        seconds: Wall time in all; None without a limit. Of two limits the one that is nearer counts.
        begun: Reading of `clock` when the training's time began.
        clock: Seconds.
    """

    def __init__(
        self,
        *,
        steps: int | None,
        seconds: float | None = None,
        begun: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.steps, self.seconds, self.clock = steps, seconds, clock
        self.begun = clock() if begun is None else begun
        self.reserve = LEAST_RESERVE

    @property
    def elapsed(self) -> float:
        """Seconds so far, those before an interruption included."""
        return self.clock() - self.begun

    def resume_at(self, elapsed: float) -> None:
        """Count as if so many seconds had gone before now."""
        self.begun = self.clock() - elapsed

    def keep_back(self, seconds: float) -> None:
        """Reserve what the last validation and saving have been seen to take, and half as much again."""
        self.reserve = max(LEAST_RESERVE, 1.5 * seconds)

    def progress(self, step: int) -> float:
        """Share that is over after `step` batches, 0 to 1."""
        by_steps = 0.0 if self.steps is None else step / self.steps
        by_time = 0.0 if self.seconds is None else self.elapsed / max(self.seconds - self.reserve, 1e-9)
        return min(1.0, max(by_steps, by_time))

    def total(self, step: int) -> int:
        """How many batches it will be, by the rate so far."""
        return max(step, round(step / max(self.progress(step), 1e-9))) if self.seconds else self.steps or step
