"""The losses against loops and closed forms, and what a mask leaves out."""

import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from xraykit.corr.loss import balancing_weight, match_loss
from xraykit.render import InputError


class Output(NamedTuple):
    probability: Tensor
    logits: Tensor | None


def case(seed=0, shape=(2, 3, 4, 4)):
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(shape, generator=draw, dtype=torch.float64)
    truth = torch.rand(shape, generator=draw, dtype=torch.float64)
    truth = torch.where(truth < 0.5, 0.0, truth)
    return logits, truth


def output(logits, *, with_logits=True):
    return Output(torch.sigmoid(logits), logits if with_logits else None)


def entry(p, c, kind):
    if kind == "mse":
        return (p - c) ** 2
    yes, no = math.log(p), math.log(1 - p)
    if kind == "focal":
        yes, no = (1 - p) ** 2 * yes, p**2 * no
    return -c * yes - (1 - c) * no


def loop(logits, truth, mask, kind, weight, balanced):
    sums, totals = [0.0, 0.0], [0.0, 0.0]
    for z, c, m in zip(logits.flatten().tolist(), truth.flatten().tolist(), mask.flatten().tolist(), strict=True):
        w = m * (1 + (weight - 1) * c)
        side = int(c >= 0.5) if balanced else 0
        sums[side] += w * entry(1 / (1 + math.exp(-z)), c, kind)
        totals[side] += w
    means = [s / t for s, t in zip(sums, totals, strict=True) if t > 0]
    return sum(means) / len(means)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("weight", [1.0, 7.0])
@pytest.mark.parametrize("with_logits", [True, False])
@pytest.mark.parametrize("kind", ["mse", "bce", "focal"])
def test_loss_is_the_loop_over_entries(kind, with_logits, weight, balanced):
    logits, truth = case()
    mask = torch.rand(truth.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    mask = torch.where(mask < 0.6, 0.0, mask)
    found = match_loss(
        output(logits, with_logits=with_logits),
        truth,
        kind=kind,
        positive_weight=weight,
        mask=mask,
        balanced=balanced,
    )
    assert float(found) == pytest.approx(loop(logits, truth, mask, kind, weight, balanced), rel=1e-12)


def test_constant_prediction_of_the_density_costs_its_variance():
    truth = torch.zeros(1, 1, 10, 10)
    truth[..., 0] = 1.0
    constant = torch.full_like(truth, 0.1)
    found = match_loss(Output(constant, torch.logit(constant)), truth)
    assert float(found) == pytest.approx(0.1 * 0.9, rel=1e-6)
    bce = match_loss(Output(constant, torch.logit(constant)), truth, kind="bce")
    assert float(bce) == pytest.approx(-0.1 * math.log(0.1) - 0.9 * math.log(0.9), rel=1e-5)


@pytest.mark.parametrize("with_logits", [True, False])
@pytest.mark.parametrize("kind", ["mse", "bce", "focal"])
def test_gradients_are_those_of_finite_differences(kind, with_logits):
    logits, truth = case(shape=(1, 2, 3, 3))
    mask = torch.ones(truth.shape, dtype=torch.bool)
    mask[0, 1, 2] = False

    def value(z):
        return match_loss(output(z, with_logits=with_logits), truth, kind=kind, positive_weight=3.0, mask=mask)

    assert torch.autograd.gradcheck(value, (logits.requires_grad_(),))


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("kind", ["mse", "bce", "focal"])
def test_entries_without_label_get_exactly_no_gradient(kind, balanced):
    logits, truth = case()
    logits = logits.float()
    mask = torch.zeros(truth.shape, dtype=torch.bool)
    mask[0, 0, 1, 2] = mask[1, 2, 3, 3] = True
    logits[0, 1, 0, 0], truth[1, 1, 1, 1] = torch.inf, torch.nan
    for asked in (logits, torch.sigmoid(logits)):
        leaf = asked.clone().requires_grad_()
        made = output(leaf) if asked is logits else Output(leaf, None)
        loss = match_loss(made, truth, kind=kind, mask=mask, balanced=balanced)
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.equal(leaf.grad != 0, mask)


def test_padded_views_change_nothing():
    logits, truth = case()
    real = torch.tensor([[True, False, True], [True, True, True]])
    padded = match_loss(output(logits), truth, mask=real[..., None, None])
    kept = match_loss(output(logits[real][:, None]), truth[real][:, None])
    assert float(padded) == pytest.approx(float(kept), rel=1e-12)


def test_nothing_counted_costs_nothing():
    logits, truth = case()
    leaf = logits.requires_grad_()
    for balanced in (False, True):
        loss = match_loss(output(leaf), truth, mask=torch.zeros(2, 3, 1, 1), balanced=balanced)
        loss.backward()
        assert float(loss.detach()) == 0.0
    assert not leaf.grad.any()


def test_autocast_has_no_say():
    logits, truth = (values.float() for values in case())
    outside = match_loss(output(logits), truth, kind="bce")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = match_loss(output(logits), truth, kind="bce")
        low = match_loss(Output(torch.sigmoid(logits).bfloat16(), None), truth)
    assert torch.equal(inside, outside)
    assert inside.dtype == low.dtype == torch.float32


@pytest.mark.parametrize("kind", ["bce", "focal"])
def test_certain_and_wrong_probabilities_without_logits_cost_much_but_not_infinitely(kind):
    certain = torch.tensor([[0.0, 1.0], [1.0, 0.0]])[None, None].requires_grad_()
    loss = match_loss(Output(certain, None), torch.eye(2)[None, None], kind=kind)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(-math.log(torch.finfo(torch.float32).tiny), rel=1e-5)
    assert torch.isfinite(certain.grad).all()


def test_weight_of_positives_balances_up_to_ten():
    assert balancing_weight(0.25) == pytest.approx(3.0)
    assert balancing_weight(0.01) == 10.0
    assert balancing_weight(0.9) == 1.0
    with pytest.raises(InputError, match="density of positives must lie above 0"):
        balancing_weight(0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": torch.zeros(2, 3, 9, 9)}, r"truth must be \(B, P, L, L\) as predicted, \(2, 3, 4, 4\), got"),
        ({"kind": "nll"}, "the loss must be one of mse, bce, focal, got 'nll'"),
        ({"positive_weight": 0.0}, "weight of positives must be above 0, got 0.0"),
        ({"mask": torch.ones(2, 3, 5, 5)}, r"mask must broadcast to the truth's \(2, 3, 4, 4\), got \(2, 3, 5, 5\)"),
    ],
)
def test_input_that_does_not_fit_is_refused(changes, message):
    logits, truth = case()
    with pytest.raises(InputError, match=message):
        match_loss(output(logits), **{"truth": truth, **changes})
