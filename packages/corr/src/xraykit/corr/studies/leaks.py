"""Whether something that is no sign of a fracture tells which studies are positive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xraykit.render.evaluation import auroc, bootstrap_interval, fit_logistic

FOLDS, COMPONENTS, RESAMPLES = 5, 8, 500


@dataclass(frozen=True, eq=False)
class StudyFacts:
    """What is known of a study beside its X-rays."""

    name: str
    label: int
    region: str
    decoy: bool
    """Whether one of its views has a line that is no fracture"""
    bytes: tuple[float, ...]
    """Sizes of its files"""
    grey: tuple[float, ...]
    """Mean line integral of each view"""
    field: tuple[float, ...]
    """Width of what each view shows, in the plane of the patient's middle [mm]"""
    matches: NDArray[np.float32]
    """Row and column sums of the correspondence of its first two views, (2 L,); (0,) for one view"""


@dataclass(frozen=True)
class LeakCheck:
    """How well something tells the label: AUROC of a logistic probe on held-out folds, 0.5 is not at all.

    Args:
        name: What the probe saw.
        auroc: NaN where there are too few studies.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    name: str
    auroc: float
    low: float
    high: float

    @property
    def tells(self) -> bool:
        """Whether the interval lies above 0.5."""
        return self.low > 0.5


def leak_checks(facts: Sequence[StudyFacts], *, seed: int = 0) -> tuple[LeakCheck, ...]:
    """Probes of the correspondence alone, of the region, of decoys, file sizes, mean grey and field of view.

    Each is a ridge logistic regression, fitted on four fifths of the studies and scored on the rest, five times; the
    correspondence enters as the first eight principal components of the sums of its rows and columns.

    Args:
        facts: Of all studies.
        seed: Of folds and interval.
    """
    label = np.array([one.label for one in facts], dtype=bool)
    regions = sorted({one.region for one in facts})
    views = min((len(one.bytes) for one in facts), default=0)
    seen = {
        "correspondence": _components(facts),
        "region": np.array([[one.region == name for name in regions] for one in facts], dtype=np.float64),
        "decoy": np.array([[one.decoy] for one in facts], dtype=np.float64),
        "file size": np.array([one.bytes[:views] for one in facts]),
        "mean grey": np.array([one.grey[:views] for one in facts]),
        "field size": np.array([one.field[:views] for one in facts]),
    }
    return tuple(_check(name, values, label, seed) for name, values in seen.items())


def _components(facts: Sequence[StudyFacts]) -> NDArray[np.float64]:
    length = max((len(one.matches) for one in facts), default=0)
    sums = np.zeros((len(facts), length))
    for row, one in zip(sums, facts, strict=True):
        row[: len(one.matches)] = one.matches
    if not length or len(facts) < 2:
        return np.zeros((len(facts), 1))
    left, scale, _ = np.linalg.svd(sums - sums.mean(0), full_matrices=False)
    return (left * scale)[:, :COMPONENTS]


def _check(name: str, values: NDArray[np.float64], label: NDArray[np.bool_], seed: int) -> LeakCheck:
    if min(label.sum(), (~label).sum()) < 2:
        return LeakCheck(name, math.nan, math.nan, math.nan)
    columns = tuple(map(str, range(values.shape[1])))
    cases = [dict(zip(columns, map(float, row), strict=True)) for row in values]
    fold = _folds(label, seed)
    score = np.zeros(len(label))
    for number in range(FOLDS):
        learned = np.flatnonzero(fold != number)
        model = fit_logistic([cases[n] for n in learned], label[learned].tolist(), features=columns)
        for n in np.flatnonzero(fold == number):
            score[n] = model.probability(cases[n])
    # Folds differ in their intercepts: what counts is the order within each.
    score -= np.array([score[fold == number].mean() for number in fold])
    low, high = _interval(score, label, seed)
    return LeakCheck(name, auroc(score, label), low, high)


def _interval(score: NDArray[np.float64], label: NDArray[np.bool_], seed: int) -> tuple[float, float]:
    """95 % interval of an AUROC by drawing studies again; draws of one label only count as 0.5."""

    def area(drawn: NDArray[np.float64]) -> float:
        positive = drawn[:, 1] > 0.5
        return auroc(drawn[:, 0], positive) if 0 < positive.sum() < len(positive) else 0.5

    cases = np.stack([score, label.astype(np.float64)], axis=1)
    return bootstrap_interval(cases, area, method="percentile", resamples=RESAMPLES, seed=seed)


def _folds(label: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """A fold for each study, both labels spread evenly."""
    rng, fold = np.random.default_rng(seed), np.zeros(len(label), dtype=np.intp)
    for value in (False, True):
        places = rng.permutation(np.flatnonzero(label == value))
        fold[places] = np.arange(len(places)) % FOLDS
    return fold
