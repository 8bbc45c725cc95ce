"""A loader can stop after any batch and go on with the next, whatever its workers have prefetched."""

import itertools
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from support.dataset_shards import write_dataset
from support.dax_ranks import on_ranks
from xraykit.render import InputError
from xraykit.render.dataset.read.dataset import XrayDataset
from xraykit.render.dataset.read.loader import XrayLoader
from xraykit.render.dataset.read.order import ReadingOrder

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning")
COUNT = 23


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("set"), {"train": [4, 12, 7]}, size=8)


def loader(folder, *, workers=0, batch_size=3, rank=0, world_size=1, uneven="keep", **options) -> XrayLoader:
    order = ReadingOrder(seed=5, window=6, uneven=uneven)
    data = XrayDataset(folder, order=order, parts=(), transform=key_of, rank=rank, world_size=world_size)
    context = {"multiprocessing_context": "fork"} if workers else {}
    return XrayLoader(data, batch_size=batch_size, num_workers=workers, **context, **options)


def key_of(sample) -> str:
    return sample.key


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow), 2])
def test_stopped_anywhere_a_loader_goes_on_with_the_same_batches(folder, workers):
    whole = list(loader(folder, workers=workers))
    assert sorted(itertools.chain(*whole)) == sorted(set(itertools.chain(*whole)))
    assert len(list(itertools.chain(*whole))) == COUNT
    for stop in range(1, len(whole)) if workers == 0 else (1, 4, len(whole) - 1):
        first = loader(folder, workers=workers)
        head = list(itertools.islice(iter(first), stop))
        state = json.loads(json.dumps(first.state_dict()))
        second = loader(folder, workers=workers)
        second.load_state_dict(state)
        assert head + list(second) == whole


def test_what_came_before_the_state_is_not_read_again(folder, monkeypatch):
    first = loader(folder)
    list(itertools.islice(iter(first), 6))
    second = loader(folder)
    second.load_state_dict(first.state_dict())
    read = []
    monkeypatch.setattr(
        "xraykit.render.dataset.read.dataset.decode_sample", lambda raw, where: read.append(raw.key) or _Keyed(raw.key)
    )
    rest = list(itertools.chain(*second))
    assert read == rest
    assert len(rest) == COUNT - 18


class _Keyed:
    def __init__(self, key):
        self.key = key


@pytest.mark.parametrize("workers", [0, 2])
def test_each_iteration_is_the_next_epoch_and_can_be_chosen(folder, workers):
    one = loader(folder, workers=workers, **({"persistent_workers": True} if workers else {}))
    first, second = list(one), list(one)
    assert first != second
    assert sorted(itertools.chain(*first)) == sorted(itertools.chain(*second))
    assert one.state_dict()["epoch"] == 2
    one.set_epoch(0)
    assert list(one) == first
    other = loader(folder, workers=workers)
    other.set_epoch(1)
    assert list(other) == second


def test_state_after_the_last_batch_is_the_beginning_of_the_next_epoch(folder):
    one = loader(folder)
    stream = iter(one)
    list(itertools.islice(stream, len(one)))
    state = one.state_dict()
    assert (state["epoch"], state["batches"]) == (1, 0)
    other = loader(folder)
    other.load_state_dict(state)
    assert len(list(other)) == len(one)


def test_resumed_in_a_later_epoch_it_ends_there_and_goes_on_to_the_next(folder):
    one = loader(folder)
    epochs = [list(one) for _ in range(3)]
    part = loader(folder)
    part.set_epoch(1)
    head = list(itertools.islice(iter(part), 2))
    resumed = loader(folder)
    resumed.load_state_dict(part.state_dict())
    assert head + list(resumed) == epochs[1]
    assert list(resumed) == epochs[2]


@pytest.mark.parametrize("drop_last", [False, True])
def test_length_is_the_number_of_batches(folder, drop_last):
    for workers in (0, 2):
        one = loader(folder, workers=workers, drop_last=drop_last)
        batches = list(one)
        assert len(batches) == len(one)
        if drop_last:
            assert {len(batch) for batch in batches} == {3}


def test_two_ranks_with_two_workers_share_an_epoch_and_resume_apart(folder):
    whole = [list(loader(folder, workers=2, rank=rank, world_size=2)) for rank in (0, 1)]
    keys = list(itertools.chain(*itertools.chain(*whole)))
    assert len(keys) == len(set(keys)) == COUNT
    first = loader(folder, workers=2, rank=1, world_size=2)
    head = list(itertools.islice(iter(first), 3))
    second = loader(folder, workers=2, rank=1, world_size=2)
    second.load_state_dict(first.state_dict())
    assert head + list(second) == whole[1]
    with pytest.raises(InputError, match="the state must be of the same data set, seed, order, split, rank"):
        loader(folder, workers=2, rank=0, world_size=2).load_state_dict(first.state_dict())


@pytest.mark.parametrize("uneven", ["drop", "pad"])
def test_ranks_made_even_have_equally_many_batches(folder, uneven):
    loaders = [loader(folder, batch_size=2, rank=rank, world_size=3, uneven=uneven) for rank in range(3)]
    batches = [list(one) for one in loaders]
    assert len({len(of_rank) for of_rank in batches}) == 1
    assert len({sum(map(len, of_rank)) for of_rank in batches}) == 1


@pytest.mark.parametrize("change", [{"batch_size": 4}, {"drop_last": True}, {"workers": 2}])
def test_state_under_other_circumstances_is_refused(folder, change):
    name = "num_workers" if "workers" in change else next(iter(change))
    with pytest.raises(InputError, match=f"the state must be of the same {name} to go on exactly"):
        loader(folder, **change).load_state_dict(loader(folder).state_dict())


def test_state_of_the_stream_is_not_for_workers(folder, monkeypatch):
    data = loader(folder).dataset
    data.load_state_dict(data.state_dict() | {"delivered": 4})
    worker = SimpleNamespace(id=1, num_workers=2)
    monkeypatch.setattr("xraykit.render.dataset.read.dataset.get_worker_info", lambda: worker)
    with pytest.raises(InputError, match="let an XrayLoader save and load the state"):
        list(data)


def test_options_that_leave_the_order_open_are_refused(folder):
    with pytest.raises(InputError, match="batch_size >= 1 and in_order=True"):
        loader(folder, in_order=False)
    with pytest.raises(InputError, match="epoch must be 0 or more"):
        loader(folder).set_epoch(-1)


def test_a_damaged_shard_ends_the_epoch_with_its_name(tmp_path):
    folder = write_dataset(tmp_path / "set", {"train": [4, 4]}, size=8)
    content = bytearray((folder / "train-000001.tar").read_bytes())
    content[150] ^= 1
    (folder / "train-000001.tar").write_bytes(content)
    for workers in (0, 2):
        with pytest.raises(ValueError, match=r"train-000001.tar has a header with a wrong checksum"):
            list(loader(folder, workers=workers))


@pytest.mark.parametrize(("count", "batch_size", "workers"), [(23, 3, 0), (1, 1, 0), (7, 2, 2)])
def test_ranks_have_equally_many_batches_by_default(tmp_path, count, batch_size, workers):
    folder = write_dataset(tmp_path, {"train": [count]}, size=8)
    ranks = [XrayDataset(folder, parts=(), transform=key_of, rank=rank, world_size=4) for rank in range(4)]
    counts = [len(XrayLoader(data, batch_size=batch_size, num_workers=workers)) for data in ranks]
    assert len(set(counts)) == 1 and counts[0] > 0
    assert {key for data in ranks for key in data} == set(XrayDataset(folder, parts=(), transform=key_of))


def _epoch(rank: int) -> dict[str, torch.Tensor]:
    """An epoch of a training: at each batch every rank waits for the others, as DDP lets them."""
    with tempfile.TemporaryDirectory() as place:
        folder = write_dataset(Path(place), {"train": [2, 1]}, size=8)  # 3 samples for 2 ranks
        loader = XrayLoader(XrayDataset(folder, parts=(), transform=key_of))
        for _ in loader:
            torch.distributed.all_reduce(torch.ones(1))
    return {"batches": torch.tensor(len(loader))}


@pytest.mark.slow
def test_ranks_of_a_training_do_not_wait_for_each_other_without_end(tmp_path):
    assert [int(found["batches"]) for found in on_ranks(_epoch, tmp_path)] == [2, 2]
