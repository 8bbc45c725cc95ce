"""Batches of views without end."""

import subprocess
import sys

import pytest
import torch
from PIL import Image
from xraykit.dax.data import CropBatches, MultiCropSettings, find_xrays, prepare_frames
from xraykit.render import InputError

from benchmarks.oracles.dax_published import xray_like

SETTINGS = MultiCropSettings("B", 16, 8, 2)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    for n in range(7):
        Image.fromarray(xray_like(20 + n, 24, seed=n)).save(folder / f"{n}.png")
    return prepare_frames(find_xrays([folder], polarity="intensity"), folder / "store")


def same(first, second) -> bool:
    crops = zip(first.crops, second.crops, strict=True)
    return torch.equal(first.indices, second.indices) and all(torch.equal(a, b) for a, b in crops)


def test_every_epoch_has_every_frame_once(store):
    batches = CropBatches(store, SETTINGS, batch=3, seed=0)
    row = torch.cat([batches.batch(n).indices for n in range(7)]).tolist()
    for start in (0, 7, 14):
        assert sorted(row[start : start + 7]) == list(range(7))
    assert row[:7] != row[7:14]
    assert [batches.epoch(n) for n in range(7)] == [0, 0, 0, 1, 1, 2, 2]


def test_ranks_share_the_row(store):
    alone = CropBatches(store, SETTINGS, batch=4, seed=0)
    shared = [CropBatches(store, SETTINGS, batch=2, seed=0, rank=rank, ranks=2) for rank in range(2)]
    for n in range(4):
        whole, parts = alone.batch(n), [part.batch(n) for part in shared]
        assert torch.equal(whole.indices, torch.cat([part.indices for part in parts]))
        for a, *b in zip(whole.crops, *(part.crops for part in parts), strict=True):
            torch.testing.assert_close(a, torch.cat(b), atol=1e-6, rtol=0)


@pytest.mark.slow
def test_a_batch_follows_from_its_number_for_any_workers_and_after_a_resume(store):
    alone = CropBatches(store, SETTINGS, batch=3, seed=4)
    expected = [alone.batch(n) for n in range(4)]
    assert same(CropBatches(store, SETTINGS, batch=3, seed=4).batch(2), expected[2])
    many = CropBatches(store, SETTINGS, batch=3, seed=4, workers=2)
    try:
        assert same(many.batch(1), expected[1])
        assert same(many.batch(2), expected[2])
        assert same(many.batch(3), expected[3])
    finally:
        many.close()


CLOSING = """
import sys
from xraykit.dax.data import CropBatches, FrameStore, MultiCropSettings

batches = CropBatches(FrameStore(sys.argv[1]), MultiCropSettings(), batch=7, seed=0, workers=2)
for number in (0, 1, 5):
    batches.batch(number)
batches.close()
"""


@pytest.mark.slow
def test_workers_end_without_a_word_while_batches_are_made(store):
    ended = subprocess.run(
        [sys.executable, "-c", CLOSING, str(store.folder)], check=False, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_another_epoch_shows_other_views_of_a_frame(store):
    batches = CropBatches(store, SETTINGS, batch=7, seed=0)
    first, second = batches.batch(0), batches.batch(1)
    a, b = (batch.crops[0][batch.indices == 3] for batch in (first, second))
    assert not torch.equal(a, b)
    assert not torch.equal(first.crops[0], CropBatches(store, SETTINGS, batch=7, seed=1).batch(0).crops[0])


def test_the_number_is_all_its_state(store):
    batches = CropBatches(store, SETTINGS, batch=2, seed=0)
    assert batches.state_dict() == {}
    batches.load_state_dict({})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch": 8}, "lower the batch"),
        ({"batch": 4, "ranks": 2}, "4 x 2 ranks"),
        ({"batch": 0}, "batch must be 1"),
        ({"workers": -1}, "workers and seed"),
        ({"rank": 2, "ranks": 2}, "rank below ranks"),
    ],
)
def test_batches_that_cannot_be_are_refused(store, values, message):
    with pytest.raises(InputError, match=message):
        CropBatches(store, SETTINGS, **({"batch": 2, "seed": 0} | values))


def test_a_negative_number_is_refused(store):
    with pytest.raises(InputError, match="0 or more"):
        CropBatches(store, SETTINGS, batch=2, seed=0).batch(-1)
