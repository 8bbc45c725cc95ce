"""The probability that a registration succeeded: a logistic model of its features, with the bound it was made for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from xraykit.render import FileError
from xraykit.render.evaluation import LogisticModel, fit_logistic
from xraykit.render.storage import parse_json_object

STORED = "calibration.json"


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
        error_factor: By how much the covariance's predicted error must be multiplied to become the median true error
            of successful registrations.
        made: How it was made: script, patients, numbers of cases.
    """

    threshold: float
    error_factor: float = 1.0
    made: Mapping[str, Any] = field(default_factory=dict)

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
    """The logistic model that explains which registrations succeeded, see `fit_logistic`.

    Args:
        measured: Features of each registration.
        success: Whether its true error was at most `threshold`; both outcomes must occur.
        features: Which of them to use.
        threshold: [mm].
        ridge: Penalty on the weights.
        error_factor: Stored with the model.
        made: Stored with the model.

    Raises:
        InputError: One outcome only, or counts that differ.
    """
    fitted = fit_logistic(measured, success, features=features, ridge=ridge)
    return SuccessModel(**asdict(fitted), threshold=threshold, error_factor=error_factor, made=dict(made or {}))


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
