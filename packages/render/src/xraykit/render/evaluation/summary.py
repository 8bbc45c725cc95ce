"""Median and quartiles of errors of which some are infinite."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True)
class Quartiles:
    """Median and quartiles, in the unit of the errors; infinity where that many cases are lost."""

    low: float
    median: float
    high: float

    @property
    def spread(self) -> float:
        """The interquartile range."""
        return self.high - self.low if math.isfinite(self.high) else math.inf


def quartiles(values: Iterable[float]) -> Quartiles:
    """Quartiles by linear interpolation between order statistics; NaN counts as infinity.

    Raises:
        InputError: No values.
    """
    ordered = sorted(math.inf if math.isnan(value) else value for value in values)
    if not ordered:
        raise InputError("quartiles need at least one value, got none.")

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        below, rest = int(place), place - int(place)
        return ordered[below] if rest == 0 else ordered[below] * (1 - rest) + ordered[below + 1] * rest

    return Quartiles(at(0.25), at(0.5), at(0.75))
