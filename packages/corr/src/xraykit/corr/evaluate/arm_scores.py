"""Scores of an arm from its rows, with intervals by patient, and the test of one arm against another."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np

from xraykit.render.evaluation import PairedTest, auroc, bootstrap_interval, paired_permutation_test

from ..scores.precision_recall import precision_of, recall_of
from .pair_rows import ArmRows, PairRow, pooled


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall at one threshold.

    Args:
        precision: Of all pairs pooled; 0 where nothing is found.
        recall: Likewise; NaN where nothing is to be found.
        precision_macro: Mean over pairs with a match.
        recall_macro: Likewise.
    """

    precision: float
    recall: float
    precision_macro: float
    recall_macro: float


@dataclass(frozen=True)
class ArmScores:
    """How an arm did on the related pairs of all its trainings.

    Args:
        pairs: How many.
        patients: Of how many patients.
        without_match: Pairs in which nothing corresponds; they have no average precision.
        ap_macro: Mean average precision of the pairs.
        ap_macro_interval: 95 %, by patient.
        ap_micro: Average precision of all entries pooled.
        ap_micro_error: How far it may be off, because scores are counted in bins.
        ap_micro_interval: 95 %, by patient.
        ap_seeds: `ap_macro` of each training.
        ap_authors: `ap_micro` where true correspondence from 0.2 on is positive.
        mse: Mean squared error over all entries.
        mse_interval: 95 %, by patient.
        at_half: Precision and recall at 0.5.
        at_chosen: At the threshold chosen on validation pairs.
        at_authors: At 0.2 of both.
        overlap_auroc: How well the overlap score tells related pairs from unrelated ones; NaN where there are none.
    """

    pairs: int
    patients: int
    without_match: int
    ap_macro: float
    ap_macro_interval: tuple[float, float]
    ap_micro: float
    ap_micro_error: float
    ap_micro_interval: tuple[float, float]
    ap_seeds: tuple[float, ...]
    ap_authors: float
    mse: float
    mse_interval: tuple[float, float]
    at_half: PrecisionRecall
    at_chosen: PrecisionRecall
    at_authors: PrecisionRecall
    overlap_auroc: float

    @property
    def deviation(self) -> float:
        """Of `ap_macro` between trainings; NaN of one."""
        return stdev(self.ap_seeds) if len(self.ap_seeds) > 1 else math.nan


def scores_of_arm(arm: ArmRows) -> ArmScores:
    """The scores of an arm, computed from its rows and counts alone."""
    numbers = [n for n, row in enumerate(arm.rows) if row.related]
    rows = [arm.rows[n] for n in numbers]
    counts = arm.counts[numbers]
    known = [row for row in rows if row.positives]
    seeds = {row.seed: [r.average_precision for r in known if r.seed == row.seed] for row in known}
    half = pooled(counts[:, 0]).average_precision()
    overlaps, related = [row.overlap for row in arm.rows], [row.related for row in arm.rows]
    return ArmScores(
        pairs=len({row.pair for row in rows}),
        patients=len({row.patient for row in rows}),
        without_match=len({row.pair for row in rows if not row.positives}),
        ap_macro=_mean([row.average_precision for row in known]),
        ap_macro_interval=_interval(known, lambda row: row.average_precision),
        ap_micro=half.value,
        ap_micro_error=half.error,
        ap_micro_interval=_pooled_interval(rows, counts[:, 0]),
        ap_seeds=tuple(_mean(values) for values in seeds.values()),
        ap_authors=pooled(counts[:, 1]).average_precision().value,
        mse=_mean([row.mse for row in rows]),
        mse_interval=_interval(rows, lambda row: row.mse),
        at_half=_precision_recall([row.found for row in rows]),
        at_chosen=_precision_recall([row.found_chosen for row in rows]),
        at_authors=_precision_recall([row.found_authors for row in rows]),
        overlap_auroc=auroc(overlaps, np.array(related)) if 0 < len(rows) < len(related) else math.nan,
    )


def patient_precisions(rows: Sequence[PairRow]) -> dict[str, float]:
    """Mean average precision of each patient's pairs, over all trainings."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.related and row.positives:
            found[row.patient].append(row.average_precision)
    return {patient: fmean(values) for patient, values in found.items()}


def patient_test(arm: ArmRows, reference: ArmRows) -> PairedTest:
    """The permutation test of two arms' average precisions, patient by patient.

    The unit is the patient, for pairs of one patient are no independent evidence; trainings are averaged first, so that
    it says nothing on how another training would have ended.
    """
    first, second = patient_precisions(arm.rows), patient_precisions(reference.rows)
    both = sorted(first.keys() & second.keys())
    return paired_permutation_test([first[p] for p in both], [second[p] for p in both])


def _precision_recall(found: Sequence[tuple[int, ...]]) -> PrecisionRecall:
    right, wrong, missed = (sum(each[n] for each in found) for n in range(3))
    known = [each for each in found if each[0] + each[2]]
    return PrecisionRecall(
        precision_of(right, wrong),
        recall_of(right, missed),
        _mean([precision_of(each[0], each[1]) for each in known]),
        _mean([recall_of(each[0], each[2]) for each in known]),
    )


def _interval(rows: Sequence[PairRow], value: Callable[[PairRow], float]) -> tuple[float, float]:
    if len({row.patient for row in rows}) < 2:
        return math.nan, math.nan
    return bootstrap_interval([value(row) for row in rows], groups=[row.patient for row in rows])


def _pooled_interval(rows: Sequence[PairRow], counts: np.ndarray) -> tuple[float, float]:
    """By drawing patients with the counts of all their pairs again."""
    patients = sorted({row.patient for row in rows})
    if len(patients) < 2:
        return math.nan, math.nan
    at = {patient: n for n, patient in enumerate(patients)}
    own = np.zeros((len(patients), *counts.shape[1:]), dtype=np.int64)
    np.add.at(own, [at[row.patient] for row in rows], counts)

    def precision(drawn: np.ndarray) -> float:
        value = pooled(own[drawn.astype(int)]).average_precision().value
        return value if math.isfinite(value) else 0.0

    return bootstrap_interval(np.arange(len(patients), dtype=float), precision, method="percentile", resamples=400)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan
