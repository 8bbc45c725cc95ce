"""Scores have intervals over patients, and differences are paired."""

import numpy as np
import pytest
from xraykit.dax.probes import ScoredCases, differences, scored


def cases(name, values, *, patients=None):
    n = len(values)
    whose = tuple(patients or (f"p{k // 2}" for k in range(n)))
    names, folds = tuple(f"i{k}" for k in range(n)), tuple(k % 4 for k in range(n))
    return ScoredCases(name, np.array(values)[:, None], np.array(values), names, whose, folds)


def mean(values):
    return float(values.mean())


def test_mean_and_deviation_over_folds_are_those_of_numpy():
    values = np.random.default_rng(0).random(40)
    one = scored(cases("a", values), mean)
    folds = [values[n::4].mean() for n in range(4)]
    assert one.fold_mean == pytest.approx(np.mean(folds)) and one.fold_deviation == pytest.approx(np.std(folds, ddof=1))
    assert one.score == pytest.approx(values.mean()) and one.low < one.score < one.high and one.cases == 40


def test_images_that_repeat_a_patient_make_no_interval_shorter():
    values = np.random.default_rng(1).random(20)
    once = scored(cases("a", values, patients=[f"p{n}" for n in range(20)]), mean)
    often = scored(cases("a", np.repeat(values, 8), patients=[f"p{n // 8}" for n in range(160)]), mean)
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=0.1)


def test_a_constant_gap_is_certain_however_much_cases_vary():
    values = np.random.default_rng(2).random(60)
    (one,) = differences([cases("a", values + 0.01), cases("b", values)], mean)
    assert one.difference == pytest.approx(0.01) and one.low == pytest.approx(0.01) and one.p < 0.001
    assert one.patients == 30


def test_p_is_adjusted_for_all_pairs():
    rng = np.random.default_rng(3)
    three = [cases(name, rng.random(40)) for name in "abc"]
    alone = differences(three[:2], mean)[0].p
    assert differences(three, mean)[0].p >= alone
