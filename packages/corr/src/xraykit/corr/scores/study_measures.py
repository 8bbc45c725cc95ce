"""Scores of a classifier by study, with intervals by patient."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError
from xraykit.render.evaluation import (
    auroc,
    average_precision,
    bootstrap_interval,
    expected_calibration_error,
    wilson_interval,
)

from .study_rows import StudyRow

RESAMPLES = 500


@dataclass(frozen=True)
class StudyScores:
    """Of N studies, each counted once.

    Args:
        studies: N.
        positives: Studies with label 1.
        threshold: Probability from which a study counts as positive.
        accuracy: Share of right answers.
        precision: Share of right ones among the positive answers; 0 without a positive answer.
        recall: Share of the positive studies that are found.
        kappa: Agreement beyond chance, (p_o - p_e) / (1 - p_e).
        auroc: Area under the ROC curve; no threshold.
        ap: Average precision; chance is positives / studies.
        ece: Expected calibration error in ten bins.
    """

    studies: int
    positives: int
    threshold: float
    accuracy: float
    precision: float
    recall: float
    kappa: float
    auroc: float
    ap: float
    ece: float


def study_scores(rows: Sequence[StudyRow], *, threshold: float = 0.5) -> StudyScores:
    """The scores of rows.

    Raises:
        InputError: Studies of one label only, or none.
    """
    probability, label = _columns(rows)
    found = probability >= threshold
    right = int((found & label).sum())
    area = auroc(probability, label)
    return StudyScores(
        studies=len(rows),
        positives=int(label.sum()),
        threshold=threshold,
        accuracy=float((found == label).mean()),
        precision=right / max(int(found.sum()), 1),
        recall=right / int(label.sum()),
        kappa=_kappa(found, label),
        auroc=area,
        ap=average_precision(probability, label),
        ece=expected_calibration_error(probability, label),
    )


def study_intervals(
    rows: Sequence[StudyRow], *, threshold: float = 0.5, seed: int = 0
) -> Mapping[str, tuple[float, float]]:
    """95 % intervals of accuracy, precision, recall, kappa, auroc and ap.

    Rates are Wilson's where each patient has one study; all else, and rates otherwise, is a bootstrap that draws
    patients with all their studies. Draws of one label only are left at chance.

    Raises:
        InputError: As `study_scores`, or fewer than two patients.
    """
    probability, label = _columns(rows)
    found = probability >= threshold
    patients = [row.patient for row in rows]
    cases = np.stack([probability, label.astype(np.float64)], axis=1)

    def drawn(value: Callable[[NDArray[np.float64], NDArray[np.bool_]], float], chance: float) -> tuple[float, float]:
        def statistic(some: NDArray[np.float64]) -> float:
            positive = some[:, 1] > 0.5
            return value(some[:, 0], positive) if 0 < positive.sum() < len(positive) else chance

        return bootstrap_interval(
            cases, statistic, groups=patients, method="percentile", resamples=RESAMPLES, seed=seed
        )

    counts = {
        "accuracy": (int((found == label).sum()), len(rows)),
        "precision": (int((found & label).sum()), int(found.sum())),
        "recall": (int((found & label).sum()), int(label.sum())),
    }
    if len(set(patients)) == len(patients):
        intervals = {name: wilson_interval(*pair) for name, pair in counts.items()}
    else:
        intervals = {
            "accuracy": drawn(lambda p, y: float(((p >= threshold) == y).mean()), 0.5),
            "precision": drawn(lambda p, y: float(y[p >= threshold].mean()) if (p >= threshold).any() else 0.0, 0.0),
            "recall": drawn(lambda p, y: float((p[y] >= threshold).mean()), 0.0),
        }
    return intervals | {
        "kappa": drawn(lambda p, y: _kappa(p >= threshold, y), 0.0),
        "auroc": drawn(auroc, 0.5),
        "ap": drawn(average_precision, float(label.mean())),
    }


def best_threshold(rows: Sequence[StudyRow]) -> float:
    """The probability at which recall + specificity is largest (Youden's index), chosen on validation studies.

    It lies halfway between two studies; of several, the one nearest to one half.

    Raises:
        InputError: Studies of one label only, or none.
    """
    probability, label = _columns(rows)
    if not 0 < label.sum() < len(label):
        raise InputError(f"a threshold needs studies of both labels, got {int(label.sum())} positive of {len(label)}.")
    values = np.unique(probability)
    between = np.concatenate([[0.0], (values[1:] + values[:-1]) / 2])
    gain = np.array([(probability[label] >= t).mean() - (probability[~label] >= t).mean() for t in between])
    best = between[gain >= gain.max() - 1e-12]
    return float(best[np.abs(best - 0.5).argmin()])


def _columns(rows: Sequence[StudyRow]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    probability = np.array([row.probability for row in rows], dtype=np.float64)
    return probability, np.array([row.label for row in rows], dtype=bool)


def _kappa(found: NDArray[np.bool_], label: NDArray[np.bool_]) -> float:
    agreed, said, true = float((found == label).mean()), float(found.mean()), float(label.mean())
    chance = said * true + (1 - said) * (1 - true)
    return (agreed - chance) / (1 - chance) if not math.isclose(chance, 1.0) else 0.0
