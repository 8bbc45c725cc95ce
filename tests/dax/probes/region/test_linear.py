"""The logistic regression is the minimum that others find, and its strength is chosen without a look outside."""

import numpy as np
import pytest
import torch
from xraykit.dax.probes.region import choose_strength, fit_linear, fit_published
from xraykit.dax.probes.region.linear import STRENGTHS
from xraykit.dax.probes.region.published import PublishedProtocol
from xraykit.render import InputError

EXTRA = "needs the extra: pip install 'xraykit-dax[umap]'"


def scene(cases: int = 90, dimensions: int = 12, count: int = 3, apart: float = 1.0):
    rng = np.random.default_rng(0)
    classes = np.arange(cases) % count
    centres = apart * rng.standard_normal((count, dimensions))
    scale = 10.0 ** rng.uniform(-3, 3, dimensions)  # as different as layers of a network
    return (centres[classes] + rng.standard_normal((cases, dimensions))) * scale + scale, classes


@pytest.mark.parametrize("dimensions", [5, 200])
@pytest.mark.parametrize("strength", [100.0, 1.0, 0.1])
def test_weights_are_those_of_scikit_learn(dimensions, strength):
    LogisticRegression = pytest.importorskip("sklearn.linear_model", reason=EXTRA).LogisticRegression

    x, y = scene(dimensions=dimensions)
    mine = fit_linear(x, y, 3, strength=strength)
    z = (x - x.mean(0)) / x.std(0)
    theirs = LogisticRegression(C=1 / strength, tol=1e-9, max_iter=5000).fit(z, y)
    np.testing.assert_allclose(mine.weight, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(mine.logits(x).softmax(1), theirs.predict_proba(z), atol=1e-4)
    assert mine.gradient < 1e-5


def test_the_fit_is_the_same_however_features_are_scaled_and_shifted():
    x, y = scene()
    first, second = fit_linear(x, y, 3, strength=1.0), fit_linear(x * 1e-4 + 7, y, 3, strength=1.0)
    np.testing.assert_allclose(first.logits(x), second.logits(x * 1e-4 + 7), atol=1e-4)


def test_constant_features_have_no_say():
    x, y = scene()
    with_constant = np.concatenate([x, np.full((len(x), 1), 5.0)], 1)
    fit = fit_linear(with_constant, y, 3, strength=1.0)
    assert float(fit.weight[:, -1].abs().max()) < 1e-8
    np.testing.assert_allclose(fit.logits(with_constant), fit_linear(x, y, 3, strength=1.0).logits(x), atol=1e-5)


def test_a_class_without_cases_is_unlikely():
    x, y = scene()
    assert float(fit_linear(x, y, 4, strength=1.0).logits(x).softmax(1)[:, 3].max()) < 1e-3


def test_features_that_say_nothing_get_the_strongest_penalty():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((80, 30)), np.arange(80) % 2
    assert choose_strength(x, y, 2, [f"p{n // 2}" for n in range(80)]) == max(STRENGTHS)


def test_features_that_say_much_get_a_weak_one():
    x, y = scene(apart=4.0)
    assert choose_strength(x, y, 3, [f"p{n // 3}" for n in range(90)]) <= 10


def test_images_of_a_patient_do_not_choose_the_strength_together():
    """Features that only tell patients apart would look good in folds that mix them."""
    rng = np.random.default_rng(2)
    patients = np.arange(96) // 8
    x = rng.standard_normal((12, 40))[patients] + 0.01 * rng.standard_normal((96, 40))
    y = (patients // 2) % 2
    together, apart = [str(p) for p in patients], [str(n) for n in range(96)]
    assert choose_strength(x, y, 2, together) > 100 * choose_strength(x, y, 2, apart)


def test_one_patient_leaves_the_strongest_penalty():
    x, y = scene()
    assert choose_strength(x, y, 3, ["p"] * 90) == max(STRENGTHS)


def test_the_published_protocol_leaves_small_features_unfitted():
    x, y = scene(apart=4.0, dimensions=6)
    small = (x - x.mean(0)) / x.std(0) * 1e-2
    published = fit_published(small, y, 3)
    linear = fit_linear(small, y, 3, strength=1.0)
    cross = [torch.nn.functional.cross_entropy(fit.logits(small), torch.from_numpy(y)) for fit in (published, linear)]
    assert float(cross[0]) > 1.0 > 0.1 > float(cross[1])  # ln 3 is chance


def test_the_published_protocol_is_one_layer_of_torch_under_sgd_and_cosine():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((64, 5)).astype(np.float32), np.arange(64) % 3
    protocol = PublishedProtocol(epochs=30, batch=64, rate=1.0)
    mine = fit_published(x, y, 3, protocol)
    layer = torch.nn.Linear(5, 3)
    with torch.no_grad():
        layer.weight.copy_(0.01 * torch.randn(3, 5, generator=torch.Generator().manual_seed(0)))
        layer.bias.zero_()
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.25, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 30)
    for _ in range(30):  # one batch holds all cases, so their order has no say
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(layer(torch.from_numpy(x)), torch.from_numpy(y)).backward()
        optimiser.step()
        schedule.step()
    torch.testing.assert_close(mine.weight.float(), layer.weight.detach(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("fit", [lambda x, y: fit_linear(x, y, 3, strength=1.0), lambda x, y: fit_published(x, y, 3)])
def test_features_that_are_not_finite_are_refused(fit):
    x, y = scene()
    x[3, 2] = np.nan
    with pytest.raises(InputError, match=r"finite \(N, D\) with a class for each, got \(90, 12\)"):
        fit(x, y)


def test_features_of_another_number_are_refused():
    x, y = scene()
    with pytest.raises(InputError, match="and 80 classes"):
        fit_linear(x, y[:80], 3, strength=1.0)


def test_a_penalty_of_nothing_is_refused():
    with pytest.raises(InputError, match=r"must be positive, got 0.0"):
        fit_linear(*scene(), 3, strength=0.0)
