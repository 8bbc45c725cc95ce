"""Dense classes: known ones count, unknown ones do not."""

import pytest
import torch
from torch.nn import functional as F
from xraykit.fluorosam.loss import class_loss, dice_loss
from xraykit.render import InputError


def drawn(seed=0):
    rng = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 3, 4, 4, generator=rng, dtype=torch.float64)
    cover = (torch.rand(2, 3, 4, 4, generator=rng) > 0.6).double()
    cover[1, 2] = 0
    return logits, cover, torch.tensor([[True, True, False], [True, False, True]])


def test_losses_are_those_of_the_known_classes_one_by_one():
    logits, cover, known = drawn()
    entropy, dice = class_loss(logits, cover, known)
    pairs = [(0, 0), (0, 1), (1, 0), (1, 2)]
    assert float(entropy) == pytest.approx(
        sum(float(F.binary_cross_entropy_with_logits(logits[b, k], cover[b, k])) for b, k in pairs) / 4
    )
    assert float(dice) == pytest.approx(sum(float(dice_loss(logits[b, k], cover[b, k])) for b, k in pairs[:3]) / 3)


def test_unknown_classes_have_no_gradient():
    logits, cover, known = drawn()
    logits.requires_grad_(True)
    entropy, dice = class_loss(logits, cover, known)
    (gradient,) = torch.autograd.grad(entropy + dice, logits)
    assert bool((gradient[~known] == 0).all()) and bool((gradient[known].abs() > 0).all())


def test_gradients_are_right():
    logits, cover, known = drawn()
    assert torch.autograd.gradcheck(lambda x: class_loss(x, cover, known), logits.requires_grad_(True))


def test_nothing_known_is_no_loss():
    logits, cover, known = drawn()
    assert [float(each) for each in class_loss(logits, cover, torch.zeros_like(known))] == [0.0, 0.0]


def test_shapes_that_do_not_fit_are_refused():
    logits, cover, known = drawn()
    with pytest.raises(InputError, match=r"known \(B, K\)"):
        class_loss(logits, cover, known[:, :2])
