"""Who reads what and in which order: every sample once, never far from its place, the same again for the same seed."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xraykit.render import InputError
from xraykit.render.dataset.read.order import ReadingOrder, Share, batches_delivered, itinerary, part

SIZES = st.lists(st.integers(0, 7), min_size=1, max_size=6)


def delivered(sizes, share, *, epoch=0, **order) -> list[tuple[int, int]]:
    plan = itinerary(sizes, share, epoch=epoch, settings=ReadingOrder(**order))
    return [(int(plan.shards[n]), int(plan.places[n])) for n in plan.delivery]


def shares(ranks: int, workers: int) -> list[Share]:
    return [Share(rank, ranks, worker, workers) for rank in range(ranks) for worker in range(workers)]


def all_samples(sizes) -> list[tuple[int, int]]:
    return [(shard, place) for shard, size in enumerate(sizes) for place in range(size)]


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(1, 4), st.integers(1, 3), st.booleans(), st.integers(1, 9), st.integers(0, 3))
def test_every_sample_comes_once_over_all_ranks_and_workers(sizes, ranks, workers, shuffle, window, epoch):
    order = {"shuffle": shuffle, "window": window, "uneven": "keep"}
    read = [delivered(sizes, s, epoch=epoch, **order) for s in shares(ranks, workers)]
    assert sorted(itertools.chain(*read)) == all_samples(sizes)
    lengths = [len(part) for part in read]
    assert max(lengths) - min(lengths) <= 2  # ranks differ by one, and the workers of a rank by one


@settings(max_examples=40, deadline=None)
@given(SIZES, st.integers(1, 4), st.integers(1, 3))
def test_ranks_can_be_made_equally_long(sizes, ranks, workers):
    total = sum(sizes)
    for uneven, each in (("drop", total // ranks), ("pad", -(-total // ranks))):
        read = [delivered(sizes, s, uneven=uneven) for s in shares(ranks, workers)]
        per_rank = [read[n * workers : (n + 1) * workers] for n in range(ranks)]
        assert {sum(map(len, of_rank)) for of_rank in per_rank} == {each}
        assert len({tuple(map(len, of_rank)) for of_rank in per_rank}) == 1  # so their batches are equally many
        samples = list(itertools.chain(*read))
        if uneven == "drop":
            assert len(set(samples)) == len(samples)
        else:
            assert set(samples) == set(all_samples(sizes))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 5))
def test_no_more_than_the_window_waits(count, window, seed):
    delivery = itinerary([count], Share(), epoch=0, settings=ReadingOrder(seed=seed, window=window)).delivery
    assert sorted(delivery.tolist()) == list(range(count))
    read = np.maximum.accumulate(delivery) + 1
    assert (read - np.arange(count)).max() <= window


def test_order_without_shuffling_is_that_of_the_shards():
    assert delivered([2, 0, 3], Share(), shuffle=False) == [(0, 0), (0, 1), (2, 0), (2, 1), (2, 2)]


def test_epochs_seeds_and_windows_differ_and_come_again():
    sizes = [30, 30, 30]
    orders = [delivered(sizes, Share(), epoch=e, seed=s, window=w) for e in (0, 1) for s in (0, 1) for w in (8, 90)]
    assert len({tuple(order) for order in orders}) == len(orders)
    assert delivered(sizes, Share(), epoch=1, seed=1, window=90) == orders[-1]


def test_workers_of_one_epoch_shuffle_apart():
    same_size = [itinerary([64], Share(0, 1, w, 2), epoch=0, settings=ReadingOrder()).delivery for w in (0, 1)]
    assert same_size[0].tolist() != same_size[1].tolist()


def test_few_shards_are_read_by_each_of_many_workers():
    plan = itinerary([100] * 40, Share(1, 4, 1, 2), epoch=0, settings=ReadingOrder())
    assert len(plan.shards) == 500
    assert len(np.unique(plan.shards)) <= 6


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(0, 12))
def test_turns_are_those_of_a_circle_that_the_finished_leave(counts, wanted):
    left, done, turn = list(counts), [0] * len(counts), 0
    for _ in range(min(wanted, sum(counts))):
        while not left[turn % len(counts)]:
            turn += 1
        left[turn % len(counts)] -= 1
        done[turn % len(counts)] += 1
        turn += 1
    assert batches_delivered(counts, wanted) == done


def test_parts_of_a_rank_lie_side_by_side():
    cuts = [part(10, Share(0, 1, worker, 3), uneven="keep") for worker in range(3)]
    assert cuts == [(0, 3), (3, 6), (6, 10)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"window": 0}, "window must be 1"), ({"seed": -1}, "seed must be 0"), ({"uneven": "cut"}, "uneven must be one")],
)
def test_impossible_order_is_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        ReadingOrder(**wrong)
