"""KoLeo is the mean logarithm of distances to nearest neighbours, with its sign changed."""

import math

import pytest
import torch
from xraykit.dax.loss import koleo_loss
from xraykit.render import InputError


def features(count=12, *, dtype=torch.float64):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(1), dtype=dtype)


def test_opposite_directions_are_as_far_apart_as_can_be():
    pair = torch.tensor([[3.0, 0.0], [-0.5, 0.0]])
    assert koleo_loss(pair).item() == pytest.approx(-math.log(2), abs=1e-6)


def test_corners_of_a_regular_polygon_have_its_edge():
    angle = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    polygon = torch.stack([angle.cos(), angle.sin()], 1)
    assert koleo_loss(polygon).item() == pytest.approx(-math.log(2 * math.sin(math.pi / 8)), abs=1e-7)


def test_lengths_and_order_do_not_matter():
    x = features()
    stretched = x * torch.linspace(0.1, 9, len(x), dtype=x.dtype)[:, None]
    assert koleo_loss(stretched.flip(0)).item() == pytest.approx(koleo_loss(x).item(), rel=1e-6)


def test_gradient_is_that_of_finite_differences():
    assert torch.autograd.gradcheck(koleo_loss, features().requires_grad_())


def test_equal_features_have_a_finite_loss_and_gradient():
    x = torch.ones(4, 3, requires_grad=True)
    loss = koleo_loss(x)
    loss.backward()
    assert loss.isfinite()
    assert x.grad.isfinite().all()


def test_half_precision_is_computed_in_float32():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = koleo_loss(features().bfloat16())
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(koleo_loss(features()).item(), abs=0.02)


@pytest.mark.peer
def test_lightly_finds_the_same_loss_and_gradient():
    peer = pytest.importorskip("lightly.loss").KoLeoLoss()
    x = features(30).requires_grad_()
    gradients = [torch.autograd.grad(loss(x), x)[0] for loss in (koleo_loss, peer)]
    torch.testing.assert_close(koleo_loss(x), peer(x))
    torch.testing.assert_close(*gradients)


def test_one_image_alone_is_refused():
    with pytest.raises(InputError, match=r"at least 2 images, got \(1, 3\)"):
        koleo_loss(torch.ones(1, 3))
