"""Fine-tuning on annotated pairs, as often as asked: settings in; weights, rows and a report in a folder out."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean, stdev

import torch

from xraykit.render import InputError
from xraykit.render.commands import LeftOut
from xraykit.render.evaluation import markdown_table
from xraykit.render.extras import require
from xraykit.render.storage import finite_or_none, write_atomically
from xraykit.render.training import (
    TrainingInputs,
    TrainingRun,
    check_folder,
    completed_run,
    fit,
    is_follower,
    prepare_folder,
)

from .data.annotated_pairs import AnnotatedPairs
from .data.annotations import Annotations, read_annotations
from .data.marked_entries import AnnotationTargets
from .data.settings import XrayInputSettings
from .data.xray_reading import XrayReading
from .network.matcher import MatchNetwork
from .network.matcher_weights import load_matcher
from .scores.annotated_scores import AnnotatedRow, AnnotatedScores, annotated_interval, annotated_scores
from .train.finetune_settings import FinetuneSettings
from .train.finetune_task import FinetuneTask, predict_annotated

FinetuneTold = Callable[[str, int, int], None]
"""Called with what is being done ("images", "batches"), how much of it is done, and how much there is."""


@dataclass(frozen=True)
class FinetuneResult:
    """What fine-tuning has come to.

    Args:
        folder: Where everything lies.
        runs: One for each seed.
        before: Scores of the test samples before; None without a split "test".
        after: Scores of each run.
        left_out: (name, sentence) of each X-ray that could not be used.
    """

    folder: Path
    runs: tuple[TrainingRun, ...]
    before: AnnotatedScores | None
    after: tuple[AnnotatedScores, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def finetune_matcher(
    settings: FinetuneSettings,
    *,
    report: FinetuneTold | None = None,
    say: Callable[[str], None] | None = None,
) -> FinetuneResult:
    """Go on from a matcher with marked points, and leave weights, curves and scores in a folder.

    With several repeats, each has a folder `seed0`, `seed1`, ... of its own. `scores.json` and `scores.md` hold the
    scores of the test samples before and after, with an interval by patient. X-rays that cannot be used are left out
    with their pairs.

    Args:
        settings: See `FinetuneSettings`.
        report: Told of progress.
        say: Called with sentences: what is assumed, points that are not shown, contradictions, a missing split.

    Raises:
        InputError: Settings outside their range, or no training samples.
        BackendUnavailableError: lightning or tensorboard is not installed.
        FileError: Annotations or weights that cannot be used, or all images of a split.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite.
    """
    begun = time.monotonic()
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-corr", what="fine-tuning")
    _check(settings)
    settings = replace(settings, run=completed_run(settings.run))
    check_folder(_repeat(settings, 0).run)
    annotations = read_annotations(settings.data.annotations)
    start = load_matcher(settings.network.start)
    if start.trained_on.get("target") == "thickness":
        raise InputError("--start must be a matcher that learned correspondence, got one that learned thickness.")
    images = None if report is None else partial(report, "images")
    reading, left_out = settings.reading, LeftOut()
    parts = {
        name: pairs_of_split(annotations, name, start, images, reading, left_out) for name in ("train", "val", "test")
    }
    learned, watched, tested = parts["train"], parts["val"], parts["test"]
    if learned is None:
        raise InputError(f'{settings.data.annotations} must have samples with points in the split "train", got none.')
    settings, grid = _fitting(settings, len(learned)), start.config.grid
    _tell(parts, grid, say)
    for name, pairs in (("train", learned), ("val", watched), ("test", tested)):
        if pairs is not None and not any(_positives(pair.targets(grid, dilate=False)) for pair in pairs):
            raise InputError(
                f'the split "{name}" of {settings.data.annotations} must have a match that the network sees, got '
                f"{len(pairs)} pairs of X-rays without one; mark some, or move these samples to another split."
            )
    runs, rows = [], []
    device = torch.device(settings.run.device)
    negatives = settings.data.random_negatives
    before = None
    if tested is not None:
        before = predict_annotated(start, tested, grid, torch.device("cpu"), random_negatives=negatives)
    for number in range(settings.repeats):
        own = _repeat(settings, number)
        prepare_folder(own.run, own, command="corr finetune", distribution="xraykit-corr")
        network = load_matcher(settings.network.start).train()
        if network.overlap_head is not None:
            network.overlap_head.requires_grad_(False)  # marked points do not speak of it
        if own.run.compile:
            network.compile()
        task = FinetuneTask(network, own, learned, watched, grid=grid)
        batches = None if report is None else partial(report, f"batches of seed {own.run.seed}")
        told = {"report": batches, "begun": begun if number == 0 else None}
        runs.append(fit(task, own.run, own.length, inputs=_inputs(parts, left_out), **told))
        if tested is not None:
            network.load_state_dict(task.best_state)
            network.to(device)
            rows.append(predict_annotated(network, tested, grid, device, random_negatives=negatives))
    if not is_follower():
        _write_scores(settings.run.output, before, rows)
    scored = None if before is None else annotated_scores(before)
    after = tuple(annotated_scores(each) for each in rows)
    return FinetuneResult(settings.run.output, tuple(runs), scored, after, left_out.once)


def _fitting(settings: FinetuneSettings, pairs: int) -> FinetuneSettings:
    """With a batch that so many pairs fill on every device."""
    length, devices = settings.length, settings.run.devices * settings.run.nodes
    return replace(settings, length=replace(length, batch=min(length.batch or 1, max(pairs // devices, 1))))


def _repeat(settings: FinetuneSettings, number: int) -> FinetuneSettings:
    run = settings.run
    output = run.output if settings.repeats == 1 else run.output / f"seed{number}"
    return replace(settings, repeats=1, run=replace(run, output=output, seed=run.seed + number))


def pairs_of_split(
    annotations: Annotations,
    split: str,
    start: MatchNetwork,
    report: Callable[[int, int], None] | None,
    reading: XrayReading,
    left_out: LeftOut | None = None,
) -> AnnotatedPairs | None:
    """The pairs with points of a split, as the matcher takes them; None where there is none."""
    samples = [sample for sample in annotations.split(split) if any(pair.points for pair in sample.pairs)]
    if not samples:
        return None
    inputs = replace(XrayInputSettings(**start.config.preprocess), size=start.config.image_size)
    return AnnotatedPairs(samples, annotations.folder, inputs, reading=reading, report=report, left_out=left_out)


def _inputs(parts: dict[str, AnnotatedPairs | None], left_out: LeftOut) -> TrainingInputs:
    inputs = TrainingInputs()
    for pairs in parts.values():
        for note, files in ({} if pairs is None else pairs.assumed).items():
            inputs.note(note, files)
    inputs.leave_out(left_out.found)
    return inputs


def _tell(parts: dict[str, AnnotatedPairs | None], grid: int, say: Callable[[str], None] | None) -> None:
    if say is None:
        return
    for line in _inputs(parts, LeftOut()).lines:
        say(line)
    for name, pairs in parts.items():
        if pairs is None:
            if name != "train":
                what = "stops at the end of its steps" if name == "val" else "is not scored"
                say(f'no sample is in the split "{name}": the training {what}.')
            continue
        targets = [pair.targets(grid, dilate=False) for pair in pairs]
        outside, contradicted = (sum(getattr(t, key) for t in targets) for key in ("outside", "contradicted"))
        positives = sum(map(_positives, targets))
        say(f"{name}: {len(pairs)} pairs of {len(set(pairs.patients))} patients, {positives} positive patch pairs.")
        if outside:
            say(f"{name}: {outside} points lie outside of what the network sees, and are left out.")
        if contradicted:
            say(f"{name}: {contradicted} negative points lie in patches that are positive as well; positive wins.")


def _positives(targets: AnnotationTargets) -> int:
    """How many pairs of patches match."""
    return int((targets.values >= 0.5).sum())


def _write_scores(folder: Path, before: list[AnnotatedRow] | None, after: list[list[AnnotatedRow]]) -> None:
    """scores.json and scores.md of the test samples."""
    if before is None:
        return
    named = {"before": before} | {f"seed {number}": rows for number, rows in enumerate(after)}
    entries = {}
    for name, rows in named.items():
        several = len({row.patient for row in rows}) > 1
        low, high = annotated_interval(rows) if several else (math.nan, math.nan)
        entries[name] = asdict(annotated_scores(rows)) | {"ap_low": low, "ap_high": high}
    text = json.dumps(finite_or_none(entries), indent=1) + "\n"
    write_atomically(folder / "scores.json", lambda file: file.write(text.encode()))
    lines = [["", "AP", "95 %", "precision", "recall", "MSE"]]
    for name, entry in entries.items():
        interval = f"{100 * entry['ap_low']:.1f} to {100 * entry['ap_high']:.1f}"
        shares = [f"{100 * entry[key]:.1f}" for key in ("ap", "precision", "recall")]
        lines.append([name, shares[0], interval, *shares[1:], f"{entry['mse']:.4f}"])
    aps = [entries[name]["ap"] for name in entries if name != "before"]
    if len(aps) > 1:
        lines.append(["mean and deviation", f"{100 * fmean(aps):.1f} +- {100 * stdev(aps):.1f}", "", "", "", ""])
    first = entries["before"]
    head = f"Test samples: {first['positives']} positive entries, {first['negatives']} negative ones; guessing has AP "
    page = f"{head}{100 * first['chance']:.1f} %.\n\n{markdown_table(lines[0], lines[1:])}\n"
    write_atomically(folder / "scores.md", lambda file: file.write(page.encode()))


def _check(settings: FinetuneSettings) -> None:
    own = settings.objective
    if settings.repeats < 1 or own.patience < 1 or settings.data.random_negatives < 0:
        came = f"{settings.repeats}, {own.patience} and {settings.data.random_negatives}"
        raise InputError(f"--repeats and --patience must be 1 or more and --random-negatives 0 or more, got {came}.")
    if own.keep < 0 or own.weight_decay < 0:
        raise InputError(f"--keep and --weight-decay must be 0 or more, got {own.keep} and {own.weight_decay}.")
