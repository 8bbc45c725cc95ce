"""Table 2 of the paper: a matcher on marked points of X-rays, as it is and fine-tuned, beside priors and local ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.evaluation import EvaluationReport, write_evaluation, write_rows
from xraykit.render.extras import require
from xraykit.render.storage import make_folder, to_plain
from xraykit.render.training import completed_run

from ..data.annotated_pairs import AnnotatedImages, AnnotatedPairs
from ..data.annotations import Annotations, read_annotations
from ..data.settings import XrayInputSettings
from ..finetuning import finetune_matcher, pairs_of_split
from ..network.matcher import MatchNetwork
from ..network.matcher_weights import load_matcher
from ..network.network_cost import matcher_cost
from ..train.ended_trainings import may_have_ended
from ..train.finetune_settings import FinetuneLengthSettings, FinetuneNetworkSettings, FinetuneSettings
from .annotated_priors import annotated_priors
from .entry_rows import EntryRow, PredictAnnotated, entry_rows
from .evaluation_folder import check_evaluation, has_begun, is_done, opened_evaluation, write_facts
from .local_matcher import LocalMatcher, local_matcher_is_missing
from .pair_rows import ROWS
from .settings import Table2Settings
from .table2_report import table2_report
from .throughput import pairs_per_second
from .told import EvaluationTold

SPLITS = ("val", "test")


@dataclass(frozen=True, eq=False)
class _Marked:
    """What is scored: pairs of a split by its name, and the patch grid."""

    pairs: Mapping[str, AnnotatedPairs]
    grid: int
    random_negatives: int

    def rows(self, predict: Mapping[str, PredictAnnotated], arm: str, seed: int = 0) -> list[EntryRow]:
        own = {"arm": arm, "seed": seed, "random_negatives": self.random_negatives}
        return [
            row
            for split, pairs in self.pairs.items()
            for row in entry_rows(predict[split], pairs, self.grid, split=split, **own)
        ]


def evaluate_annotated(
    settings: Table2Settings,
    *,
    report: EvaluationTold | None = None,
    say: Callable[[str], None] | None = None,
) -> EvaluationReport:
    """Score a matcher on the marked points of the split "test" before and after fine-tuning.

    DIR/arms/NAME-seedN has rows.json with a row for each known entry of validation and test samples. A fine-tuning
    that was killed goes on from its checkpoint, finished arms are left alone, and scores come from the rows alone.

    Args:
        settings: See `Table2Settings`.
        report: Told of progress.
        say: Called with sentences.

    Raises:
        InputError: Settings outside their range, or no samples in the split "train" or "test".
        FileError: Annotations, images or weights that cannot be used, or nothing to resume.
        OutputError: The folder cannot be written, holds another evaluation, or is in use by another process.
        BackendUnavailableError: lightning or tensorboard is not installed.
    """
    begun = time.monotonic()
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-corr", what="table 2")
    settings = replace(settings, run=completed_run(settings.run))
    if settings.rows.repeats < 1:
        raise InputError(f"--repeats must be 1 or more, got {settings.rows.repeats}.")
    check_evaluation(settings.run, settings)
    annotations, start = read_annotations(settings.data.annotations), load_matcher(settings.rows.start)
    images = None if report is None else partial(report, "images")
    held = {split: pairs_of_split(annotations, split, start, images, settings.reading) for split in ("train", *SPLITS)}
    for split in ("train", "test"):
        if held[split] is None:
            raise InputError(f'{settings.data.annotations} must have samples with points in "{split}", got none.')
    marked = {split: pairs for split in SPLITS if (pairs := held[split]) is not None}
    work = _Marked(marked, start.config.grid, settings.data.random_negatives)
    local, lacking = _local(settings)
    with opened_evaluation(settings.run, settings, command="corr evaluate table2"):
        output, device = settings.run.output, torch.device(settings.run.device)
        _score_network(arm_of(output, "zero_shot"), start.to(device), work, device, "zero_shot")
        for name, predict in annotated_priors(held["train"] or [], work.grid).items():
            _write(arm_of(output, name), lambda p=predict, n=name: work.rows(dict.fromkeys(work.pairs, p), n))
        if local is not None:
            _score_local(output, local, annotations, start, settings, work)
        _finetune(settings, work, device, begun, report)
        found = table2_report(output, lacking)
        write_evaluation(output, found, settings=to_plain(settings))
        if say is not None and lacking:
            say(lacking)
        return found


def arm_of(output: Path, name: str, seed: int = 0) -> Path:
    """Where an arm lies."""
    return output / "arms" / f"{name}-seed{seed}"


def _local(settings: Table2Settings) -> tuple[LocalMatcher | None, str]:
    """The local matcher, or why there is none."""
    file = settings.rows.aliked
    if file is None:
        return None, "There is no row of a local matcher: --aliked FILE names its weights."
    missing = local_matcher_is_missing()
    return (None, missing) if missing else (LocalMatcher(file, device=settings.run.device), "")


def _finetune(
    settings: Table2Settings,
    work: _Marked,
    device: torch.device,
    begun: float,
    report: EvaluationTold | None,
) -> None:
    """One fine-tuning after the other, each with an equal part of the time that is left."""
    for seed in range(settings.rows.repeats):
        folder = arm_of(settings.run.output, "finetuned", seed)
        if is_done(folder):
            continue
        minutes = settings.length.minutes
        if minutes is not None:
            left = minutes - (time.monotonic() - begun) / 60
            minutes = max(left / (settings.rows.repeats - seed), 0.01)
        own = _tuning(settings, folder, seed, minutes)
        told = None if report is None else partial(_renamed, report, folder.name)
        started = time.monotonic()
        with may_have_ended():
            done = finetune_matcher(own, report=told)
        network = load_matcher(done.runs[0].weights).to(device)
        facts = {"seconds": time.monotonic() - started, "batches": done.runs[0].batches}
        _score_network(folder, network, work, device, "finetuned", seed, facts)


def _tuning(settings: Table2Settings, folder: Path, seed: int, minutes: float | None) -> FinetuneSettings:
    values = {name: getattr(settings.length, name) for name in FinetuneLengthSettings.__dataclass_fields__}
    run = replace(settings.run, output=folder, seed=settings.run.seed + seed, resume=has_begun(folder))
    return FinetuneSettings(
        data=settings.data,
        reading=settings.reading,
        network=FinetuneNetworkSettings(settings.rows.start),
        changes=settings.changes,
        objective=settings.objective,
        length=FinetuneLengthSettings(**{**values, "minutes": minutes}),
        run=run,
    )


def _score_network(
    folder: Path,
    network: MatchNetwork,
    work: _Marked,
    device: torch.device,
    name: str,
    seed: int = 0,
    facts: Mapping[str, object] | None = None,
) -> None:
    def predict(_: int, pair: AnnotatedImages) -> Tensor:
        with torch.inference_mode():
            return network(pair.images[None].to(device)).probability[0, 0].clone()

    if is_done(folder):
        return
    network.eval()
    make_folder(folder)
    speed = pairs_per_second(network, next(iter(work.pairs.values()))[0].images[None], device)
    more = {"match_pairs_per_s": speed, "cost": asdict(matcher_cost(network.config))}
    write_facts(folder, {**(facts or {}), **more, "config": to_plain(network.config)})
    _write(folder, lambda: work.rows(dict.fromkeys(work.pairs, predict), name, seed))


def _score_local(
    output: Path,
    local: LocalMatcher,
    annotations: Annotations,
    start: MatchNetwork,
    settings: Table2Settings,
    work: _Marked,
) -> None:
    """Rows of the local matcher, which sees larger images of the same squares."""
    size = max(settings.rows.aliked_size // work.grid, 1) * work.grid
    inputs = replace(XrayInputSettings(**start.config.preprocess), size=size)
    names = ("aliked", "aliked_similarity")
    if all(is_done(arm_of(output, name)) for name in names):
        return
    matrices: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for split in work.pairs:
        samples = [sample for sample in annotations.split(split) if any(pair.points for pair in sample.pairs)]
        large = AnnotatedPairs(samples, annotations.folder, inputs, reading=settings.reading)
        matrices[split] = [local.matrices(pair.images, work.grid) for pair in large]
    for place, name in enumerate(names):
        predict = {split: partial(_stored, [both[place] for both in held]) for split, held in matrices.items()}
        _write(arm_of(output, name), lambda p=predict, n=name: work.rows(p, n))


def _stored(matrices: list[Tensor], number: int, _: AnnotatedImages) -> Tensor:
    return matrices[number]


def _write(folder: Path, make: Callable[[], list[EntryRow]]) -> None:
    """rows.json of an arm, unless it is there."""
    if not is_done(folder):
        write_rows(make_folder(folder) / ROWS, make())


def _renamed(report: EvaluationTold, name: str, what: str, done: int, total: int) -> None:
    if what.startswith("batches"):
        report(f"batches of {name}", done, total)
