"""Sinkhorn-Knopp shares the prototypes out alike."""

import pytest
import torch
from support.dax_ranks import on_ranks
from xraykit.dax.loss import sinkhorn
from xraykit.render import InputError


def logits(rows=8, prototypes=5, seed=0, dtype=torch.float64):
    return torch.randn(rows, prototypes, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_in_the_limit_it_is_doubly_stochastic():
    q = sinkhorn(logits(), 0.3, iterations=500)
    torch.testing.assert_close(q.sum(1), torch.ones(8, dtype=q.dtype))
    torch.testing.assert_close(q.sum(0), torch.full((5,), 8 / 5, dtype=q.dtype), rtol=1e-6, atol=0)


def test_after_three_iterations_rows_sum_to_one_and_columns_are_nearer_than_of_softmax():
    x = logits(64, 16)
    q, plain = sinkhorn(x, 0.5), torch.softmax(x / 0.5, dim=1)
    torch.testing.assert_close(q.sum(1), torch.ones(64, dtype=q.dtype))
    assert (q.sum(0) - 4).abs().max() < 0.2 * (plain.sum(0) - 4).abs().max()


def test_it_follows_a_permutation_of_rows_and_prototypes():
    x, rows, columns = logits(), torch.randperm(8), torch.randperm(5)
    torch.testing.assert_close(sinkhorn(x[rows][:, columns], 0.1), sinkhorn(x, 0.1)[rows][:, columns])


def test_a_shift_of_a_prototype_does_not_matter():
    x = logits()
    torch.testing.assert_close(sinkhorn(x + torch.arange(5.0), 0.2), sinkhorn(x, 0.2))


def test_sharp_temperatures_neither_overflow_nor_leave_a_row_empty():
    x = logits(dtype=torch.float32) * 100
    x[3] -= 5000
    q = sinkhorn(x, 0.01)
    torch.testing.assert_close(q.sum(1), torch.ones(8))


@pytest.mark.peer
def test_lightlys_swav_shares_out_alike():
    peer = pytest.importorskip("lightly.loss.swav_loss")
    x = logits()
    torch.testing.assert_close(sinkhorn(x, 0.4), peer.sinkhorn(x, iterations=3, epsilon=0.4), rtol=1e-6, atol=1e-9)


def _share(rank: int) -> dict[str, torch.Tensor]:
    return {"q": sinkhorn(logits()[4 * rank : 4 * rank + 4], 0.1)}


@pytest.mark.slow
def test_rows_of_two_ranks_are_shared_out_together(tmp_path):
    found = torch.cat([each["q"] for each in on_ranks(_share, tmp_path)])
    torch.testing.assert_close(found, sinkhorn(logits(), 0.1))


@pytest.mark.parametrize(
    ("x", "temperature", "iterations"), [(torch.ones(3), 0.1, 3), (torch.ones(3, 3), 0, 3), (torch.ones(3, 3), 0.1, 0)]
)
def test_what_cannot_be_shared_out_is_refused(x, temperature, iterations):
    with pytest.raises(InputError, match="at least 1 iteration and a temperature above 0"):
        sinkhorn(x, temperature, iterations=iterations)
