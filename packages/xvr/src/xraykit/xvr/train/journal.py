"""What a training writes while it runs: curves, checkpoints, weights; and when it stops."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from xraykit.render import Volume
from xraykit.render.storage import write_atomically

from ..network.weights import save_network
from .module import PoseTraining
from .settings import CHECKPOINT, WEIGHTS, TrainSettings
from .validation import HeldOut, errors, inputs

if TYPE_CHECKING:
    import lightning as L

CURVE_JSON, CURVE_CSV = "curve.json", "curve.csv"
VALIDATIONS = 20
Row = dict[str, float]


class Journal:
    """Validates, saves and ends a training; `driver` tells it of Lightning's events.

    A row of the curve has the batch number, images and seconds so far, the rate, the mean training loss since the
    row before, and the quantiles of `errors` on the held-out views.

    Args:
        folder: For curve.json, curve.csv, last.ckpt and weights/.
        held_out: The views.
        grid: The CT that their poses refer to.
        settings: When; complete ones.
        report: Called with (batches done, batches in all) after each batch.
    """

    def __init__(
        self,
        folder: Path,
        held_out: HeldOut,
        grid: Volume,
        settings: TrainSettings,
        *,
        report: Callable[[int, int], None] | None = None,
    ) -> None:
        self.folder, self.held_out, self.grid = folder, held_out, grid
        self.settings, self.report = settings, report
        self.rows: list[Row] = []
        self._shown: torch.Tensor | None = None
        self._sums: dict[str, torch.Tensor] = {}
        self._count = 0
        self._stage = 0
        self._validating = self._saving = 1.0  # seconds

    def begin(self, trainer: L.Trainer, training: PoseTraining) -> None:
        """The row before the first batch."""
        if training.done == 0:
            self._validate(trainer, training)

    def after_batch(self, trainer: L.Trainer, training: PoseTraining) -> None:
        """Count the batch; validate, save and stop where that is due."""
        done = training.done
        for name, value in training.terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + value.detach()  # type: ignore[operator]
        self._count += 1
        training.progress = trainer.strategy.broadcast(training.course.progress(done))
        if self.report is not None and trainer.is_global_zero:
            self.report(done, training.course.total(done))
        over = training.progress >= 1
        if over:
            trainer.should_stop = True
        if done % self.settings.accumulate == 0 and not over:
            valid, saved = self._due(training)
            if valid:
                self._validate(trainer, training)
            if saved:
                self._save(trainer, training)

    def end(self, trainer: L.Trainer, training: PoseTraining) -> None:
        """The last row, the checkpoint and the weights."""
        self._validate(trainer, training)
        self._save(trainer, training)

    def state_dict(self) -> dict[str, Any]:
        """The rows so far and what the next one will average."""
        sums = {name: float(value) for name, value in self._sums.items()}
        return {"rows": self.rows, "stage": self._stage, "sums": sums, "count": self._count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with them."""
        self.rows, self._stage, self._count = state_dict["rows"], state_dict["stage"], state_dict["count"]
        self._sums = {name: torch.tensor(value, dtype=torch.float64) for name, value in state_dict["sums"].items()}

    def _due(self, training: PoseTraining) -> tuple[bool, bool]:
        """Whether to validate and whether to save after this batch."""
        s, done, stage = self.settings, training.done, int(training.progress * VALIDATIONS)
        valid = stage > self._stage if s.validate_every is None else done % s.validate_every == 0
        self._stage = max(stage, self._stage)
        return valid, valid if s.save_every is None else done % s.save_every == 0

    def _validate(self, trainer: L.Trainer, training: PoseTraining) -> None:
        begun = time.monotonic()
        if self._shown is None:
            self._shown = inputs(self.held_out, training.frame)
        found = errors(self.held_out, lambda shown: training.predict(shown, self.grid), self._shown)
        done = training.done
        row: Row = {
            "step": done,
            "images": done * (self.settings.batch or 0) * trainer.world_size,
            "seconds": round(training.course.elapsed, 3),
            "rate": float(trainer.optimizers[0].param_groups[0]["lr"]),
            **{f"train_{name}": float(value) / self._count for name, value in self._sums.items()},
            **{name: round(value, 4) for name, value in found.items()},
        }
        self._sums, self._count = {}, 0
        self.rows = [*(r for r in self.rows if r["step"] < done), row]
        if trainer.is_global_zero:
            write_curve(self.folder, self.rows)
            for logger in trainer.loggers:
                logger.log_metrics({name: value for name, value in row.items() if name != "step"}, step=done)
        self._validating = time.monotonic() - begun
        training.course.keep_back(self._validating + self._saving)

    def _save(self, trainer: L.Trainer, training: PoseTraining) -> None:
        begun = time.monotonic()
        trainer.save_checkpoint(self.folder / CHECKPOINT, weights_only=False)
        if trainer.is_global_zero:
            last = self.rows[-1] if self.rows else {}
            told = {"batches": training.done, "seconds": round(training.course.elapsed, 1), "errors": last}
            network = training.network
            save_network(network, self.folder / WEIGHTS, training={**network.provenance, **told})
        self._saving = time.monotonic() - begun
        training.course.keep_back(self._validating + self._saving)


def write_curve(folder: Path, rows: list[Row]) -> None:
    """curve.json and curve.csv, whole or not at all; a column that a row lacks is empty there."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = io.StringIO()
    writer = csv.DictWriter(table, columns)
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(folder / CURVE_CSV, lambda file: file.write(table.getvalue().encode()))
    write_atomically(folder / CURVE_JSON, lambda file: file.write((json.dumps(rows, indent=1) + "\n").encode()))
