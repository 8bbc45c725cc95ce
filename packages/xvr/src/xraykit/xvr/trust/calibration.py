"""From measured features to a probability: logistic regression, how it is fitted, and how it is tested."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xraykit.render import FileError, InputError

STORED = "calibration.json"
STEPS = 50


@dataclass(frozen=True)
class SuccessModel:
    r"""The probability that a registration is right, p = 1 / (1 + exp(-(b + sum_f w_f (x_f - m_f) / s_f))).

    Args:
        features: Names of the features x_f.
        center: m_f, their means over the registrations that were fitted.
        scale: s_f, their standard deviations.
        weights: w_f.
        intercept: b.
        threshold: The largest true target registration error that counts as success [mm].
        error_factor: By how much the covariance's predicted error must be multiplied to become the median true error
            of successful registrations.
        made: How it was made: script, patients, numbers of cases.
    """

    features: tuple[str, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    threshold: float
    error_factor: float = 1.0
    made: Mapping[str, Any] = field(default_factory=dict)

    def probability(self, measured: Mapping[str, float]) -> float:
        """The chance of success, 0 to 1, of one registration with these features.

        Raises:
            InputError: A feature is missing or not finite.
        """
        total = self.intercept
        for name, center, scale, weight in zip(self.features, self.center, self.scale, self.weights, strict=True):
            value = measured.get(name)
            if value is None or not math.isfinite(value):
                raise InputError(f"the success model needs a finite {name}, got {value}.")
            total += weight * (value - center) / scale
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))

    def to_json(self) -> str:
        """The model as text that `read_model` reads."""
        return json.dumps(asdict(self), indent=2) + "\n"


def fit_model(
    measured: Sequence[Mapping[str, float]],
    success: Sequence[bool],
    *,
    features: Sequence[str],
    threshold: float,
    ridge: float = 1.0,
    error_factor: float = 1.0,
    made: Mapping[str, Any] | None = None,
) -> SuccessModel:
    """The logistic model that explains which registrations succeeded, by Newton's method.

    Args:
        measured: Features of each registration.
        success: Whether its true error was at most `threshold`; both outcomes must occur.
        features: Which of them to use.
        threshold: [mm].
        ridge: Penalty r / 2 |w|^2 on the weights; keeps separable data from certainty.
        error_factor: Stored with the model.
        made: Stored with the model.

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
    return SuccessModel(
        tuple(features),
        tuple(center.tolist()),
        tuple(scale.tolist()),
        tuple(w[:-1].tolist()),
        float(w[-1]),
        threshold,
        error_factor,
        dict(made or {}),
    )


def read_model(text: str) -> SuccessModel:
    """The model that `SuccessModel.to_json` wrote.

    Raises:
        FileError: The text is something else.
    """
    try:
        values = json.loads(text)
        lists = {name: tuple(values.pop(name)) for name in ("features", "center", "scale", "weights")}
        model = SuccessModel(**lists, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FileError(f"a success model was expected, got something else: {error}.") from error
    if len({len(values) for values in lists.values()}) != 1:
        raise FileError("a success model must have as many centres, scales and weights as features, got other numbers.")
    return model


@cache
def shipped_model() -> SuccessModel:
    """The model that comes with the package, made by benchmarks/studies/xvr_trust.py."""
    return read_model(files("xraykit.xvr.trust").joinpath(STORED).read_text(encoding="utf-8"))


def auroc(score: ArrayLike, positive: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive case scores above a negative one, ties counting half.

    Raises:
        InputError: Positive or negative cases are missing.
    """
    score, positive = np.asarray(score, dtype=np.float64), np.asarray(positive, dtype=bool)
    above, below = score[positive], score[~positive]
    if len(above) == 0 or len(below) == 0:
        raise InputError(f"an ROC curve needs both outcomes, got {len(above)} positive and {len(below)} negative.")
    wins = (above[:, None] > below).mean() + 0.5 * (above[:, None] == below).mean()
    return float(wins)


class Bin(NamedTuple):
    """Cases of similar predicted probability: how many, what was predicted on average, what came true."""

    count: int
    predicted: float
    observed: float


def reliability(probability: ArrayLike, success: ArrayLike, *, bins: int = 5) -> list[Bin]:
    """The cases in bins of equal width in predicted probability, empty bins left out."""
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(success, dtype=np.float64)
    which: NDArray[np.intp] = np.minimum((p * bins).astype(int), bins - 1)
    inside = [which == b for b in range(bins)]
    return [Bin(int(s.sum()), float(p[s].mean()), float(y[s].mean())) for s in inside if s.any()]
