"""Tests of two methods on the same cases, and Holm's adjustment for many of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

EXACT_RANKS, EXACT_SIGNS = 300, 16  # cases up to which all outcomes are counted


class PairedTest(NamedTuple):
    """A two-sided test.

    Args:
        statistic: What was counted, see each test.
        p: The chance of a statistic at least as extreme if the methods did not differ.
        pairs: Cases that had a say; ties of the two methods have none.
    """

    statistic: float
    p: float
    pairs: int


def wilcoxon_test(first: ArrayLike, second: ArrayLike) -> PairedTest:
    """Wilcoxon's signed rank test of errors on the same cases.

    Exact up to 300 cases that differ (ties among ranks included), else by the normal law.

    Args:
        first: Errors of a method, (N,); infinity and NaN are lost cases, worse than any number.
        second: Errors of the other.

    Returns:
        The sum of ranks of the cases in which `first` is larger.

    Raises:
        InputError: Lengths that differ, or no cases.

    Source: Wilcoxon 1945; zeros are left out, as there.
    """
    difference = _differences(first, second)
    size = np.abs(difference)
    order, places, counts = np.unique(size, return_inverse=True, return_counts=True)
    after = np.cumsum(counts)
    ranks = ((2 * after - counts + 1) / 2)[places] if len(order) else np.zeros(0)
    statistic, n = float(ranks[difference > 0].sum()), len(ranks)
    if n == 0:
        return PairedTest(0.0, 1.0, 0)
    if n <= EXACT_RANKS:
        return PairedTest(statistic, _exact_rank_p(ranks, statistic), n)
    mean = n * (n + 1) / 4
    variance = n * (n + 1) * (2 * n + 1) / 24 - float((counts**3 - counts).sum()) / 48
    return PairedTest(statistic, math.erfc(abs(statistic - mean) / math.sqrt(2 * variance)), n)


def sign_test(first: ArrayLike, second: ArrayLike) -> PairedTest:
    """The exact sign test: in how many cases `first` is larger, whatever by how much.

    Args:
        first: Errors of a method, (N,); infinity and NaN are lost cases, worse than any number.
        second: Errors of the other.

    Returns:
        The number of cases in which `first` is larger.

    Raises:
        InputError: Lengths that differ, or no cases.
    """
    difference = _differences(first, second)
    larger = int((difference > 0).sum())
    return PairedTest(float(larger), _binomial_p(larger, len(difference)), len(difference))


def mcnemar_test(first: ArrayLike, second: ArrayLike) -> PairedTest:
    """McNemar's exact test of two methods that each succeed or fail.

    Args:
        first: Whether a method succeeded, booleans (N,).
        second: Whether the other did.

    Returns:
        The number of cases in which only `first` succeeded.

    Raises:
        InputError: Lengths that differ, no cases, or something other than booleans.

    Source: McNemar 1947, with the binomial law in place of the chi-squared one.
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.dtype != bool or b.dtype != bool:
        raise InputError(f"successes must be booleans, got {a.dtype} and {b.dtype}; compare errors with a bound first.")
    _check_alike(a, b)
    only, pairs = int((a & ~b).sum()), int((a != b).sum())
    return PairedTest(float(only), _binomial_p(only, pairs), pairs)


def paired_permutation_test(
    first: ArrayLike, second: ArrayLike, *, resamples: int = 10_000, seed: int = 0
) -> PairedTest:
    """The mean difference against all exchanges of the two methods within cases.

    All 2^n exchanges are counted up to 16 cases, else `resamples` random ones and the observed one.

    Args:
        first: Scores of a method, (N,), finite.
        second: Scores of the other.
        resamples: Random exchanges.
        seed: Of these.

    Returns:
        The mean of first - second.

    Raises:
        InputError: Lengths that differ, no cases, or scores that are not finite.
    """
    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    _check_alike(a, b)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("means need finite scores, got NaN or infinity; use wilcoxon_test or sign_test.")
    difference = a - b
    n, observed = len(difference), float(difference.mean())
    least = abs(observed) * (1 - 1e-12)
    if n <= EXACT_SIGNS:
        signs = np.array(list(product((1.0, -1.0), repeat=n)))
        return PairedTest(observed, float((np.abs(signs @ difference) / n >= least).mean()), n)
    rng, hits = np.random.default_rng(seed), 1
    for _ in range(resamples):
        hits += abs(float((rng.choice((1.0, -1.0), n) * difference).mean())) >= least
    return PairedTest(observed, hits / (resamples + 1), n)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted for many tests: the k-th smallest of m times (m - k + 1), never falling. Source: Holm 1979."""
    adjusted, running = [0.0] * len(p_values), 0.0
    for k, place in enumerate(sorted(range(len(p_values)), key=lambda n: p_values[n])):
        running = max(running, min(1.0, (len(p_values) - k) * p_values[place]))
        adjusted[place] = running
    return adjusted


def _differences(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """first - second where they differ; two lost cases do not."""
    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    _check_alike(a, b)
    a, b = np.where(np.isnan(a), np.inf, a), np.where(np.isnan(b), np.inf, b)
    apart = a != b
    return a[apart] - b[apart]


def _check_alike(a: NDArray[np.generic], b: NDArray[np.generic]) -> None:
    if a.shape != b.shape or a.ndim != 1 or len(a) == 0:
        raise InputError(f"a paired test needs two rows of scores of the same cases, got {a.shape} and {b.shape}.")


def _exact_rank_p(ranks: NDArray[np.float64], statistic: float) -> float:
    """The chance of a rank sum at least as far from its mean, every sign of every rank being equally likely."""
    doubled = np.round(2 * ranks).astype(int)
    chance = np.zeros(int(doubled.sum()) + 1)
    chance[0] = 1.0
    for rank in doubled:
        moved = np.zeros_like(chance)
        moved[rank:] = chance[: len(chance) - rank]
        chance = (chance + moved) / 2
    place, middle = round(2 * statistic), (len(chance) - 1) / 2
    far = np.abs(np.arange(len(chance)) - middle) >= abs(place - middle)
    return min(1.0, float(chance[far].sum()))


def _binomial_p(count: int, trials: int) -> float:
    """The two-sided chance of `count` heads of a fair coin."""
    fewer = min(count, trials - count)
    logs = [
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) - trials * math.log(2)
        for k in range(fewer + 1)
    ]
    return min(1.0, 2 * math.fsum(math.exp(value) for value in logs))
