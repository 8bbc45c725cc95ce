"""What a training writes while it runs: curve, checkpoints, weights; and when it stops."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from .checkpoint import CHECKPOINT, CHECKPOINT_PART, WEIGHTS
from .course import Course
from .curve import CurveRow, write_curve
from .inputs import TrainingInputs
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
        inputs: Written at the beginning and at each save.
    """

    def __init__(
        self,
        task: TrainingTask,
        run: RunSettings,
        length: LengthSettings,
        course: Course,
        *,
        report: Callable[[int, int], None] | None = None,
        inputs: TrainingInputs | None = None,
    ) -> None:
        self.inputs = TrainingInputs() if inputs is None else inputs
        self.task, self.folder, self.length, self.course, self.report = task, run.output, length, course, report
        self.rows: list[CurveRow] = []
        self.done, self.progress = 0, 0.0
        self._ended: list[float | None] | None = None  # the length that it had when it ended
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        self._stage = 0
        self._open: dict[str, Any] = {}  # rows and means, had the training not ended where it did
        self._validating = self._saving = 1.0  # seconds

    def begin(self, trainer: Any) -> None:
        """The row before the first batch; a training that is at its end already is not gone on with, and says so."""
        if self._is_over:
            trainer.should_stop = True
            if trainer.is_global_zero:
                self._warn(f"this training had ended after {self.done} batches; more --steps or --minutes would go on.")
            return
        self._ended = None
        self._keep_inputs(trainer)
        if self.done == 0:
            self._validate(trainer)
        elif self.course.progress(self.done) >= 1:
            trainer.should_stop = True

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
        if self.length.validate_every is None or self.done % self.length.validate_every:  # a longer one had no row here
            self._open = {"rows": self.rows, "sums": self._sums, "count": self._count}
        if self._count > 0 or not self.rows:
            self._validate(trainer)
        self._ended = self._length
        self._save(trainer)

    def state_dict(self) -> dict[str, Any]:
        """How far it is, the rows so far, and what the next one will average."""
        place = {"done": self.done, "progress": self.progress, "elapsed": self.course.elapsed, "ended": self._ended}
        averaged = {"rows": self.rows, "stage": self._stage, "sums": self._sums, "count": self._count}
        return {**place, **averaged, "length": self._length, "open": self._open}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there; towards another end than before, as far as that can be."""
        self.done, self.progress, self._ended = state["done"], state["progress"], state["ended"]
        self.course.resume_at(state["elapsed"])
        longer = state["length"] != self._length and not self._is_over
        averaged = {**state, **state["open"]} if longer and self._ended else state
        self.rows, self._stage = averaged["rows"], state["stage"]
        self._sums, self._count = dict(averaged["sums"]), averaged["count"]
        if longer:
            self.progress = self.course.progress(self.done)
            self._stage = int(self.progress * VALIDATIONS)
            self._warn(
                f"the {self.done} batches so far followed the schedules of a training of another length; one of this "
                "length from the start would have learned them at other rates."
            )

    @property
    def _length(self) -> list[float | None]:
        return [self.course.steps, self.course.seconds]

    @property
    def _is_over(self) -> bool:
        return self._ended is not None and (self._ended == self._length or self.course.progress(self.done) >= 1)

    def _warn(self, sentence: str) -> None:
        warnings.warn(f"{self.folder}: {sentence}", stacklevel=2)

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

    def _keep_inputs(self, trainer: Any) -> None:
        self.inputs.gather()
        if trainer.is_global_zero:
            self.inputs.write(self.folder)

    def _save(self, trainer: Any) -> None:
        begun = self.course.clock()
        self._keep_inputs(trainer)
        part = self.folder / CHECKPOINT_PART  # beside it, so that the one before stays until this one is whole
        trainer.save_checkpoint(part, weights_only=False)
        if trainer.is_global_zero:
            os.replace(part, self.folder / CHECKPOINT)
            last = self.rows[-1] if self.rows else {}
            so_far = {"batches": self.done, "seconds": round(self.course.elapsed, 1), "errors": last}
            self.task.save(self.folder / WEIGHTS, so_far)
        self._saving = self.course.clock() - begun
        self.course.keep_back(self._validating + self._saving)
