"""The success model is the logistic regression that it claims to be, and its scores are those of the textbook."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xraykit.render import FileError, InputError
from xraykit.xvr.trust.calibration import SuccessModel, auroc, fit_model, read_model, reliability, shipped_model

MODEL = SuccessModel(("a", "b"), (1.0, 0.0), (2.0, 1.0), (3.0, -1.0), 0.5, 5.0)


def drawn(count: int, seed: int = 0):
    """Cases whose chance of success is 1 / (1 + exp(-(2 a - b + 0.5)))."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 2))
    success = rng.random(count) < 1 / (1 + np.exp(-(2 * x[:, 0] - x[:, 1] + 0.5)))
    return [{"a": a, "b": b} for a, b in x.tolist()], success


def test_probability_is_the_logistic_function_of_standardised_features():
    assert MODEL.probability({"a": 1.0, "b": 0.5}) == pytest.approx(0.5)
    assert MODEL.probability({"a": 3.0, "b": 0.0, "unused": 9.0}) == pytest.approx(1 / (1 + math.exp(-3.5)))


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_probability_stays_between_0_and_1_and_rises_with_a_feature_of_positive_weight(a, b):
    low, high = sorted((a, b))
    assert 0 <= MODEL.probability({"a": low, "b": 0}) <= MODEL.probability({"a": high, "b": 0}) <= 1


@pytest.mark.parametrize("measured", [{"a": 1.0}, {"a": math.nan, "b": 0.0}, {"a": math.inf, "b": 0.0}])
def test_a_missing_or_endless_feature_is_named(measured):
    with pytest.raises(InputError, match="needs a finite"):
        MODEL.probability(measured)


def test_fitting_recovers_the_law_that_the_cases_were_drawn_from():
    measured, success = drawn(20_000)
    model = fit_model(measured, success, features=("a", "b"), threshold=5.0, ridge=1e-6)
    slopes = [weight / scale for weight, scale in zip(model.weights, model.scale, strict=True)]
    assert slopes == pytest.approx([2.0, -1.0], abs=0.1)
    assert model.probability({"a": 0.0, "b": 0.0}) == pytest.approx(1 / (1 + math.exp(-0.5)), abs=0.02)


def test_the_gradient_vanishes_at_the_fit():
    measured, success = drawn(200)
    model = fit_model(measured, success, features=("a", "b"), threshold=5.0, ridge=2.0)
    residual = np.array([model.probability(one) for one in measured]) - success
    z = np.array([[(one[n] - c) / s for n, c, s in zip(model.features, model.center, model.scale, strict=True)]
                  for one in measured])  # fmt: skip
    np.testing.assert_allclose(z.T @ residual + 2.0 * np.array(model.weights), 0, atol=1e-6)
    assert residual.sum() == pytest.approx(0, abs=1e-6)


def test_separable_cases_leave_the_weights_finite():
    measured = [{"a": float(a), "b": 0.0} for a in range(-5, 5)]
    model = fit_model(measured, [one["a"] >= 0 for one in measured], features=("a", "b"), threshold=5.0)
    assert 0.5 < model.probability({"a": 4.0, "b": 0.0}) < 1
    assert abs(model.weights[0]) < 10


@pytest.mark.parametrize("success", [[True] * 3, [False] * 3, [True, False]])
def test_fitting_needs_both_outcomes(success):
    with pytest.raises(InputError, match="successes and failures"):
        fit_model([{"a": 1.0}] * 3, success, features=("a",), threshold=5.0)


def test_a_model_comes_back_from_its_text():
    assert read_model(MODEL.to_json()) == MODEL


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": 1}', json.dumps({"features": ["a"], "surplus": 1})])
def test_another_text_is_no_model(text):
    with pytest.raises(FileError, match="a success model was expected"):
        read_model(text)


def test_a_model_with_a_weight_too_few_is_refused():
    values = json.loads(MODEL.to_json()) | {"weights": [1.0]}
    with pytest.raises(FileError, match="as many centres"):
        read_model(json.dumps(values))


def test_the_shipped_model_says_how_it_was_made_and_points_the_right_way():
    model = shipped_model()
    assert model.threshold == 5.0
    assert model.made["script"] == "benchmarks/studies/xvr_trust.py"
    sure = {
        "local_shift": math.log(0.1),
        "local_gain": math.log(0.004),
        "gradient_ncc": 0.8,
        "log_expected_error": -1.0,
    }
    lost = {"local_shift": math.log(2.5), "local_gain": math.log(0.1), "gradient_ncc": 0.1, "log_expected_error": 2.0}
    assert set(model.features) <= set(sure)
    assert model.probability(sure) > 0.95
    assert model.probability(lost) < 0.05


def test_the_area_under_the_curve_counts_ordered_pairs():
    assert auroc([0.9, 0.8, 0.3], [True, True, False]) == 1.0
    assert auroc([0.9, 0.1, 0.3], [True, True, False]) == 0.5
    assert auroc([0.5, 0.5], [True, False]) == 0.5
    with pytest.raises(InputError, match="both outcomes"):
        auroc([1.0], [True])


def test_bins_hold_what_was_predicted_and_what_came_true():
    low, high = reliability([0.1, 0.15, 0.95, 1.0], [False, True, True, True], bins=5)
    assert (low.count, low.predicted, low.observed) == (2, pytest.approx(0.125), 0.5)
    assert (high.count, high.predicted, high.observed) == (2, pytest.approx(0.975), 1.0)
