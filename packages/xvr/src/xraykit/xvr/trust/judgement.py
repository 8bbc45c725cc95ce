"""A judgement: how likely a registration is right, how exact it is, and what speaks against it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from xraykit.render import InputError


@dataclass(frozen=True)
class TrustJudgement:
    """What to think of one registration.

    Args:
        success_probability: Chance that the true target registration error is at most `threshold`, 0 to 1, calibrated
            on simulated registrations.
        threshold: What counts as success [mm], positive.
        expected_error: Median target registration error of registrations that are right and as well determined as this
            one [mm]; infinite where the X-ray does not determine the pose.
        warnings: One sentence each; empty where nothing speaks against the result.
        features: The numbers that the probability was computed from.
        view_errors: As `expected_error` for each view, where each has a pose that fits it alone; () where all views
            share one motion.
        error_limit: What nine of ten errors of such registrations are below [mm].

    Raises:
        InputError: A probability outside 0 to 1, or a threshold that is not positive.
    """

    success_probability: float
    threshold: float
    expected_error: float
    warnings: tuple[str, ...] = ()
    features: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    view_errors: tuple[float, ...] = ()
    error_limit: float = math.inf

    def __post_init__(self) -> None:
        if not 0 <= self.success_probability <= 1:
            raise InputError(f"success_probability must lie in 0 to 1, got {self.success_probability}.")
        if not (math.isfinite(self.threshold) and self.threshold > 0):
            raise InputError(f"threshold must be positive and finite, got {self.threshold} mm.")
        object.__setattr__(self, "features", MappingProxyType(dict(self.features)))

    @property
    def verdict(self) -> str:
        """The judgement in one word: trusted (at least 90 %), doubtful (50 to 90 %) or failed."""
        if self.success_probability >= 0.9:
            return "trusted"
        return "doubtful" if self.success_probability >= 0.5 else "failed"


def percent(probability: float) -> str:
    """A probability for the eye, never claiming certainty: over 99 %, 87 %, under 1 %."""
    if probability > 0.99:
        return "over 99 %"
    return "under 1 %" if probability < 0.01 else f"{100 * probability:.0f} %"
