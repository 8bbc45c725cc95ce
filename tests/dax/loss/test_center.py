"""The centre is the running mean of the teacher's logits, over all views and ranks."""

import pytest
import torch
from support.dax_ranks import on_ranks
from xraykit.dax.loss import Center
from xraykit.render import InputError


def test_the_centre_is_the_published_running_mean():
    center, expected = Center(5), torch.zeros(1, 5)
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        logits = torch.randn(2 * 3, 5, generator=generator)
        center.update(logits.chunk(2))
        expected = 0.9 * expected + 0.1 * logits.mean(0, keepdim=True)
    torch.testing.assert_close(center.center, expected)


def test_rows_together_are_the_same_as_views():
    one, other, third = Center(5), Center(5), Center(5)
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    one.update(logits)
    other.update(logits.chunk(2))
    third.update(logits.unflatten(0, (2, 3)))
    torch.testing.assert_close(one.center, other.center)
    torch.testing.assert_close(one.center, third.center)


def test_probabilities_are_the_softmax_of_centred_logits_without_gradient():
    center = Center(5)
    center.center.copy_(torch.arange(5.0)[None])
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    found = center.probabilities(logits, 0.04)
    for view, q in zip(logits, found, strict=True):
        torch.testing.assert_close(q, torch.softmax((view - torch.arange(5.0)) / 0.04, dim=-1))
        assert not q.requires_grad


def test_half_precision_gives_probabilities_in_float32():
    (q,) = Center(5).probabilities([torch.ones(2, 5, dtype=torch.bfloat16)], 0.04)
    assert q.dtype == torch.float32
    torch.testing.assert_close(q, torch.full((2, 5), 0.2))


def test_logits_that_are_only_the_centre_say_nothing():
    center = Center(4, momentum=0.0)
    logits = torch.tensor([[3.0, -1.0, 2.0, 9.0]]).repeat(6, 1)
    center.update(logits)
    torch.testing.assert_close(center.probabilities([logits], 0.01)[0], torch.full((6, 4), 0.25))


def test_the_published_key_is_the_whole_state():
    assert {name: tuple(value.shape) for name, value in Center(7).state_dict().items()} == {"center": (1, 7)}


def _update(rank: int) -> dict[str, torch.Tensor]:
    center = Center(3)
    center.update(torch.arange(12.0).view(4, 3)[:3] if rank == 0 else torch.arange(12.0).view(4, 3)[3:])
    return {"center": center.center}


@pytest.mark.slow
def test_the_mean_is_over_the_rows_of_all_ranks(tmp_path):
    alone = Center(3)
    alone.update(torch.arange(12.0).view(4, 3))
    for found in on_ranks(_update, tmp_path):
        torch.testing.assert_close(found["center"], alone.center)


def test_wrong_numbers_and_shapes_are_refused():
    with pytest.raises(InputError, match=r"momentum .* 0 to 1, got 1\.5"):
        Center(3, momentum=1.5)
    with pytest.raises(InputError, match="temperature must be above 0, got 0"):
        Center(3).probabilities([torch.zeros(2, 3)], 0)
    with pytest.raises(InputError, match=r"must be \(batch, 3\), got \(3,\)"):
        Center(3).probabilities(torch.zeros(4, 3), 0.04)
