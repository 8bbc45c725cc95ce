"""The patch loss is the mean over masked patches of an image, then over images."""

import math

import pytest
import torch
from xraykit.dax.loss import Center, masked_patch_loss
from xraykit.render import InputError


def patches(*, dtype=torch.float64):
    generator = torch.Generator().manual_seed(2)
    masked = torch.zeros(4, 9, dtype=torch.bool)
    masked[0, :5], masked[1, 3], masked[3, ::2] = True, True, True
    student, logits = torch.randn(2, int(masked.sum()), 17, generator=generator, dtype=dtype)
    return student.requires_grad_(), torch.softmax(logits / 0.2, dim=-1), masked


def test_each_image_counts_alike_and_one_without_masked_patches_counts_as_zero():
    student, teacher, masked = patches()
    each = -(teacher * torch.log_softmax(student / 0.1, dim=-1)).sum(-1)
    expected = sum(part.mean() for part in each.split([5, 1, 5])) / 4
    found = masked_patch_loss(student, teacher, masked)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    gradients = [torch.autograd.grad(loss, student)[0] for loss in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-14)


def test_the_analytic_gradient_is_that_of_finite_differences():
    student, teacher, masked = patches()
    assert torch.autograd.gradcheck(lambda logits: masked_patch_loss(logits, teacher, masked, temperature=0.7), student)


def test_nothing_known_is_the_logarithm_of_the_prototypes():
    masked = torch.ones(3, 4, dtype=torch.bool)
    loss = masked_patch_loss(torch.zeros(12, 50), torch.full((12, 50), 0.02), masked)
    assert loss.item() == pytest.approx(math.log(50), rel=1e-6)


def test_a_batch_without_masked_patches_has_no_loss():
    student = torch.zeros(0, 5, requires_grad=True)
    loss = masked_patch_loss(student, torch.zeros(0, 5), torch.zeros(2, 4, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert student.grad.shape == (0, 5)


@pytest.mark.peer
def test_lightly_finds_the_same_loss():
    losses = pytest.importorskip("lightly.loss")
    student, _, masked = patches()
    logits = torch.randn(student.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    theirs = losses.IBOTPatchLoss(17).double()(logits, student, masked.unflatten(1, (3, 3)))
    (teacher,) = Center(17).probabilities([logits], 0.04)
    ours = masked_patch_loss(student, teacher, masked)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)
    gradients = [torch.autograd.grad(loss, student)[0] for loss in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-6)


def test_shapes_that_do_not_fit_are_refused():
    student, teacher, masked = patches()
    with pytest.raises(InputError, match=r"\(masked patches, prototypes\)"):
        masked_patch_loss(student, teacher[:-1], masked)
    with pytest.raises(InputError, match="one patch for each of 11 logits, got 5"):
        masked_patch_loss(student, teacher, masked[:1])
    with pytest.raises(InputError, match="temperature must be above 0"):
        masked_patch_loss(student, teacher, masked, temperature=-1)
