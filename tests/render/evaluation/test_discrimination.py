"""Scores tell cases apart as often as counting pairs says, ties and orders included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xraykit.render import InputError
from xraykit.render.evaluation import auroc, average_precision

CASES = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda cases: len({positive for _, positive in cases}) == 2
)


def test_the_area_under_the_curve_counts_ordered_pairs():
    assert auroc([0.9, 0.8, 0.3], [True, True, False]) == 1.0
    assert auroc([0.9, 0.1, 0.3], [True, True, False]) == 0.5
    assert auroc([0.5, 0.5], [True, False]) == 0.5
    with pytest.raises(InputError, match="both outcomes"):
        auroc([1.0], [True])


@given(CASES)
def test_the_area_is_that_of_every_pair_by_brute_force(cases):
    above, below = ([s for s, p in cases if p is wanted] for wanted in (True, False))
    wins = sum((a > b) + 0.5 * (a == b) for a in above for b in below)
    found = auroc([s for s, _ in cases], [p for _, p in cases])
    assert found == pytest.approx(wins / (len(above) * len(below)))
    assert auroc([-s for s, _ in cases], [p for _, p in cases]) == pytest.approx(1 - found)


@given(CASES)
def test_average_precision_is_the_mean_over_thresholds_by_brute_force(cases):
    """Sum over thresholds of precision times the step in recall."""
    positives = sum(p for _, p in cases)
    total, before = 0.0, 0
    for threshold in sorted({s for s, _ in cases}, reverse=True):
        chosen = [p for s, p in cases if s >= threshold]
        total += sum(chosen) / len(chosen) * (sum(chosen) - before) / positives
        before = sum(chosen)
    assert average_precision([s for s, _ in cases], [p for _, p in cases]) == pytest.approx(total)


def test_average_precision_of_a_worked_example():
    """Ranked + - + -: precision 1 at the first, 2/3 at the second positive."""
    assert average_precision([4.0, 3.0, 2.0, 1.0], [True, False, True, False]) == pytest.approx((1 + 2 / 3) / 2)


def test_a_hundred_thousand_cases_need_no_table_of_all_pairs():
    score = np.arange(100_000.0)
    assert auroc(score, score >= 50_000) == 1.0


@pytest.mark.parametrize("measure", [auroc, average_precision])
def test_scores_that_are_no_numbers_are_refused(measure):
    with pytest.raises(InputError, match="numbers \\(N,\\) alike"):
        measure([np.nan, 1.0], [True, False])
    with pytest.raises(InputError, match="numbers \\(N,\\) alike"):
        measure([1.0], [True, False])
