"""Table 1 of the paper: five modules on the same trunk, data, head, loss and number of samples, beside the priors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xraykit.render import InputError
from xraykit.render.evaluation import EvaluationReport, write_evaluation
from xraykit.render.extras import require
from xraykit.render.storage import make_folder, to_plain, write_atomically
from xraykit.render.training import completed_run

from ..matching import check, check_sources, matcher_config, train_matcher
from ..network.matcher_weights import load_matcher
from ..network.network_cost import matcher_cost
from ..train.ended_trainings import may_have_ended
from ..train.fixed_pairs import FixedPairs, Predict, prior_predictions
from ..train.settings import MatcherLengthSettings, MatcherNetworkSettings, MatcherSettings
from ..train.training_pairs import TrainingPairs, load_training_pairs
from .evaluation_folder import PLAN, has_begun, is_done, opened_evaluation, read_facts, write_facts
from .held_out_views import ROLLS, pick_test_pairs, turned_pairs
from .module_arms import MatcherArm, matcher_arms
from .pair_rows import BATCH, chosen_threshold, score_pairs, write_arm
from .settings import Table1Settings
from .table1_report import MEAN, table1_report
from .throughput import VALIDATIONS, ArmTime, common_steps, measure_arm, pairs_per_second
from .told import EvaluationTold


def evaluate_modules(
    settings: Table1Settings,
    *,
    report: EvaluationTold | None = None,
    say: Callable[[str], None] | None = None,
) -> EvaluationReport:
    """Train every row for the same number of batches, and leave rows, scores and a report in a folder.

    DIR/arms/NAME-seedN holds a training with rows.json and counts.npz of the test pairs; DIR/priors those of
    predictions without anatomy; DIR/mean.npy the mean true correspondence of training pairs. Scores and report.md come
    from the rows alone, so that a killed evaluation loses no finished row.

    Args:
        settings: See `Table1Settings`.
        report: Told of progress.
        say: Called with sentences: how long each row takes, how many batches all of them get.

    Raises:
        InputError: Settings outside their range, no patients in the split "test", or too few minutes for one batch.
        FileError: A data set that cannot be used, or nothing to resume.
        OutputError: The folder cannot be written, holds another evaluation, or is in use by another process.
        BackendUnavailableError: lightning or tensorboard is not installed.
    """
    begun = time.monotonic()
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-corr", what="table 1")
    settings = replace(settings, run=completed_run(settings.run))
    _check(settings)
    shared = matcher_config(_training(settings, None, 0, 1))
    arms = matcher_arms(shared, settings.rows.arms)
    with opened_evaluation(settings.run, settings, command="corr evaluate table1"):
        data = load_training_pairs(_training(settings, None, 0, 1), shared.grid, report=report, say=say)
        tested = pick_test_pairs(data, settings.rows.test_pairs)
        _score_priors(settings, data, tested)
        plan = _plan(settings, arms, data, tested, begun, say)
        turned = _turned(settings, data, tested)
        for arm in arms:
            for seed in range(settings.rows.repeats):
                folder = arm_folder(settings.run.output, arm.name, seed)
                if is_done(folder):
                    continue
                own = _training(settings, arm, seed, plan["steps"])
                own = replace(own, run=replace(own.run, resume=has_begun(folder)))
                started = time.monotonic()
                told = None if report is None else partial(_renamed, report, f"batches of {folder.name}")
                with may_have_ended():
                    done = train_matcher(own, report=told)
                facts = {"seconds": time.monotonic() - started, "batches": done.batches, "curve": list(done.rows)[-1:]}
                score_arm(folder, arm, own, (data.held_out, tested), turned, facts)
        found = table1_report(settings.run.output, settings)
        write_evaluation(settings.run.output, found, settings=to_plain(settings))
        return found


def arm_folder(output: Path, name: str, seed: int) -> Path:
    """Where a training lies."""
    return output / "arms" / f"{name}-seed{seed}"


def score_arm(
    folder: Path,
    arm: MatcherArm,
    settings: MatcherSettings,
    pairs: tuple[FixedPairs | None, FixedPairs],
    turned: Mapping[float, FixedPairs],
    facts: Mapping[str, Any],
) -> None:
    """Predict the test pairs with a finished training's weights, as they are and turned, and write the rows.

    Args:
        folder: Of the training.
        arm: Its row.
        settings: Of the training.
        pairs: For the choice of a threshold, and for the test.
        turned: Test pairs by the turn of the second view.
        facts: What else is known.
    """
    device = torch.device(settings.run.device)
    network = load_matcher(folder / "weights").to(device)

    def predict_of(held: FixedPairs) -> Predict:
        def predict(part: slice) -> torch.Tensor:
            with torch.inference_mode():
                return network(held.images[part].to(device)).probability[:, 0].clone()

        return predict

    chosen_on, tested = pairs
    threshold = 0.5 if chosen_on is None else chosen_threshold(predict_of(chosen_on), chosen_on)
    own = {"arm": arm.name, "seed": settings.run.seed, "threshold": threshold}
    for roll, held in turned.items():
        write_arm(make_folder(folder / f"roll{roll:g}"), score_pairs(predict_of(held), held, **own))
    speed = pairs_per_second(network, tested.images[:BATCH], device)
    more = {"match_pairs_per_s": speed, "cost": asdict(matcher_cost(network.config)), "threshold": threshold}
    write_facts(folder, {**facts, **more, "config": to_plain(network.config), "layers": arm.layers})
    write_arm(folder, score_pairs(predict_of(tested), tested, **own))


def _training(settings: Table1Settings, arm: MatcherArm | None, seed: int, steps: int) -> MatcherSettings:
    """The training of an arm; None is what all share."""
    shared, length, run = settings.network, settings.length, settings.run
    own = MatcherNetworkSettings(shared.variant, layers=shared.layers, dimension=shared.dimension)
    if arm is not None:
        own = replace(own, module=arm.module, layers=arm.layers)
        run = replace(run, output=arm_folder(run.output, arm.name, seed), seed=run.seed + seed)
    values = {name: getattr(length, name) for name in MatcherLengthSettings.__dataclass_fields__}
    every = length.validate_every or max(1, steps // VALIDATIONS)
    values |= {"steps": steps, "minutes": None, "validate_every": every}
    cache = settings.data.cache or settings.run.output / "pairs"
    return MatcherSettings(
        data=replace(settings.data, cache=cache),
        network=own,
        changes=settings.changes,
        objective=settings.objective,
        length=MatcherLengthSettings(**values),
        run=run,
    )


def _plan(
    settings: Table1Settings,
    arms: tuple[MatcherArm, ...],
    data: TrainingPairs,
    tested: FixedPairs,
    begun: float,
    say: Callable[[str], None] | None,
) -> dict[str, Any]:
    """How many batches each arm gets: what was planned before, what was asked for, or what the minutes allow."""
    output, length = settings.run.output, settings.length
    if (output / PLAN).is_file():
        return read_facts(output, PLAN)
    times: dict[str, ArmTime] = {}
    steps = length.steps
    if steps is None:
        for arm in arms:
            times[arm.name] = measure_arm(_training(settings, arm, 0, 1), data)
            if say is not None:
                say(f"{arm.name}: {times[arm.name].step:.3g} s a batch")
        held = 1 if data.held_out is None else len(data.held_out.truth)
        turns = len(ROLLS) * settings.rows.roll_pairs
        left = 60 * (length.minutes or 0) - (time.monotonic() - begun)
        share = (len(tested.truth) + turns) / held
        steps = common_steps(times, left, repeats=settings.rows.repeats, tested=share)
    if say is not None:
        say(f"every row learns from {steps} batches of {length.batch} pairs")
    plan = {"steps": steps, "minutes": length.minutes, "times": {name: asdict(t) for name, t in times.items()}}
    plan |= {"patients": len(data.patients), "density": data.density}
    write_facts(output, plan, PLAN)
    return plan


def _score_priors(settings: Table1Settings, data: TrainingPairs, tested: FixedPairs) -> None:
    """Rows of predictions that look at no anatomy."""
    output = settings.run.output
    write_atomically(output / MEAN, lambda file: np.save(file, data.mean.numpy()))
    held = data.held_out
    on_held = {} if held is None else prior_predictions(held, data.mean)
    for name, predict in prior_predictions(tested, data.mean).items():
        folder = output / "priors" / name
        if not is_done(folder):
            threshold = chosen_threshold(on_held[name], held) if name in on_held else 0.5
            write_arm(make_folder(folder), score_pairs(predict, tested, arm=name, threshold=threshold))


def _turned(settings: Table1Settings, data: TrainingPairs, tested: FixedPairs) -> dict[float, FixedPairs]:
    if settings.rows.roll_pairs == 0:
        return {}
    return {roll: turned_pairs(data, tested, roll, settings.rows.roll_pairs) for roll in ROLLS}


def _renamed(report: EvaluationTold, name: str, what: str, done: int, total: int) -> None:
    if what == "batches":
        report(name, done, total)


def _check(settings: Table1Settings) -> None:
    rows, length = settings.rows, settings.length
    if rows.repeats < 1 or rows.test_pairs < 1 or rows.roll_pairs < 0:
        came = f"{rows.repeats}, {rows.test_pairs} and {rows.roll_pairs}"
        raise InputError(f"--repeats and --test-pairs must be 1 or more and --roll-pairs 0 or more, got {came}.")
    if length.steps is None and not (length.minutes and length.minutes > 0):
        raise InputError(f"an evaluation needs --minutes above 0, or --steps, got {length.minutes} minutes.")
    if settings.objective.target == "thickness":
        raise InputError("rows are scored by their matches, got --target thickness, which teaches none; leave it out.")
    check(_training(settings, None, 0, length.steps or 1))
    check_sources(settings.data.sources)
