"""The success model is a logistic model with the bound it was made for, and comes back from its text."""

import json
import math

import numpy as np
import pytest
from xraykit.render import FileError, InputError
from xraykit.xvr.trust.calibration import SuccessModel, fit_errors, fit_model, read_model, shipped_model

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


def test_fitting_recovers_the_law_that_the_cases_were_drawn_from():
    measured, success = drawn(20_000)
    model = fit_model(measured, success, features=("a", "b"), threshold=5.0, ridge=1e-6)
    slopes = [weight / scale for weight, scale in zip(model.weights, model.scale, strict=True)]
    assert slopes == pytest.approx([2.0, -1.0], abs=0.1)
    assert model.probability({"a": 0.0, "b": 0.0}) == pytest.approx(1 / (1 + math.exp(-0.5)), abs=0.02)


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
    sure = {"local_gain": math.log(0.011), "local_shift": math.log(0.1), "log_expected_error": -1.0}
    lost = {"local_gain": math.log(0.2), "local_shift": math.log(2.0), "log_expected_error": 2.0}
    assert set(model.features) <= set(sure)
    assert model.probability(sure) > 0.95
    assert model.probability(lost) < 0.05


def test_the_law_of_errors_is_recovered_and_its_limit_holds_nine_of_ten():
    rng = np.random.default_rng(1)
    predicted = np.exp(rng.normal(0, 1, 20_000))
    true = 0.5 * predicted**0.8 * np.exp(rng.normal(0, 0.6, 20_000))
    law = fit_errors(predicted, true)
    assert law == pytest.approx((0.5, 0.8, math.exp(0.6 * 1.2816)), rel=0.05)
    model = fit_model(*drawn(200), features=("a",), threshold=5.0, errors=law)
    assert model.expected_error(2.0) == pytest.approx(0.5 * 2.0**0.8, rel=0.05)
    assert model.expected_error(math.inf) == math.inf
    below = np.mean([t <= model.error_limit * model.expected_error(p) for p, t in zip(predicted, true, strict=True)])
    assert below == pytest.approx(0.9, abs=0.01)
    with pytest.raises(InputError, match="ten pairs or more"):
        fit_errors([1.0] * 9, [1.0] * 9)
