"""What rows of several backbones say together: a score with its interval, and the difference of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError
from xraykit.render.evaluation import bootstrap_interval, holm, paired_permutation_test

Scoring = Callable[[NDArray[np.float64]], float]


@dataclass(frozen=True)
class ScoredBackbone:
    """A score of one backbone.

    Args:
        name: The backbone, with its classifier where there are several.
        score: Over all cases.
        low: Lower end of its 95 % interval, patients drawn again.
        high: Upper end.
        fold_mean: Mean of the scores of single folds, as papers report it.
        fold_deviation: Their standard deviation; NaN of one fold.
        cases: How many.
    """

    name: str
    score: float
    low: float
    high: float
    fold_mean: float
    fold_deviation: float
    cases: int


@dataclass(frozen=True)
class BackboneDifference:
    """The first backbone's score minus the second's, on the same cases.

    Args:
        first: A backbone.
        second: Another.
        difference: Positive where the first is better.
        low: Lower end of its 95 % interval, patients drawn again.
        high: Upper end.
        p: Of a permutation test of the patients' mean scores, adjusted for all pairs (Holm).
        patients: How many.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    patients: int


@dataclass(frozen=True, eq=False)
class ScoredCases:
    """Cases of one backbone, in an order that all backbones share.

    Args:
        name: The backbone.
        values: What the score is made from, (N, V).
        mean: One number a case whose mean by patient is compared, (N,).
        cases: Names of the images.
        patients: Whose they are.
        folds: In which each was held out.
    """

    name: str
    values: NDArray[np.float64]
    mean: NDArray[np.float64]
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    folds: tuple[int, ...]


def scored(cases: ScoredCases, score: Scoring, *, resamples: int = 1000, seed: int = 0) -> ScoredBackbone:
    """The score of all cases and of each fold; patients are drawn for the interval.

    Args:
        cases: At least two patients.
        score: A number from values (n, V).
        resamples: Draws of the bootstrap.
        seed: Of these.
    """
    low, high = bootstrap_interval(cases.values, score, groups=cases.patients, resamples=resamples, seed=seed)
    folds = np.array(cases.folds)
    each = np.array([score(cases.values[folds == fold]) for fold in np.unique(folds)])
    deviation = float(each.std(ddof=1)) if len(each) > 1 else float("nan")
    return ScoredBackbone(cases.name, score(cases.values), low, high, float(each.mean()), deviation, len(folds))


def differences(
    backbones: Sequence[ScoredCases], score: Scoring, *, resamples: int = 1000, seed: int = 0
) -> list[BackboneDifference]:
    """Every pair of backbones on the same cases, Holm-adjusted.

    Args:
        backbones: Each with the same cases in the same order.
        score: A number from values (n, V).
        resamples: Draws of the bootstrap.
        seed: Of these and of the permutations.

    Raises:
        InputError: Backbones that were judged on other cases.
    """
    found = []
    for first, second in combinations(backbones, 2):
        if first.cases != second.cases:
            raise InputError(f"{first.name} and {second.name} must have been judged on the same cases, in one order.")
        both, width = np.concatenate([first.values, second.values], 1), first.values.shape[1]

        def apart(values: NDArray[np.float64], width: int = width) -> float:
            return score(values[:, :width]) - score(values[:, width:])

        low, high = bootstrap_interval(both, apart, groups=first.patients, resamples=resamples, seed=seed)
        means = [_patient_means(one) for one in (first, second)]
        p = paired_permutation_test(*means, resamples=4000, seed=seed).p
        found.append(BackboneDifference(first.name, second.name, apart(both), low, high, p, len(means[0])))
    adjusted = holm([one.p for one in found])
    return [
        BackboneDifference(one.first, one.second, one.difference, one.low, one.high, p, one.patients)
        for one, p in zip(found, adjusted, strict=True)
    ]


def _patient_means(cases: ScoredCases) -> NDArray[np.float64]:
    patients = np.array(cases.patients)
    return np.array([cases.mean[patients == patient].mean() for patient in dict.fromkeys(cases.patients)])
