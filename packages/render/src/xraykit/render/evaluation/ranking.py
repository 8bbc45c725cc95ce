"""Ranking of methods by a mixed-effects model of the log error, with pairwise tests (extra `evaluate`)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

from ..errors import InputError
from ..extras import require
from .paired import holm

LIMITS = 1e-3, 1e4


class MethodAttempt(NamedTuple):
    """One case that one method was tried on, as the ranking sees it.

    Args:
        method: Its name.
        subject: Whose case it is.
        case: Its name, the same for all methods; it need not differ between subjects.
        error: The smaller the better.
    """

    method: str
    subject: str
    case: str
    error: float


class MethodComparison(NamedTuple):
    """Two methods: the ratio of their typical errors (first / second), and Holm's adjusted p value."""

    first: str
    second: str
    ratio: float
    p: float


@dataclass(frozen=True)
class MethodRanking:
    """Methods from best to worst.

    Args:
        methods: Names, the smallest typical error first.
        typical_errors: The geometric mean error of each, adjusted for the cases it was tried on.
        letters: Compact letter display: methods that share a letter are not told apart.
        comparisons: Every pair.
        level: Significance level of the letters.
        model: What was fitted, in a sentence; it says so where the mixed model failed.
    """

    methods: tuple[str, ...]
    typical_errors: tuple[float, ...]
    letters: tuple[str, ...]
    comparisons: tuple[MethodComparison, ...]
    level: float
    model: str


def rank_methods(
    attempts: Sequence[MethodAttempt], *, level: float = 0.05, limits: tuple[float, float] = LIMITS
) -> MethodRanking:
    r"""Rank methods that were tried on the same cases.

        log error = method + subject + case within subject + noise

    with normal random intercepts for subjects and cases, fitted by restricted maximum likelihood; Wald tests of all
    pairs, p values adjusted by Holm's method. With one subject the cases are the only random effect. Where the mixed
    model does not converge or is singular, cases become fixed effects (an ordinary two-way analysis of variance), and
    `model` says so.

    Args:
        attempts: At least two methods; each case should have been tried by all of them.
        level: Significance level of the letters.
        limits: Errors are cut to these, so failures that are not finite count as the upper one; in mm they say that
            a micrometre is nothing and ten metres are lost.

    Raises:
        InputError: Fewer than two methods or cases, no degree of freedom left for the noise, or limits that are not
            positive and growing.
        BackendUnavailableError: pandas or statsmodels is not installed.
    """
    if not 0 < limits[0] < limits[1] < math.inf:
        raise InputError(f"limits of errors must be positive, finite and growing, got {limits}.")
    table = _table(attempts, limits)
    methods = sorted(set(table["method"]))
    if len(methods) < 2 or table["case"].nunique() < 2:
        raise InputError(
            f"a ranking needs two methods and two cases, got {len(methods)} and {table['case'].nunique()}."
        )
    if len(table) < len(methods) + table["case"].nunique():
        raise InputError("a ranking needs methods tried on the same cases, got too few of these in common.")
    means, covariance, model = _mixed_model(table, methods) or _fixed_model(table, methods)
    comparisons = _compare(methods, means, covariance)
    order = sorted(range(len(methods)), key=lambda m: means[m])
    ranked = tuple(methods[m] for m in order)
    apart = {frozenset((c.first, c.second)) for c in comparisons if c.p < level}
    return MethodRanking(
        ranked,
        tuple(math.exp(means[m]) for m in order),
        compact_letters(ranked, apart),
        comparisons,
        level,
        model,
    )


def compact_letters(ranked: Sequence[str], apart: set[frozenset[str]]) -> tuple[str, ...]:
    """A letter for each largest set of methods of which no two are told apart, "a" where the best one is.

    Args:
        ranked: Names, best first.
        apart: The pairs that differ.
    """
    groups = [set(ranked)]
    for pair in sorted(apart, key=sorted):
        split = [group - {name} for group in groups if pair <= group for name in pair]
        groups = [group for group in groups if not pair <= group] + split
        groups = [g for n, g in enumerate(groups) if not any(g < h or (g == h and m < n) for m, h in enumerate(groups))]
    groups.sort(key=lambda group: sorted(ranked.index(name) for name in group))
    return tuple("".join(chr(ord("a") + n) for n, group in enumerate(groups) if name in group) for name in ranked)


def _table(attempts: Sequence[MethodAttempt], limits: tuple[float, float]) -> Any:
    require("statsmodels", extra="evaluate")
    frame = require("pandas", extra="evaluate").DataFrame
    low, high = limits
    cut = [min(max(a.error, low), high) if not math.isnan(a.error) else high for a in attempts]
    rows = [(a.method, a.subject, f"{a.subject}/{a.case}", math.log(e)) for a, e in zip(attempts, cut, strict=True)]
    return frame(rows, columns=["method", "subject", "case", "log_error"])


def _mixed_model(table: Any, methods: Sequence[str]) -> tuple[Any, Any, str] | None:
    """Data frame in; means (M,) of log error, their covariance (M, M), and the sentence; None where the fit fails."""
    import numpy as np
    from statsmodels.regression.mixed_linear_model import MixedLM

    nested = table["subject"].nunique() > 1
    groups = table["subject"] if nested else table["case"]
    parts = {"case": "0 + C(case)"} if nested else None
    model = MixedLM.from_formula("log_error ~ 0 + C(method)", table, groups=groups, vc_formula=parts, re_formula="1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checks below decide
        try:
            fit = model.fit(reml=True)
        except (np.linalg.LinAlgError, ValueError):
            return None
    count = len(methods)
    covariance = np.asarray(fit.cov_params())[:count, :count]
    spread = float(fit.scale)
    if not (
        fit.converged
        and np.isfinite(covariance).all()
        and spread > 1e-8 * float(np.var(table["log_error"]))
        and (np.diag(covariance) > 0).all()
    ):
        return None
    intercepts = "subject and case" if nested else "case"
    sentence = f"Mixed-effects model of log error with random intercepts per {intercepts}, restricted likelihood."
    return np.asarray(fit.fe_params)[:count], covariance, sentence


def _fixed_model(table: Any, methods: Sequence[str]) -> tuple[Any, Any, str]:
    """The same from least squares with cases as fixed effects that add up to zero."""
    import numpy as np

    cases = sorted(set(table["case"]))
    design = np.zeros((len(table), len(methods) + len(cases) - 1))
    for row, (method, case) in enumerate(zip(table["method"], table["case"], strict=True)):
        design[row, methods.index(method)] = 1.0
        place = cases.index(case)
        if place < len(cases) - 1:
            design[row, len(methods) + place] = 1.0
        else:
            design[row, len(methods) :] = -1.0
    y = table["log_error"].to_numpy()
    values, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    freedom = len(y) - design.shape[1]
    if rank < design.shape[1] or freedom < 1:
        raise InputError("a ranking needs methods tried on the same cases, got too few of these in common.")
    noise = max(float(((y - design @ values) ** 2).sum()) / freedom, 1e-24)
    covariance = noise * np.linalg.inv(design.T @ design)
    count = len(methods)
    sentence = "The mixed-effects model was singular or did not converge: least squares with a fixed effect per case."
    return values[:count], covariance[:count, :count], sentence


def _compare(methods: Sequence[str], means: Any, covariance: Any) -> tuple[MethodComparison, ...]:
    """Wald tests of all pairs with Holm's adjustment."""
    pairs = list(combinations(range(len(methods)), 2))
    raw = []
    for a, b in pairs:
        deviation = math.sqrt(max(covariance[a, a] + covariance[b, b] - 2 * covariance[a, b], 1e-300))
        raw.append(math.erfc(abs(means[a] - means[b]) / deviation / math.sqrt(2)))
    adjusted = holm(raw)
    return tuple(
        MethodComparison(methods[a], methods[b], math.exp(means[a] - means[b]), p)
        for (a, b), p in zip(pairs, adjusted, strict=True)
    )
