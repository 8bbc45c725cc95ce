"""Table 3 of the paper: classification of studies, the whole grid with its controls, in a given time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from xraykit.render import InputError
from xraykit.render.evaluation import EvaluationReport, write_evaluation
from xraykit.render.extras import require
from xraykit.render.storage import to_plain
from xraykit.render.training import completed_run

from ..classification import classify_studies
from ..train.classify_settings import ClassifyGridSettings, ClassifyLengthSettings, ClassifySettings
from .evaluation_folder import PLAN, opened_evaluation, read_facts, write_facts
from .settings import Table3Settings
from .table3_report import table3_report
from .throughput import SPARE
from .told import EvaluationTold

FEW, MORE = 2, 8
"""Batches of the measurements"""
VALIDATIONS = 16


def evaluate_classification(
    settings: Table3Settings,
    *,
    report: EvaluationTold | None = None,
    say: Callable[[str], None] | None = None,
) -> EvaluationReport:
    """Train the grid of `xraykit corr classify --grid` in a given time, and set cost and priors beside its scores.

    DIR/grid is the grid's folder, where a finished training's rows.json is kept. A training ends before its batches
    are over where validation studies do not get better; the number of batches is the same for all.

    Args:
        settings: See `Table3Settings`.
        report: Told of progress.
        say: Called with sentences.

    Raises:
        InputError: Settings outside their range, or too few minutes. FileError: Studies or weights that cannot be
            used, or nothing to resume. OutputError: The folder cannot be written, holds another evaluation, or is in
            use by another process.
        BackendUnavailableError: lightning or tensorboard is not installed.
    """
    begun = time.monotonic()
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-corr", what="table 3")
    settings = replace(settings, run=completed_run(settings.run))
    if settings.length.steps is None and not (settings.length.minutes and settings.length.minutes > 0):
        raise InputError(f"an evaluation needs --minutes above 0, or --steps, got {settings.length.minutes} minutes.")
    if settings.grid.seeds < 1:
        raise InputError(f"--seeds must be 1 or more, got {settings.grid.seeds}.")
    if not settings.data.studies.is_file():
        raise InputError(f"a study manifest was expected at {settings.data.studies}; `xraykit corr studies` makes one.")
    with opened_evaluation(settings.run, settings, command="corr evaluate table3"):
        output = settings.run.output
        steps = _steps(settings, begun, report)
        if say is not None:
            say(f"every arm learns from at most {steps} batches of {settings.length.batch} studies")
        done = classify_studies(_grid(settings, output / "grid", steps, settings.grid.seeds), report=report, say=say)
        found = table3_report(output / "grid", done.rows, settings, read_facts(output, PLAN))
        write_evaluation(output, found, settings=to_plain(settings))
        return found


def _steps(settings: Table3Settings, begun: float, report: EvaluationTold | None) -> int:
    """Batches of each training: as planned before, as asked for, or what the minutes allow.

    Three grids of one seed, of 2 and 8 batches with two validations and of 8 with nine, give the seconds of a batch of
    all arms, s, of a validation, v, and what there is besides, F: steps = (0.95 T / seeds - F - 17 v) / s.
    """
    output, length = settings.run.output, settings.length
    if (output / PLAN).is_file():
        return int(read_facts(output, PLAN)["steps"])
    facts = {}
    steps = length.steps
    if steps is None:
        few, more, often = (_seconds(settings, *each, report) for each in ((FEW, MORE), (MORE, MORE), (MORE, 1)))
        each, look = max(more - few, 1e-3) / (MORE - FEW), max(often - more, 0.0) / (MORE - 1)
        besides = max(few - FEW * each - 2 * look, 0.0) + (VALIDATIONS + 1) * look
        left = 60 * (length.minutes or 0) - (time.monotonic() - begun)
        steps = int((SPARE * left / settings.grid.seeds - besides) / each)
        if steps < 1:
            needed = settings.grid.seeds * (besides + each) / SPARE / 60
            raise InputError(
                f"--minutes must suffice for a batch of each arm after the measurements, got {left / 60:.1f} left of "
                f"them where {needed:.1f} are needed; give more, fewer --seeds, or fewer --arms."
            )
        facts = {"seconds_a_batch_of_all_arms": each, "seconds_a_validation": look, "seconds_besides": besides}
    write_facts(output, {"steps": steps, "minutes": length.minutes, **facts}, PLAN)
    return steps


def _seconds(settings: Table3Settings, batches: int, every: int, report: EvaluationTold | None) -> float:
    """Wall time of the grid with one seed, so many batches and a validation after so many; what it left is removed."""
    folder = settings.run.output / "measurement"
    shutil.rmtree(folder, ignore_errors=True)
    begun = time.monotonic()
    told = None if report is None else partial(report)
    length = replace(settings.length, validate_every=every)
    classify_studies(_grid(replace(settings, length=length), folder, batches, 1), report=told)
    seconds = time.monotonic() - begun
    shutil.rmtree(folder)
    return seconds


def _grid(settings: Table3Settings, folder: Path, steps: int, seeds: int) -> ClassifySettings:
    values = {name: getattr(settings.length, name) for name in ClassifyLengthSettings.__dataclass_fields__}
    every = settings.length.validate_every or max(1, steps // VALIDATIONS)
    grid = settings.grid
    return ClassifySettings(
        data=settings.data,
        network=settings.network,
        changes=settings.changes,
        objective=settings.objective,
        length=ClassifyLengthSettings(**{**values, "steps": steps, "minutes": None, "validate_every": every}),
        grid=ClassifyGridSettings(grid=True, seeds=seeds, arms=grid.arms, reference=grid.reference),
        run=replace(settings.run, output=folder, resume=False),
    )
