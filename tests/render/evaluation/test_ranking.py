"""The ranking finds the order that was put in, tells apart what differs, and says when it had to fall back."""

import math

import numpy as np
import pytest

pytest.importorskip("statsmodels", reason="needs the extra evaluate")

from xraykit.render.evaluation import MethodAttempt, compact_letters, rank_methods


def study(factors: dict[str, float], *, subjects: int = 4, cases: int = 6, noise: float = 0.3, seed: int = 0):
    """Errors = factor of the method x that of the subject x that of the case x noise, all log-normal."""
    rng = np.random.default_rng(seed)
    rows = []
    for s in range(subjects):
        by_subject = rng.normal(0, 0.8)
        for x in range(cases):
            by_case = rng.normal(0, 1.0)
            for method, factor in factors.items():
                error = factor * math.exp(by_subject + by_case + rng.normal(0, noise))
                rows.append(MethodAttempt(method, f"s{s}", f"x{x}", error))
    return rows


def test_methods_are_ranked_and_only_true_differences_told_apart():
    """Cases differ by a factor of e; a factor of 2 between methods shows because they meet the same cases."""
    ranking = rank_methods(study({"worst": 4.0, "twin": 1.0, "best": 1.0, "middle": 2.0}))
    assert ranking.methods[2:] == ("middle", "worst") and set(ranking.methods[:2]) == {"twin", "best"}
    assert ranking.letters == ("a", "a", "b", "c")
    assert "random intercepts per subject and case" in ranking.model
    pair = next(c for c in ranking.comparisons if {c.first, c.second} == {"best", "worst"})
    assert pair.ratio == pytest.approx(0.25, rel=0.25) and pair.p < 1e-6


def test_balanced_data_give_the_geometric_means_and_the_paired_standard_error():
    """Closed form: in balanced data the estimates are the means of logs, their difference that of paired logs."""
    rows = study({"a": 1.0, "b": 1.5}, subjects=1, cases=30)
    ranking = rank_methods(rows)
    logs = {name: np.array([math.log(r.error) for r in rows if r.method == name]) for name in "ab"}
    assert ranking.typical_errors == pytest.approx([math.exp(logs[name].mean()) for name in "ab"], rel=1e-6)
    difference = logs["a"] - logs["b"]
    z = difference.mean() / (difference.std(ddof=1) / math.sqrt(30))
    assert ranking.comparisons[0].p == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), rel=0.02)
    assert "random intercepts per case" in ranking.model


def test_the_choice_of_unit_changes_no_comparison():
    rows = study({"a": 1.0, "b": 1.3, "c": 1.1})
    scaled = [row._replace(error=row.error * 7) for row in rows]
    one, other = rank_methods(rows), rank_methods(scaled)
    assert one.methods == other.methods and one.letters == other.letters
    for c, d in zip(one.comparisons, other.comparisons, strict=True):
        assert c.p == pytest.approx(d.p, rel=1e-3, abs=1e-9)


def test_failures_that_are_not_finite_count_as_the_upper_limit():
    rows = study({"good": 1.0, "lost": 1.0}, noise=0.1)
    rows = [row._replace(error=math.inf if row.method == "lost" and row.case == "x0" else row.error) for row in rows]
    named = [row._replace(error=1e4 if math.isinf(row.error) else row.error) for row in rows]
    assert rank_methods(rows) == rank_methods(named)
    assert rank_methods(rows).methods[0] == "good"


def test_a_singular_study_falls_back_to_fixed_effects_and_says_so():
    """Without any noise the likelihood has no maximum; the means are exact all the same."""
    rows = study({"a": 1.0, "b": 3.0}, noise=0.0)
    ranking = rank_methods(rows)
    assert ranking.methods == ("a", "b") and ranking.letters == ("a", "b")
    assert ranking.comparisons[0].ratio == pytest.approx(1 / 3)
    assert "singular or did not converge" in ranking.model


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [MethodAttempt("a", "s", "1", 1.0), MethodAttempt("a", "s", "2", 1.0)],
            "two methods and two cases, got 1 and 2",
        ),
        ([MethodAttempt("a", "s", "1", 1.0), MethodAttempt("b", "s", "2", 1.0)], "too few of these in common"),
    ],
)
def test_studies_that_cannot_rank_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        rank_methods(rows)


def test_limits_that_are_none_are_refused():
    for limits in ((0.0, 1.0), (2.0, 1.0), (1.0, math.inf)):
        with pytest.raises(ValueError, match="limits of errors must be positive, finite and growing"):
            rank_methods(study({"a": 1.0, "b": 1.0}), limits=limits)


def test_letters_are_shared_by_those_that_are_not_told_apart():
    def pairs(*names: str) -> set[frozenset[str]]:
        return {frozenset(name) for name in names}

    assert compact_letters("abc", set()) == ("a", "a", "a")
    assert compact_letters("abc", pairs("ac")) == ("a", "ab", "b")
    assert compact_letters("abc", pairs("ab", "ac", "bc")) == ("a", "b", "c")
    assert compact_letters("abcd", pairs("ad", "bd", "ac")) == ("a", "ab", "bc", "c")
