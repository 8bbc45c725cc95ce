"""The probability that a registration succeeded: a logistic model of its features, with the bound it was made for."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from xraykit.render import FileError, InputError
from xraykit.render.evaluation import LogisticModel, fit_logistic
from xraykit.render.storage import parse_json_object

STORED = "calibration.json"
EXACT = 0.02  # mm: errors below are equal


@dataclass(frozen=True)
class SuccessModel(LogisticModel):
    """The probability that a registration is right.

    Args:
        features: See `LogisticModel`, as for the next four.
        center: See there.
        scale: See there.
        weights: See there.
        intercept: See there.
        threshold: The largest true target registration error that counts as success [mm].
        error_factor: c of the median true error c e^q of successful registrations, e what the covariance predicts [mm].
        error_power: q.
        error_limit: By how much that median is multiplied to have nine of ten true errors below.
        made: How it was made: script, patients, numbers of cases.
    """

    threshold: float
    error_factor: float = 1.0
    error_power: float = 1.0
    error_limit: float = 1.0
    made: Mapping[str, Any] = field(default_factory=dict)

    def expected_error(self, predicted: float) -> float:
        """The median true error [mm] of registrations of which the covariance predicts this error [mm]."""
        return self.error_factor * predicted**self.error_power

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
    errors: ErrorLaw | None = None,
    made: Mapping[str, Any] | None = None,
) -> SuccessModel:
    """The logistic model that explains which registrations succeeded, see `fit_logistic`.

    Args:
        measured: Features of each registration.
        success: Whether its true error was at most `threshold`; both outcomes must occur.
        features: Which of them to use.
        threshold: [mm].
        ridge: Penalty on the weights.
        errors: What becomes of predicted errors, see `fit_errors`; None takes them as they are.
        made: Stored with the model.

    Raises:
        InputError: One outcome only, or counts that differ.
    """
    fitted = fit_logistic(measured, success, features=features, ridge=ridge)
    law = {} if errors is None else {f"error_{name}": value for name, value in errors._asdict().items()}
    return SuccessModel(**asdict(fitted), threshold=threshold, **law, made=dict(made or {}))


class ErrorLaw(NamedTuple):
    """True errors c e^q (median) where e is predicted, and the factor below which nine of ten lie."""

    factor: float
    power: float
    limit: float


def fit_errors(predicted: Sequence[float], true: Sequence[float]) -> ErrorLaw:
    """What true errors follow predicted ones, by least squares of their logarithms.

    ln true = ln c + q ln predicted; the median of the residuals goes into c, their ninth decile is the limit.

    Args:
        predicted: By the covariance [mm], positive.
        true: Of the same registrations [mm]; less than `EXACT` counts as that.

    Raises:
        InputError: Fewer than ten of them, or counts that differ.
    """
    if len(predicted) != len(true) or len(true) < 10:
        raise InputError(f"errors are fitted to ten pairs or more, got {len(predicted)} and {len(true)}.")
    x, y = np.log(np.asarray(predicted)), np.log(np.maximum(np.asarray(true), EXACT))
    power = float(np.cov(x, y)[0, 1] / max(float(np.var(x, ddof=1)), 1e-12))
    median, ninth = np.quantile(y - power * x, (0.5, 0.9))
    return ErrorLaw(math.exp(median), power, math.exp(ninth - median))


def read_model(text: str) -> SuccessModel:
    """The model that `SuccessModel.to_json` wrote.

    Raises:
        FileError: The text is something else.
    """
    try:
        values = parse_json_object(text, place="its text")
        lists = {name: tuple(values.pop(name)) for name in ("features", "center", "scale", "weights")}
        model = SuccessModel(**lists, **values)
    except (FileError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error).rstrip(".")
        raise FileError(f"a success model was expected, got something else: {reason}.") from error
    if len({len(values) for values in lists.values()}) != 1:
        raise FileError("a success model must have as many centres, scales and weights as features, got other numbers.")
    return model


@cache
def shipped_model() -> SuccessModel:
    """The model that comes with the package, made by benchmarks/studies/xvr_trust.py."""
    return read_model(files("xraykit.xvr.trust").joinpath(STORED).read_text(encoding="utf-8"))
