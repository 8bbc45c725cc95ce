"""Batches by number are the same from workers and from here, whatever the order in which they are asked for."""

import pytest
import torch
from torch.utils.data import Dataset
from xraykit.render import InputError
from xraykit.render.seeds import epoch_order, item_stream
from xraykit.render.training import WorkerBatches, one_thread


class Squares(Dataset):
    """Tuples of a tensor and a text, by number."""

    def __getitem__(self, number):
        with one_thread():
            return torch.full((2,), float(number**2)), (f"batch {number}", torch.get_num_threads())


def test_batches_of_this_process_follow_from_their_number():
    batches = WorkerBatches(Squares(), workers=0)
    assert [batches.batch(n)[0].tolist() for n in (3, 0, 3)] == [[9, 9], [0, 0], [9, 9]]
    assert batches.state_dict() == {}
    batches.close()
    assert batches.batch(1)[1] == ("batch 1", 1)


def test_a_negative_number_is_refused():
    with pytest.raises(InputError, match="a batch's number must be 0 or more, got -1"):
        WorkerBatches(Squares(), workers=0).batch(-1)


@pytest.mark.slow
def test_workers_make_the_same_in_any_order_and_begin_anew_after_they_were_closed():
    batches = WorkerBatches(Squares(), workers=2)
    try:
        for number in (0, 1, 2, 7, 8, 1):
            made, told = batches.batch(number)
            assert made.tolist() == [number**2] * 2 and told == (f"batch {number}", 1)
        batches.close()
        assert batches.batch(4)[0].tolist() == [16, 16]
    finally:
        batches.close()


def test_the_number_of_threads_comes_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        fail_with_one_thread()
    assert torch.get_num_threads() == before


def fail_with_one_thread():
    with one_thread():
        return 1 / (torch.get_num_threads() - 1)


def test_orders_and_items_follow_from_seed_and_epoch_alone():
    order = epoch_order(1, 2, 50)
    assert sorted(order) == list(range(50)) and (epoch_order(1, 3, 50) != order).any()
    keys = [(place, purpose) for place in (0, 1) for purpose in (2, 3)]
    draws = {key: item_stream(1, 2, key[0], purpose=key[1]).random() for key in keys}
    assert len(set(draws.values())) == 4
    assert item_stream(1, 2, 0, purpose=2).random() == draws[0, 2]
