"""Paired tests count what enumeration counts, and Holm adjusts as published."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from xraykit.render import InputError
from xraykit.render.evaluation import holm, mcnemar_test, paired_permutation_test, sign_test, wilcoxon_test


def enumerated(ranks, statistic) -> float:
    """The share of all signs whose rank sum lies as far from the middle."""
    middle = sum(ranks) / 2
    sums = [sum(r for r, s in zip(ranks, signs, strict=True) if s) for signs in product((0, 1), repeat=len(ranks))]
    return sum(abs(s - middle) >= abs(statistic - middle) for s in sums) / len(sums)


@pytest.mark.parametrize(
    ("difference", "ranks"),
    [
        ([0.3, -0.1, 0.8, 0.2, 1.4], [3, 1, 4, 2, 5]),
        ([0.5, -0.5, 1.0, 2.0, 2.0, -2.0], [1.5, 1.5, 3, 5, 5, 5]),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], list(range(1, 11))),
    ],
)
def test_wilcoxon_counts_all_signs_ties_included(difference, ranks):
    second = np.zeros(len(difference) + 1)
    found = wilcoxon_test([*difference, 0.0], second)  # the last case is a tie and has no say
    expected = sum(r for r, d in zip(ranks, difference, strict=True) if d > 0)
    assert (found.statistic, found.pairs) == (expected, len(ranks))
    assert found.p == pytest.approx(enumerated(ranks, expected))


def test_wilcoxon_agrees_with_scipy_exact_and_by_the_normal_law():
    stats = pytest.importorskip("scipy.stats", reason="needs the extra evaluate")
    rng = np.random.default_rng(0)
    for n, method in ((40, "exact"), (200, "exact"), (500, "asymptotic")):
        a, b = rng.normal(size=n), rng.normal(0.15, size=n)
        expected = stats.wilcoxon(a, b, method=method, correction=False)
        assert wilcoxon_test(a, b).p == pytest.approx(expected.pvalue, rel=1e-6)


def test_lost_cases_are_the_worst_and_two_of_them_a_tie():
    found = wilcoxon_test([1.0, math.inf, math.nan, 3.0], [2.0, 5.0, math.inf, 9.0])
    assert (found.statistic, found.pairs) == (3.0, 3)
    assert wilcoxon_test([math.inf], [math.nan]) == (0.0, 1.0, 0)


@pytest.mark.parametrize(("larger", "smaller"), [(0, 5), (3, 9), (7, 7), (60, 40), (3, 997)])
def test_sign_test_is_the_binomial_law_exactly(larger, smaller):
    n, fewer = larger + smaller, min(larger, smaller)
    expected = min(Fraction(1), 2 * sum(Fraction(math.comb(n, k), 2**n) for k in range(fewer + 1)))
    found = sign_test([1.0] * larger + [0.0] * smaller + [4.0], [0.0] * larger + [1.0] * smaller + [4.0])
    assert (found.statistic, found.pairs) == (larger, n)
    assert found.p == pytest.approx(float(expected), rel=1e-9)


def test_mcnemar_looks_at_the_cases_in_which_one_method_alone_succeeded():
    first = [True] * 50 + [True] * 9 + [False] * 2 + [False] * 30
    second = [True] * 50 + [False] * 9 + [True] * 2 + [False] * 30
    found = mcnemar_test(first, second)
    assert (found.statistic, found.pairs) == (9, 11)
    assert found.p == pytest.approx(2 * sum(math.comb(11, k) for k in range(3)) / 2**11)
    assert mcnemar_test([True, False], [True, False]).p == 1.0


def test_permutation_counts_all_exchanges_of_few_cases():
    difference = np.array([0.4, -0.1, 0.7, 0.9, 0.2])
    found = paired_permutation_test(difference, np.zeros(5))
    means = [np.mean(difference * signs) for signs in product((1, -1), repeat=5)]
    assert found.statistic == pytest.approx(difference.mean())
    assert found.p == pytest.approx(np.mean([abs(m) >= abs(difference.mean()) - 1e-12 for m in means]))


def test_random_exchanges_of_many_cases_come_near_the_t_test_and_never_reach_zero():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.3, 1.0, 60), rng.normal(0.0, 1.0, 60)
    d = a - b
    normal = math.erfc(abs(d.mean()) / (d.std(ddof=1) / math.sqrt(60)) / math.sqrt(2))
    found = paired_permutation_test(a, b)
    assert found.p == pytest.approx(normal, abs=0.02)
    assert found == paired_permutation_test(a, b)
    assert paired_permutation_test(a + 50, b, resamples=99).p == pytest.approx(0.01)


def test_equal_methods_are_told_apart_one_time_in_twenty():
    rng = np.random.default_rng(0)
    for test in (wilcoxon_test, paired_permutation_test):
        p = [test(*rng.lognormal(size=(2, 12))).p for _ in range(400)]
        assert 0.02 < np.mean(np.array(p) < 0.05) < 0.08


@pytest.mark.parametrize("test", [wilcoxon_test, sign_test, paired_permutation_test])
def test_scores_of_other_cases_are_refused(test):
    for first, second in (([1.0], [1.0, 2.0]), ([], [])):
        with pytest.raises(InputError, match="two rows of scores of the same cases"):
            test(first, second)


def test_mistakes_are_named():
    with pytest.raises(InputError, match="must be booleans, got float64"):
        mcnemar_test([0.1], [True])
    with pytest.raises(InputError, match="means need finite scores"):
        paired_permutation_test([math.inf], [1.0])


def test_holm_multiplies_by_the_number_of_tests_left_and_never_falls():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
