"""Losses of masks equal their formulas pixel by pixel; an empty truth is answered by an empty mask."""

import math

import pytest
import torch
from xraykit.fluorosam.loss import best_mask_loss, chosen_masks, dice_loss, focal_loss, mask_iou, quality_loss
from xraykit.render import InputError

DRAW = torch.Generator().manual_seed(0)
LOGITS = 2 * torch.randn(2, 3, 5, 7, generator=DRAW, dtype=torch.float64)
TRUTH = torch.rand(2, 3, 5, 7, generator=DRAW) < 0.4


def by_pixel(logits, truth):
    """Dice, focal and intersection over union of one mask, by loops."""
    both = of_p = of_t = focal = inter = union = 0.0
    for x, t in zip(logits.flatten().tolist(), truth.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-x))
        both, of_p, of_t = both + p * t, of_p + p, of_t + t
        right, weight = (p, 0.25) if t else (1 - p, 0.75)
        focal -= weight * (1 - right) ** 2 * math.log(right)
        inter, union = inter + (x > 0 and t), union + (x > 0 or t)
    return 1 - (2 * both + 1) / (of_p + of_t + 1), focal / logits.numel(), inter / union


def test_losses_are_their_formulas():
    dice, focal, iou = dice_loss(LOGITS, TRUTH), focal_loss(LOGITS, TRUTH), mask_iou(LOGITS, TRUTH)
    for at in ((0, 0), (1, 2), (0, 1)):
        expected = by_pixel(LOGITS[at], TRUTH[at])
        assert [float(each[at]) for each in (dice, focal, iou)] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("loss", [dice_loss, focal_loss, lambda x, t: focal_loss(x, t, alpha=0.6, gamma=1.5)])
def test_gradients_are_right(loss):
    assert torch.autograd.gradcheck(lambda x: loss(x, TRUTH[0]), LOGITS[0].clone().requires_grad_())


def test_an_empty_truth_asks_for_an_empty_mask():
    nothing, empty, full = torch.zeros(4, 4, dtype=torch.bool), torch.full((4, 4), -30.0), torch.full((4, 4), 30.0)
    assert float(dice_loss(empty, nothing)) == pytest.approx(0, abs=1e-6)
    assert float(dice_loss(full, nothing)) > 0.9
    assert float(mask_iou(empty, nothing)) == float(mask_iou(full, nothing)) == 0


def test_extreme_logits_stay_finite_with_their_gradients():
    x = torch.tensor([[-1e4, 1e4], [1e4, -1e4]], requires_grad=True)
    truth = torch.tensor([[True, True], [False, False]])
    (dice_loss(x, truth) + focal_loss(x, truth)).backward()
    assert bool(torch.isfinite(x.grad).all())


def test_the_best_of_three_learns_and_the_quality_of_all():
    logits = LOGITS[:, None].repeat(1, 2, 1, 1, 1).clone().requires_grad_()
    quality = torch.rand(2, 2, 3, generator=DRAW, dtype=torch.float64).requires_grad_()
    truth = TRUTH[:, :2]
    found = best_mask_loss(logits, quality, truth, dice_weight=2.0, focal_weight=3.0)
    wide = truth[:, :, None].expand_as(logits)
    every = 2 * dice_loss(logits, wide) + 3 * focal_loss(logits, wide)
    torch.testing.assert_close(found.mask, every.min(2).values)
    torch.testing.assert_close(found.quality, (quality - found.iou).square().mean(2))
    gradient = torch.autograd.grad(found.mask.sum() + found.quality.sum(), [logits, quality], retain_graph=True)
    torch.testing.assert_close(gradient[0], torch.autograd.grad(every.min(2).values.sum(), logits)[0])
    assert bool((gradient[0].flatten(3).abs().sum(3) > 0).sum(2).eq(1).all())
    assert bool((gradient[1] != 0).all())
    torch.testing.assert_close(chosen_masks(logits, found.best)[1, 0], logits[1, 0, int(found.best[1, 0])])


def test_shapes_must_go_together():
    with pytest.raises(InputError, match="prediction and truth must have one shape, got"):
        dice_loss(LOGITS, TRUTH[0])
    with pytest.raises(InputError, match="prediction and truth must have one shape"):
        mask_iou(LOGITS, TRUTH[0])
    with pytest.raises(InputError, match="prediction and truth must have one shape"):
        quality_loss(torch.zeros(2, 3), torch.zeros(2))
    with pytest.raises(InputError, match=r"logits \(B, P, M, H, W\), quality"):
        best_mask_loss(LOGITS, torch.zeros(2, 3), TRUTH)
