"""Scores over the entries that people marked: the others are unknown and count for nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from xraykit.render import InputError

from .precision_recall import counts_above, pair_average_precision, precision_of, recall_of


@dataclass(frozen=True, eq=False)
class AnnotatedRow:
    """Predictions for the marked entries of one pair of views."""

    sample: str
    patient: str
    predicted: NDArray[np.float32]
    """(N,) 0 to 1"""
    values: NDArray[np.float32]
    """(N,) 1 for a match, 0 for none"""


@dataclass(frozen=True)
class AnnotatedScores:
    """Scores of all marked entries, pooled.

    Args:
        positives: Entries that match.
        negatives: Entries that do not.
        chance: Share of positives: the average precision of guessing.
        ap: Average precision; NaN without positives.
        precision: At the threshold; 0 where nothing is found.
        recall: NaN without positives.
        mse: Mean squared error.
    """

    positives: int
    negatives: int
    chance: float
    ap: float
    precision: float
    recall: float
    mse: float


def annotated_scores(rows: Sequence[AnnotatedRow], *, threshold: float = 0.5) -> AnnotatedScores:
    """Pooled scores of the marked entries.

    Raises:
        InputError: There are none.
    """
    if not rows:
        raise InputError("scores need at least one annotated pair of views, got none.")
    predicted = torch.from_numpy(np.concatenate([row.predicted for row in rows]))[None]
    values = torch.from_numpy(np.concatenate([row.values for row in rows]))[None]
    positive = values >= 0.5
    right, wrong, missed = counts_above(predicted, positive, threshold)[0].tolist()
    count = values.numel()
    return AnnotatedScores(
        positives=right + missed,
        negatives=count - right - missed,
        chance=(right + missed) / max(count, 1),
        ap=float(pair_average_precision(predicted, positive)),
        precision=precision_of(right, wrong),
        recall=recall_of(right, missed),
        mse=float((predicted - values).square().mean()) if count else math.nan,
    )


def annotated_interval(rows: Sequence[AnnotatedRow], *, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the pooled average precision, by drawing patients with all their entries again.

    Entries of one X-ray are no independent evidence, so it is patients that are drawn. Draws without a positive entry
    are left out.

    Raises:
        InputError: Fewer than two patients.
    """
    of: dict[str, list[AnnotatedRow]] = {}
    for row in rows:
        of.setdefault(row.patient, []).append(row)
    return drawn_interval(
        sorted(of), lambda drawn: annotated_scores([row for name in drawn for row in of[name]]).ap, seed=seed
    )


def drawn_interval(
    patients: Sequence[str], score: Callable[[Sequence[str]], float], *, resamples: int = 500, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of a score of patients, by drawing them with replacement; draws without a score are left out.

    Raises:
        InputError: Fewer than two patients, or no finite score.
    """
    if len(patients) < 2:
        raise InputError(f"an interval needs two patients or more, got {len(patients)}.")
    rng = np.random.default_rng(seed)
    draws = (rng.integers(0, len(patients), len(patients)) for _ in range(resamples))
    found = [value for drawn in draws if math.isfinite(value := score([patients[int(n)] for n in drawn]))]
    if not found:
        raise InputError("an interval needs a positive entry, got none.")
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
