"""Two classifiers on the same studies: is one better, or was it luck?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError
from xraykit.render.evaluation import auroc, mcnemar_test

from .study_rows import StudyRow

RESAMPLES = 2000  # so that the least p can bear an adjustment for two dozen arms


@dataclass(frozen=True)
class StudyComparison:
    """A classifier against a reference, both trained with several seeds.

    Args:
        difference: Mean over seeds of AUROC minus the mean of the reference's.
        low: Lower end of its 95 % interval, by a bootstrap that draws patients and keeps pairs together.
        high: Upper end.
        p: Two-sided, from the same bootstrap: that the difference has the other sign.
        mcnemar: P value of McNemar's exact test of right answers at one half, of the mean probability over seeds.
    """

    difference: float
    low: float
    high: float
    p: float
    mcnemar: float


def compare_studies(
    rows: Sequence[Sequence[StudyRow]], reference: Sequence[Sequence[StudyRow]], *, seed: int = 0
) -> StudyComparison:
    """Compare rows of the same studies, one list for each seed.

    The interval speaks of other patients, not of other trainings; how much these vary is the deviation over seeds.

    Raises:
        InputError: Other studies, or another order, or no rows.
    """
    first, second, label, patients = *_tables(rows, reference), *_about(rows)
    found = [
        _mean_area(first[:, chosen], label[chosen]) - _mean_area(second[:, chosen], label[chosen])
        for chosen in _draws(label, patients, seed)
    ]
    difference = _mean_area(first, label) - _mean_area(second, label)
    low, high = np.quantile(found, [0.025, 0.975]) if found else (-1.0, 1.0)
    below, above = float(np.mean(np.array(found) <= 0)), float(np.mean(np.array(found) >= 0))
    least = 1 / (len(found) + 1)
    right = [(table.mean(0) >= 0.5) == label for table in (first, second)]
    p = min(1.0, 2 * max(min(below, above), least / 2))
    return StudyComparison(difference, float(low), float(high), p, mcnemar_test(*right).p)


def mean_area_interval(rows: Sequence[Sequence[StudyRow]], *, seed: int = 0) -> tuple[float, float]:
    """95 % interval of the mean AUROC over seeds, by drawing patients.

    Raises:
        InputError: As `compare_studies`.
    """
    table = _tables(rows, rows)[0]
    label, patients = _about(rows)
    found = [_mean_area(table[:, chosen], label[chosen]) for chosen in _draws(label, patients, seed)]
    low, high = np.quantile(found, [0.025, 0.975]) if found else (0.0, 1.0)
    return float(low), float(high)


def _tables(
    rows: Sequence[Sequence[StudyRow]], reference: Sequence[Sequence[StudyRow]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities (seeds, N) of both."""
    if not rows or not reference or not rows[0]:
        raise InputError("a comparison needs rows of both classifiers, got none of one.")
    names = [(row.study, row.label) for row in rows[0]]
    for each in (*rows, *reference):
        if [(row.study, row.label) for row in each] != names:
            raise InputError("a comparison needs the same studies in the same order, got others; score both again.")
    tables = [np.array([[row.probability for row in each] for each in side]) for side in (rows, reference)]
    return tables[0], tables[1]


def _about(rows: Sequence[Sequence[StudyRow]]) -> tuple[NDArray[np.bool_], list[str]]:
    return np.array([row.label for row in rows[0]], dtype=bool), [row.patient for row in rows[0]]


def _draws(label: NDArray[np.bool_], patients: Sequence[str], seed: int) -> Iterator[list[int]]:
    """Places of the studies of patients drawn with replacement; draws of one label only are left out."""
    draws, names = np.random.default_rng(seed), sorted(set(patients))
    members = {name: [n for n, patient in enumerate(patients) if patient == name] for name in names}
    for _ in range(RESAMPLES):
        chosen = [n for pick in draws.integers(0, len(names), len(names)) for n in members[names[pick]]]
        if 0 < label[chosen].sum() < len(chosen):
            yield chosen


def _mean_area(table: NDArray[np.float64], label: NDArray[np.bool_]) -> float:
    return float(np.mean([auroc(row, label) for row in table]))
