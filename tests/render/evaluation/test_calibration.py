"""The logistic model is the regression that it claims to be, and reliability counts what came true."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xraykit.render import InputError
from xraykit.render.evaluation import LogisticModel, expected_calibration_error, fit_logistic, reliability

MODEL = LogisticModel(("a", "b"), (1.0, 0.0), (2.0, 1.0), (3.0, -1.0), 0.5)


def drawn(count: int, seed: int = 0):
    """Cases whose chance of success is 1 / (1 + exp(-(2 a - b + 0.5)))."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 2))
    success = rng.random(count) < 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1] + 0.5)))
    return [{"a": a, "b": b} for a, b in x.tolist()], success


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_probability_stays_between_0_and_1_and_rises_with_a_feature_of_positive_weight(a, b):
    low, high = sorted((a, b))
    assert 0 <= MODEL.probability({"a": low, "b": 0}) <= MODEL.probability({"a": high, "b": 0}) <= 1


@pytest.mark.parametrize("measured", [{"a": 1.0}, {"a": math.nan, "b": 0.0}, {"a": math.inf, "b": 0.0}])
def test_a_missing_or_endless_feature_is_named(measured):
    with pytest.raises(InputError, match="needs a finite"):
        MODEL.probability(measured)


def test_the_gradient_vanishes_at_the_fit():
    measured, success = drawn(200)
    model = fit_logistic(measured, success, features=("a", "b"), ridge=2.0)
    residual = np.array([model.probability(one) for one in measured]) - success
    z = np.array([[(one[n] - c) / s for n, c, s in zip(model.features, model.center, model.scale, strict=True)]
                  for one in measured])  # fmt: skip
    np.testing.assert_allclose(z.T @ residual + 2.0 * np.array(model.weights), 0, atol=1e-6)
    assert residual.sum() == pytest.approx(0, abs=1e-6)


def test_separable_cases_leave_the_weights_finite():
    measured = [{"a": float(a), "b": 0.0} for a in range(-5, 5)]
    model = fit_logistic(measured, [one["a"] >= 0 for one in measured], features=("a", "b"))
    assert 0.5 < model.probability({"a": 4.0, "b": 0.0}) < 1
    assert abs(model.weights[0]) < 10


@pytest.mark.parametrize("success", [[True] * 3, [False] * 3, [True, False]])
def test_fitting_needs_both_outcomes(success):
    with pytest.raises(InputError, match="successes and failures"):
        fit_logistic([{"a": 1.0}] * 3, success, features=("a",))


def test_bins_hold_what_was_predicted_and_what_came_true():
    low, high = reliability([0.1, 0.15, 0.95, 1.0], [False, True, True, True], bins=5)
    assert (low.count, low.predicted, low.observed) == (2, pytest.approx(0.125), 0.5)
    assert (high.count, high.predicted, high.observed) == (2, pytest.approx(0.975), 1.0)


def test_calibration_error_is_the_weighted_gap_between_predicted_and_observed():
    """Bins of 3 and 1 cases: gaps |0.1 - 1/3| and |0.9 - 0|."""
    found = expected_calibration_error([0.1, 0.1, 0.1, 0.9], [True, False, False, False])
    assert found == pytest.approx(0.75 * (1 / 3 - 0.1) + 0.25 * 0.9)


def test_calibrated_predictions_have_almost_no_calibration_error():
    rng = np.random.default_rng(0)
    p = rng.random(50_000)
    came = rng.random(50_000) < p
    assert expected_calibration_error(p, came) < 0.01
    assert expected_calibration_error(p**2, came) > 0.1


@pytest.mark.parametrize(("p", "y"), [([0.5], [True, False]), ([], []), ([1.5], [True]), ([math.nan], [True])])
def test_what_is_no_probability_is_refused(p, y):
    with pytest.raises(InputError, match=r"probabilities in \[0, 1\] and outcomes"):
        reliability(p, y)
