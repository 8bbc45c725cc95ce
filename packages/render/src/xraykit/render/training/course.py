"""How far a training is: so many batches, or so much wall time."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST_RESERVE = 2.0
"""Seconds kept back from a wall-clock budget for the last validation and the weights, if nothing is known yet."""


class Course:
    """The course of a training.

    Args:
        steps: Batches in all; None without a limit.
        seconds: Wall time in all; None without a limit. Of two limits the one that is nearer counts.
        begun: Reading of `clock` when the training's time began; None is now.
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
