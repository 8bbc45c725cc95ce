"""How well a score tells positive cases from negative ones: area under the ROC curve, average precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError


def auroc(score: ArrayLike, positive: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive case scores above a negative one, ties counting half.

    Args:
        score: (N,), any monotonous scale.
        positive: Whether the case is positive, (N,).

    Raises:
        InputError: Positive or negative cases are missing, lengths that differ, or a score that is NaN.
    """
    above, below = _parted(score, positive)
    ordered, pairs = np.sort(below), len(above) * len(below)
    lower = np.searchsorted(ordered, above, side="left")
    ties = np.searchsorted(ordered, above, side="right") - lower
    return float(int(lower.sum()) / pairs + 0.5 * (int(ties.sum()) / pairs))


def average_precision(score: ArrayLike, positive: ArrayLike) -> float:
    """Mean over positive cases of the precision among the cases that score at least as high.

    Cases of equal score come all together, so that the order of the input has no say.

    Args:
        score: (N,), any monotonous scale.
        positive: Whether the case is positive, (N,).

    Raises:
        InputError: Positive or negative cases are missing, lengths that differ, or a score that is NaN.
    """
    above, below = _parted(score, positive)
    hits = len(above) - np.searchsorted(np.sort(above), above, side="left")
    alarms = len(below) - np.searchsorted(np.sort(below), above, side="left")
    return float((hits / (hits + alarms)).mean())


def _parted(score: ArrayLike, positive: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the positive and of the negative cases."""
    score, positive = np.asarray(score, dtype=np.float64), np.asarray(positive, dtype=bool)
    if score.shape != positive.shape or score.ndim != 1 or bool(np.isnan(score).any()):
        raise InputError(f"scores and outcomes must be numbers (N,) alike, got {score.shape} and {positive.shape}.")
    above, below = score[positive], score[~positive]
    if len(above) == 0 or len(below) == 0:
        raise InputError(f"an ROC curve needs both outcomes, got {len(above)} positive and {len(below)} negative.")
    return above, below
