"""One row for each known entry of each annotated pair and arm, and an arm's scores from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from ..data.annotated_pairs import AnnotatedImages, AnnotatedPairs, with_random_negatives
from ..scores.annotated_scores import AnnotatedRow, AnnotatedScores, annotated_scores, drawn_interval
from ..scores.histogram import ScoreHistogram

PredictAnnotated = Callable[[int, AnnotatedImages], Tensor]
"""(L, L) for a numbered pair."""


@dataclass(frozen=True)
class EntryRow:
    """What one arm said of one pair of patches."""

    arm: str
    seed: int
    split: str
    sample: str
    patient: str
    first: int
    """Patch of the first view"""
    second: int
    positive: bool
    drawn: bool
    """Taken for negative at random, marked by nobody"""
    predicted: float


def entry_rows(
    predict: PredictAnnotated,
    pairs: AnnotatedPairs,
    grid: int,
    *,
    arm: str,
    split: str,
    seed: int = 0,
    random_negatives: int = 0,
) -> list[EntryRow]:
    """The rows of a split; random negatives are the same for every arm, and those of `predict_annotated`."""
    rows = []
    for number, pair in enumerate(pairs):
        marked = pair.targets(grid, dilate=False)
        rng = np.random.default_rng([number, 1])
        targets = with_random_negatives(marked, grid=grid, count=random_negatives, rng=rng)
        predicted = predict(number, pair).float().cpu()
        for n, (first, second) in enumerate(targets.entries.tolist()):
            value = float(predicted[first, second])
            about = (arm, seed, split, pair.sample, pair.patient, first, second)
            rows.append(EntryRow(*about, bool(targets.values[n] >= 0.5), n >= len(marked.values), value))
    return rows


def best_entry_threshold(rows: Sequence[EntryRow]) -> float:
    """The threshold with the best F1 on the rows of a split, 0.5 without a positive one."""
    histogram = ScoreHistogram()
    if rows:
        scores = torch.tensor([row.predicted for row in rows]).clamp(0, 1)
        histogram.add(scores, torch.tensor([row.positive for row in rows]))
    return histogram.best_threshold()


def annotated(rows: Sequence[EntryRow]) -> list[AnnotatedRow]:
    """The rows by sample, as `annotated_scores` takes them."""
    samples: dict[tuple[int, str], list[EntryRow]] = {}
    for row in rows:
        samples.setdefault((row.seed, row.sample), []).append(row)
    return [
        AnnotatedRow(
            each[0].sample,
            each[0].patient,
            np.array([row.predicted for row in each], dtype=np.float32),
            np.array([row.positive for row in each], dtype=np.float32),
        )
        for each in samples.values()
    ]


def entry_scores(rows: Sequence[EntryRow], *, threshold: float) -> AnnotatedScores:
    """Pooled scores of rows."""
    return annotated_scores(annotated(rows), threshold=threshold)


def difference_interval(rows: Sequence[EntryRow], others: Sequence[EntryRow]) -> tuple[float, float]:
    """95 % interval of AP(rows) - AP(others), each the mean over its seeds, by drawing patients for both arms alike.

    Raises:
        InputError: Fewer than two patients, or none with a positive entry.
    """
    patients = sorted({row.patient for row in rows})
    arms = []
    for each in (rows, others):
        parts: dict[int, dict[str, list[EntryRow]]] = {}
        for row in each:
            parts.setdefault(row.seed, {}).setdefault(row.patient, []).append(row)
        arms.append([{name: annotated(found) for name, found in seed.items()} for seed in parts.values()])

    def difference(chosen: Sequence[str]) -> float:
        first, second = (
            fmean(annotated_scores([row for name in chosen for row in seed[name]]).ap for seed in arm) for arm in arms
        )
        return first - second

    return drawn_interval(patients, difference, resamples=400)
