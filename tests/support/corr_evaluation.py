"""Evaluations that take seconds: views around balls of tissue with a split "test", and settings of a few batches.

python corr_evaluation.py OUT JOB [--kill N] [--resume]
"""

from __future__ import annotations

import argparse
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.corr_views import ball, write_views
from xraykit.corr.evaluate.settings import (
    Table1NetworkSettings,
    Table1RowSettings,
    Table1Settings,
    TableLengthSettings,
)
from xraykit.corr.evaluate.table1 import evaluate_modules
from xraykit.corr.train.settings import MatcherDataSettings
from xraykit.render.training import RunSettings


def write_split_job(folder: Path) -> Path:
    return write_views(folder / "job", {"train": 3, "val": 1, "test": 3}, tissue=marked_ball)


def marked_ball(number: int) -> NDArray[np.uint8]:
    """A ball of tissue with one more cell, so that no two patients are the same."""
    body = ball()
    body[0, 0, number] = 1
    return body


def quick_table1(out: Path, *sources: Path | str, **changes: Any) -> Table1Settings:
    """Two rows of three batches; `changes` are fields of the groups by their names."""
    settings = Table1Settings(
        data=MatcherDataSettings(tuple(map(str, sources)), size=32, held_out_pairs=4, prior_pairs=8, angles=(5, 175)),
        network=Table1NetworkSettings("mini", layers=1, dimension=24),
        rows=Table1RowSettings(arms=("none", "standard"), test_pairs=9, roll_pairs=2),
        length=TableLengthSettings(steps=3, minutes=None, batch=4, warmup=1, rate=3e-3),
        run=RunSettings(output=out, device="cpu", precision="32-true", workers=0),
    )
    groups = {name: replace(getattr(settings, name), **values) for name, values in changes.items()}
    return replace(settings, **groups)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("job", type=Path)
    parser.add_argument("--kill", default="")
    parser.add_argument("--resume", action="store_true")
    asked = parser.parse_args()

    def report(what: str, done: int, total: int) -> None:
        if f"{what} {done}" == asked.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    evaluate_modules(quick_table1(asked.out, asked.job, run={"resume": asked.resume}), report=report)


if __name__ == "__main__":
    main()
