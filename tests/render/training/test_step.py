"""Around a step: random numbers, clipping, and failure."""

import pytest
import torch
from torch import nn
from xraykit.render.training import TrainingFailedError, clip_adaptively
from xraykit.render.training.step import seeded

CPU = torch.device("cpu")


def network():
    torch.manual_seed(0)
    made = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(27, 2))
    made(torch.randn(4, 1, 5, 5)).square().sum().backward()
    return made


def test_no_gradient_of_a_unit_is_longer_than_its_share_of_the_weights():
    made = network()
    clip_adaptively(made.parameters(), 0.01)
    kernel = made[0].weight
    norms = [parameter.flatten(1).norm(dim=1) for parameter in (kernel.grad, kernel.detach())]
    assert (norms[0] <= 0.01 * norms[1].clamp_min(1e-3) * (1 + 1e-5)).all()
    assert (norms[0] > 0).all()


def test_gradients_short_enough_and_missing_ones_are_left_alone():
    made, same = network(), network()
    made[2].bias.grad = None
    clip_adaptively(made.parameters(), 1e9)
    assert torch.equal(made[0].weight.grad, same[0].weight.grad) and made[2].bias.grad is None
    clip_adaptively(same.parameters(), 0.0)
    assert torch.equal(made[2].weight.grad, same[2].weight.grad)


def test_clipping_equals_timm_s_bit_for_bit():
    agc = pytest.importorskip("timm.utils.agc", reason="needs timm")
    ours, theirs = network(), network()
    clip_adaptively(ours.parameters(), 0.01)
    agc.adaptive_clip_grad(theirs.parameters(), clip_factor=0.01)
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_random_numbers_follow_from_seed_rank_and_batch_alone():
    def drawn(*key):
        with seeded(*key, CPU):
            return torch.rand(4)

    first = drawn(0, 0, 7)
    torch.rand(100)
    assert torch.equal(drawn(0, 0, 7), first)
    assert not any(torch.equal(drawn(*key), first) for key in ((1, 0, 7), (0, 1, 7), (0, 0, 8)))


def test_random_numbers_outside_go_on_as_if_nothing_had_been():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with seeded(0, 0, 0, CPU):
        torch.rand(5)
    assert torch.equal(torch.rand(2), expected)


def test_a_failure_says_what_to_do():
    assert str(TrainingFailedError.of("loss", "nan", 3)) == (
        "the loss must stay finite, got nan in batch 3; train again with a lower --rate, or with --precision 32-true."
    )


def test_a_failure_names_the_first_samples_of_its_batch():
    assert "in batch 3 (of a.dcm, b.dcm); train" in str(TrainingFailedError.of("loss", "nan", 3, ["a.dcm", "b.dcm"]))
    many = str(TrainingFailedError.of("loss", "nan", 3, [f"{n}.dcm" for n in range(32)]))
    assert "(of 0.dcm, 1.dcm, 2.dcm, 3.dcm, 4.dcm and 27 more)" in many
