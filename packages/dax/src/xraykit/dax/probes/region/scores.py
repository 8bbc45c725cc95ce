"""Scores of a classification from rows of truth and finding alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xraykit.render import InputError

ScoreName = Literal["accuracy", "weighted_f1", "macro_f1"]


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Shares in [0, 1]. Macro means are over classes that occur in the truth or among the findings.

    Weighted means weigh each class by its cases; the weighted recall equals the accuracy.
    """

    accuracy: float
    weighted_precision: float
    weighted_recall: float
    weighted_f1: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    recall: NDArray[np.float64]
    """Of each class, (K,); NaN where it has no cases."""


def confusion_matrix(truth: ArrayLike, found: ArrayLike, count: int) -> NDArray[np.int64]:
    """Cases of each true class (rows) found as each class (columns), (K, K).

    Args:
        truth: 0 to count - 1, (N,).
        found: The same.
        count: K.

    Raises:
        InputError: Lengths that differ, no cases, or a number outside 0 to K - 1.
    """
    t, f = np.asarray(truth, dtype=np.int64), np.asarray(found, dtype=np.int64)
    if t.shape != f.shape or t.ndim != 1 or len(t) == 0 or min(t.min(), f.min()) < 0 or max(t.max(), f.max()) >= count:
        raise InputError(
            f"truth and findings must be classes 0 to {count - 1} of the same cases, got {t.shape} and {f.shape}."
        )
    return np.bincount(t * count + f, minlength=count * count).reshape(count, count)


def class_scores(confusion: NDArray[np.int64]) -> ClassScores:
    """All scores of a confusion matrix.

    A class that was never found has precision 0, one without cases recall 0 in the macro mean, and F1 is
    2 hits / (cases + findings).
    """
    hits, cases, findings = np.diag(confusion).astype(float), confusion.sum(1), confusion.sum(0)
    precision = np.divide(hits, findings, out=np.zeros_like(hits), where=findings > 0)
    recall = np.divide(hits, cases, out=np.zeros_like(hits), where=cases > 0)
    f1 = np.divide(2 * hits, cases + findings, out=np.zeros_like(hits), where=cases + findings > 0)
    share, occurs = cases / cases.sum(), cases + findings > 0
    return ClassScores(
        accuracy=float(hits.sum() / cases.sum()),
        weighted_precision=float(share @ precision),
        weighted_recall=float(share @ recall),
        weighted_f1=float(share @ f1),
        macro_precision=float(precision[occurs].mean()),
        macro_recall=float(recall[occurs].mean()),
        macro_f1=float(f1[occurs].mean()),
        recall=np.where(cases > 0, recall, np.nan),
    )


def score_of(cases: NDArray[np.float64], count: int, name: ScoreName) -> float:
    """One score of cases (N, 2) of truth and finding, for the bootstrap."""
    classes = cases.astype(np.int64)
    return float(getattr(class_scores(confusion_matrix(classes[:, 0], classes[:, 1], count)), name))
