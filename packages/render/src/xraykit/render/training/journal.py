"""What a training writes while it runs: curve, checkpoints, weights; and when it stops."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from .course import Course
from .curve import CurveRow, write_curve
from .folder import CHECKPOINT, WEIGHTS
from .settings import LengthSettings, RunSettings
from .task import TrainingTask

VALIDATIONS = 20


class Journal:
    """Counts batches, validates, saves and ends a training; `fit` tells it of Lightning's events.

    A row of the curve has the batch number, images and seconds so far, the rate, the means of the training loss and its
    terms since the row before, and what `TrainingTask.validate` says.

    Args:
        task: What is trained.
        run: Where to write.
        length: When to validate and save.
        course: How far it is.
        report: Called with (batches done, batches in all) after each batch.
    """

    def __init__(
        self,
        task: TrainingTask,
        run: RunSettings,
        length: LengthSettings,
        course: Course,
        *,
        report: Callable[[int, int], None] | None = None,
    ) -> None:
        self.task, self.folder, self.length, self.course, self.report = task, run.output, length, course, report
        self.rows: list[CurveRow] = []
        self.done, self.progress = 0, 0.0
        self._ended: list[float | None] | None = None  # the length that it had when it ended
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        self._stage = 0
        self._validating = self._saving = 1.0  # seconds

    def begin(self, trainer: Any) -> None:
        """The row before the first batch; a training that ended at this length is not gone on with."""
        if self._is_over:
            trainer.should_stop = True
        elif self.done == 0:
            self._validate(trainer)

    def after_loss(self, terms: Mapping[str, Tensor]) -> None:
        """Count the batch and what its loss was made of."""
        self.done += 1
        self._count += 1
        for name, value in terms.items():
            self._sums[name] = self._sums[name] + value.detach() if name in self._sums else value.detach()

    def after_batch(self, trainer: Any) -> None:
        """Validate, save and stop where that is due."""
        self.progress = trainer.strategy.broadcast(self.course.progress(self.done))
        if self.report is not None and trainer.is_global_zero:
            self.report(self.done, self.course.total(self.done))
        over = self.progress >= 1
        if over:
            trainer.should_stop = True
        if self.done % self.length.accumulate == 0 and not over:
            valid, saved = self._due()
            if valid:
                self._validate(trainer)
                trainer.should_stop = bool(trainer.strategy.broadcast(self.task.is_done()))
            if saved:
                self._save(trainer)

    def end(self, trainer: Any) -> None:
        """The last row, unless the last batch has one, the checkpoint and the weights."""
        if self._is_over:
            return
        if self._count > 0 or not self.rows:
            self._validate(trainer)
        self._ended = self._length
        self._save(trainer)

    def state_dict(self) -> dict[str, Any]:
        """How far it is, the rows so far, and what the next one will average."""
        place = {"done": self.done, "progress": self.progress, "elapsed": self.course.elapsed, "ended": self._ended}
        return {**place, "rows": self.rows, "stage": self._stage, "sums": self._sums, "count": self._count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        self.done, self.progress, self._ended = state["done"], state["progress"], state.get("ended")
        self.course.resume_at(state["elapsed"])
        self.rows, self._stage = state["rows"], state["stage"]
        self._sums, self._count = dict(state["sums"]), state["count"]

    @property
    def _length(self) -> list[float | None]:
        return [self.course.steps, self.course.seconds]

    @property
    def _is_over(self) -> bool:
        return self._ended == self._length

    def _due(self) -> tuple[bool, bool]:
        """Whether to validate and whether to save after this batch."""
        every, done, stage = self.length, self.done, int(self.progress * VALIDATIONS)
        valid = stage > self._stage if every.validate_every is None else done % every.validate_every == 0
        self._stage = max(stage, self._stage)
        return valid, valid if every.save_every is None else done % every.save_every == 0

    def _validate(self, trainer: Any) -> None:
        begun = self.course.clock()
        found = self.task.validate()
        row: CurveRow = {
            "step": self.done,
            "images": self.done * (self.length.batch or 0) * trainer.world_size,
            "seconds": round(self.course.elapsed, 3),
            "rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
            **{f"train_{name}": float(value) / self._count for name, value in self._sums.items()},
            **{name: float(f"{value:.6g}") for name, value in found.items()},
        }
        self._sums, self._count = {}, 0
        self.rows = [*(r for r in self.rows if r["step"] < self.done), row]
        if trainer.is_global_zero:
            write_curve(self.folder, self.rows)
            for logger in trainer.loggers:
                logger.log_metrics({name: value for name, value in row.items() if name != "step"}, step=self.done)
        self._validating = self.course.clock() - begun
        self.course.keep_back(self._validating + self._saving)

    def _save(self, trainer: Any) -> None:
        begun = self.course.clock()
        part = self.folder / f".{CHECKPOINT}.part"  # beside it: Lightning's own temporary file may be on another disk
        trainer.save_checkpoint(part, weights_only=False)
        if trainer.is_global_zero:
            os.replace(part, self.folder / CHECKPOINT)
            last = self.rows[-1] if self.rows else {}
            so_far = {"batches": self.done, "seconds": round(self.course.elapsed, 1), "errors": last}
            self.task.save(self.folder / WEIGHTS, so_far)
        self._saving = self.course.clock() - begun
        self.course.keep_back(self._validating + self._saving)
