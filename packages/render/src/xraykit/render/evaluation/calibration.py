"""From measured features to a probability by logistic regression, and whether what it says comes true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

STEPS = 50


@dataclass(frozen=True)
class LogisticModel:
    r"""The probability of an outcome, p = 1 / (1 + exp(-(b + sum_f w_f (x_f - m_f) / s_f))).

    Args:
        features: Names of the features x_f.
        center: m_f, their means over the cases that were fitted.
        scale: s_f, their standard deviations.
        weights: w_f.
        intercept: b.
    """

    features: tuple[str, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def probability(self, measured: Mapping[str, float]) -> float:
        """The chance of the outcome, 0 to 1, of one case with these features.

        Raises:
            InputError: A feature is missing or not finite.
        """
        total = self.intercept
        for name, center, scale, weight in zip(self.features, self.center, self.scale, self.weights, strict=True):
            value = measured.get(name)
            if value is None or not math.isfinite(value):
                raise InputError(f"the model needs a finite {name}, got {value}.")
            total += weight * (value - center) / scale
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def fit_logistic(
    measured: Sequence[Mapping[str, float]], success: Sequence[bool], *, features: Sequence[str], ridge: float = 1.0
) -> LogisticModel:
    """The logistic model that explains which cases succeeded, by Newton's method.

    Args:
        measured: Features of each case.
        success: The outcome of each; both must occur.
        features: Which features to use.
        ridge: Penalty r / 2 |w|^2 on the weights; keeps separable data from certainty.

    Raises:
        InputError: One outcome only, or counts that differ.
    """
    y = np.asarray(success, dtype=np.float64)
    if len(y) != len(measured) or not 0 < y.sum() < len(y):
        raise InputError(f"fitting needs successes and failures, got {int(y.sum())} of {len(measured)} successful.")
    x = np.array([[one[name] for name in features] for one in measured], dtype=np.float64)
    center, scale = x.mean(0), np.maximum(x.std(0), 1e-9)
    z = np.concatenate([(x - center) / scale, np.ones((len(y), 1))], axis=1)
    penalty = np.diag([*[ridge] * len(features), 0.0])
    w = np.zeros(z.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(z @ w, -30, 30)))
        gradient = z.T @ (p - y) + penalty @ w
        curvature = (z * (p * (1 - p))[:, None]).T @ z + penalty + 1e-9 * np.eye(len(w))
        step = np.linalg.solve(curvature, gradient)
        w -= step / max(1.0, np.abs(step).max())
        if np.abs(step).max() < 1e-9:
            break
    return LogisticModel(
        tuple(features), tuple(center.tolist()), tuple(scale.tolist()), tuple(w[:-1].tolist()), float(w[-1])
    )


class ReliabilityBin(NamedTuple):
    """Cases of similar predicted probability: how many, what was predicted on average, what came true."""

    count: int
    predicted: float
    observed: float


def reliability(probability: ArrayLike, success: ArrayLike, *, bins: int = 5) -> list[ReliabilityBin]:
    """The cases in bins of equal width in predicted probability, empty bins left out.

    Args:
        probability: Predicted, 0 to 1, (N,).
        success: What came true, (N,).
        bins: How many.

    Raises:
        InputError: Lengths that differ, no cases, or probabilities outside 0 to 1.
    """
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(success, dtype=np.float64)
    if p.shape != y.shape or p.ndim != 1 or len(p) == 0 or not bool(((p >= 0) & (p <= 1)).all()):
        raise InputError(f"probabilities in [0, 1] and outcomes must be (N,) alike, got {p.shape} and {y.shape}.")
    which: NDArray[np.intp] = np.minimum((p * bins).astype(int), bins - 1)
    inside = [which == b for b in range(bins)]
    return [ReliabilityBin(int(s.sum()), float(p[s].mean()), float(y[s].mean())) for s in inside if s.any()]


def expected_calibration_error(probability: ArrayLike, success: ArrayLike, *, bins: int = 10) -> float:
    """The mean over cases of |predicted - observed| of their bin, 0 to 1. Source: Naeini et al. 2015.

    Args:
        probability: Predicted, 0 to 1, (N,).
        success: What came true, (N,).
        bins: Of equal width; the number depends on it.

    Raises:
        InputError: As `reliability`.
    """
    found = reliability(probability, success, bins=bins)
    total = sum(one.count for one in found)
    return sum(one.count * abs(one.predicted - one.observed) for one in found) / total
