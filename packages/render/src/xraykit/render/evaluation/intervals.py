"""Confidence intervals: Wilson's of a rate, and the bootstrap's of any statistic."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

Statistic = Callable[[NDArray[np.float64]], float]


def wilson_interval(successes: int, attempts: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Confidence interval of a success probability, [0, 1]; z = 1.96 makes it 95 %. Source: Wilson 1927."""
    if attempts == 0:
        return 0.0, 1.0
    p, n = successes / attempts, attempts
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_interval(
    values: ArrayLike,
    statistic: Statistic = np.mean,
    *,
    groups: Sequence[Hashable] | None = None,
    method: Literal["percentile", "bca"] = "bca",
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Confidence interval of a statistic, by drawing cases again with replacement.

    Args:
        values: One number, or one row of numbers, for each case, (N,) or (N, K).
        statistic: A number from values of any length, such as `numpy.median`.
        groups: The patient of each case. Cases of one patient are no independent evidence: patients are drawn, each
            with all of its cases. None draws cases.
        method: "percentile" takes quantiles of the statistic's bootstrap distribution; "bca" corrects them for bias
            and for a spread that grows with the statistic.
        level: Confidence, 0 to 1.
        resamples: How often to draw.
        seed: Of the draws; the same gives the same interval.

    Returns:
        Lower and upper end.

    Raises:
        InputError: Fewer than two cases or patients, values that are not finite, groups of another length, or options
            outside their range.

    Source: Efron, "Better bootstrap confidence intervals", 1987.
    """
    cases = np.asarray(values, dtype=np.float64)
    members = _members(cases, groups)
    if not 0 < level < 1 or resamples < 100 or method not in ("percentile", "bca"):
        raise InputError(
            "a bootstrap needs a level between 0 and 1, at least 100 resamples and method 'percentile' or 'bca', got "
            f"{level}, {resamples} and {method!r}."
        )
    rng, count = np.random.default_rng(seed), len(members)
    drawn = np.empty(resamples)
    for n in range(resamples):
        chosen = rng.integers(0, count, count)
        drawn[n] = statistic(cases[np.concatenate([members[c] for c in chosen]) if groups is not None else chosen])
    low, high = (1 - level) / 2, (1 + level) / 2
    if method == "bca":
        low, high = _corrected(cases, members, statistic, drawn, (low, high))
    ends = np.quantile(drawn, [low, high])
    return float(ends[0]), float(ends[1])


def _members(cases: NDArray[np.float64], groups: Sequence[Hashable] | None) -> list[NDArray[np.intp]]:
    """Places of the cases of each group."""
    if cases.ndim not in (1, 2) or not np.isfinite(cases).all():
        raise InputError(
            f"a bootstrap needs finite values (N,) or (N, K), got shape {cases.shape}; turn what is lost into a "
            "failure or a rank first."
        )
    keys = range(len(cases)) if groups is None else groups
    if len(keys) != len(cases):
        raise InputError(f"groups must name one for each of {len(cases)} cases, got {len(keys)}.")
    places: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        places.setdefault(key, []).append(place)
    if len(places) < 2:
        raise InputError(f"a bootstrap needs two cases or patients, got {len(places)}.")
    return [np.array(group) for group in places.values()]


def _corrected(
    cases: NDArray[np.float64],
    members: list[NDArray[np.intp]],
    statistic: Statistic,
    drawn: NDArray[np.float64],
    shares: tuple[float, float],
) -> tuple[float, float]:
    """The shares at which BCa reads the bootstrap distribution: bias from it, acceleration from the jackknife."""
    normal, observed = NormalDist(), statistic(cases)
    below = ((drawn < observed).sum() + (drawn == observed).sum() / 2) / len(drawn)
    edge = 0.5 / len(drawn)
    bias = normal.inv_cdf(float(min(max(below, edge), 1 - edge)))
    left = np.array([statistic(np.delete(cases, group, axis=0)) for group in members])
    apart = left.mean() - left
    spread = float((apart**2).sum())
    acceleration = float((apart**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    ends = []
    for share in shares:
        z = bias + normal.inv_cdf(share)
        ends.append(normal.cdf(bias + z / (1 - acceleration * z)))
    return ends[0], ends[1]
