"""Frames prepared once, and the images that follow from them."""

import errno
import json
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from support.dataset_shards import write_dataset
from xraykit.dax.data import (
    FrameStore,
    PreparedFrame,
    PreprocessSettings,
    find_xrays,
    frame_job,
    frame_shards,
    frames_to_images,
    pad_frames,
    prepare_frames,
    preprocess,
    preprocess_linear,
)
from xraykit.dax.data.frame_codes import BEYOND, encode, reduced
from xraykit.dax.data.frame_images import fill_images
from xraykit.dax.data.frame_job import wait_for_frames
from xraykit.render import FileError, InputError, OutputError

from benchmarks.oracles.dax_published import xray_like

SIZES = [(60, 60), (40, 72), (90, 50), (20, 24)]


def prepared(image: np.ndarray, *, field=None, longest=64) -> PreparedFrame:
    return PreparedFrame("x", *encode(torch.from_numpy(image.astype(np.float32)), field, longest=longest))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for n, size in enumerate(SIZES):
        Image.fromarray(xray_like(*size, seed=n)).save(tmp_path / "in" / f"{n}.png")
    return tmp_path


def collection(folder, **options):
    return find_xrays([folder / "in"], polarity="intensity", **options)


def codes_file(store):
    (path,) = store.glob("*.bin")
    return path


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize(("k", "lowpass"), [(3.0, 0.0), (2.2, 0.0), (3.0, 6.0)])
def test_images_of_frames_are_those_of_preprocessing(linear, k, lowpass):
    images = [xray_like(*size, seed=n) for n, size in enumerate(SIZES)]
    batch = pad_frames([prepared(image) for image in images])
    chosen = torch.full((len(images),), linear)
    made = frames_to_images(batch, torch.full((len(images),), k), chosen, lowpass=lowpass)
    assert made.shape == (4, 1, 64, 64)
    for one, image, scale in zip(made[:, 0], images, batch.scales, strict=True):
        small = reduced(torch.from_numpy(image.astype(np.float32)), 64)
        settings = PreprocessSettings(deviations=k, lowpass=lowpass * scale)
        expected = (preprocess_linear if linear else preprocess)(small, settings)
        height, width = expected.shape
        torch.testing.assert_close(one[:height, :width], expected, atol=3e-4, rtol=0)
        assert float(one[height:].abs().sum()) == 0
        assert float(one[:, width:].abs().sum()) == 0


def test_each_image_of_a_batch_has_its_own_clip_and_branch():
    frames = [prepared(xray_like(48, 48, seed=n)) for n in range(4)]
    k, linear = torch.tensor([2.0, 2.5, 3.0, 3.5]), torch.tensor([True, False, True, False])
    together = frames_to_images(pad_frames(frames), k, linear)
    for n, frame in enumerate(frames):
        alone = frames_to_images(pad_frames([frame]), k[n : n + 1], linear[n : n + 1])
        assert torch.equal(together[n], alone[0])


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("lowpass", [0.0, 4.0])
def test_all_images_at_once_as_on_a_gpu_are_those_made_one_by_one(closed, lowpass):
    fields = [torch.arange(size[1]).expand(size) > 9 if closed else None for size in SIZES]
    images = [xray_like(*size, seed=n) for n, size in enumerate(SIZES)]
    batch = pad_frames([prepared(image, field=field) for image, field in zip(images, fields, strict=True)])
    k, linear = torch.tensor([2.0, 2.5, 3.0, 3.5]), torch.tensor([True, False, True, False])
    together = torch.empty(batch.codes.shape)
    fill_images(together, batch, k, linear, lowpass)
    alone = frames_to_images(batch, k, linear, lowpass=lowpass)[:, 0]
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


@pytest.mark.parametrize("linear", [False, True])
def test_the_exposed_field_is_kept(linear):
    image = xray_like(64, 64)
    field = torch.zeros(64, 64, dtype=torch.bool)
    field[10:50, 12:60] = True
    settings = PreprocessSettings(field="exposed")
    frames = [prepared(image, field=field), prepared(image[:40, :40])]
    made = frames_to_images(pad_frames(frames), torch.full((2,), 3.0), torch.full((2,), linear))
    chain = preprocess_linear if linear else preprocess
    expected = chain(torch.from_numpy(image.astype(np.float32)), settings, field=field)
    torch.testing.assert_close(made[0, 0], expected, atol=3e-4, rtol=0)
    expected = chain(torch.from_numpy(image[:40, :40].astype(np.float32)), PreprocessSettings())
    torch.testing.assert_close(made[1, 0, :40, :40], expected, atol=3e-4, rtol=0)


def test_codes_are_exact_to_their_stated_error():
    intensity = torch.from_numpy(np.random.default_rng(0).uniform(1e-3, 1, (50, 50)).astype(np.float32) ** 3)
    coded = encode(intensity, None, longest=50)
    assert coded.codes.max() < BEYOND
    expected = -torch.log(intensity / intensity.max())
    seen = expected < 17.9
    lines = torch.from_numpy(coded.codes * np.float32(coded.step))
    assert (lines - expected)[seen].abs().max() <= 1.4e-4


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_constant_frame_gives_zeros(value):
    batch = pad_frames([prepared(np.full((10, 10), value))])
    for linear in (False, True):
        assert not frames_to_images(batch, torch.tensor([3.0]), torch.tensor([linear])).any()


def test_reducing_keeps_the_mean_and_never_enlarges():
    image = torch.from_numpy(xray_like(100, 60).astype(np.float32))
    small = reduced(image, 50)
    assert small.shape == (50, 30)
    assert float(small.mean()) == pytest.approx(float(image.mean()), rel=2e-3)
    assert reduced(image, 100) is image
    assert reduced(torch.ones(1000, 2), 10).shape == (10, 1)


def test_a_store_holds_what_the_collection_has(folder):
    store = prepare_frames(collection(folder), folder / "store", longest=64)
    assert store.names == [f"in/{n}.png" for n in range(4)]
    assert [store.size(n) for n in range(4)] == [(60, 60), (36, 64), (64, 36), (20, 24)]
    frame = store[-1]
    assert frame.name == "in/3.png"
    expected = prepared(xray_like(20, 24, seed=3))
    assert np.array_equal(frame.codes, expected.codes)
    assert (frame.step, frame.median, frame.deviation) == (expected.step, expected.median, expected.deviation)
    copied = pickle.loads(pickle.dumps(store))
    assert np.array_equal(copied[1].codes, store[1].codes)
    with pytest.raises(IndexError):
        store[4]


def test_labels_and_assumptions_are_kept(folder):
    write_dataset(folder / "in" / "data", {"train": [3]})
    store = prepare_frames(find_xrays([folder / "in"]), folder / "store")
    assert store.labels[-1]["region"] == "knee"
    assert sorted(store.notes.values()) == [4, 4]


@pytest.mark.slow
def test_workers_make_the_same_store(folder):
    for workers in (0, 1):
        prepare_frames(collection(folder), folder / f"store{workers}", longest=64, workers=workers)
    names = sorted(path.name for path in (folder / "store0").iterdir())
    assert len(names) == 2 and names[1] == "index.json"
    for name in names:
        assert (folder / "store0" / name).read_bytes() == (folder / "store1" / name).read_bytes()


def test_an_interrupted_job_goes_on_after_the_last_whole_shard(folder, monkeypatch):
    monkeypatch.setattr(frame_job, "SHARD", 2)
    before = prepare_frames(collection(folder), folder / "store", longest=32)

    def interrupted(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_frames(collection(folder), folder / "store", longest=64, report=interrupted)
    assert FrameStore(folder / "store").digest == before.digest  # the earlier store serves until the new one is whole
    told = []
    store = prepare_frames(collection(folder), folder / "store", longest=64, report=lambda *at: told.append(at))
    assert told == [(3, 4), (4, 4)]
    whole = prepare_frames(collection(folder), folder / "whole", longest=64)
    assert sorted(path.name for path in store.folder.iterdir()) == sorted(path.name for path in whole.folder.iterdir())
    for number in range(4):
        assert store[number].name == whole[number].name
        assert np.array_equal(store[number].codes, whole[number].codes)


def test_a_shard_of_damaged_images_alone_is_none(folder, monkeypatch):
    monkeypatch.setattr(frame_job, "SHARD", 2)
    for name in ("0.png", "1.png"):
        (folder / "in" / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    store = prepare_frames(collection(folder, skip_damaged=True), folder / "store")
    assert store.names == ["in/2.png", "in/3.png"] and store.damaged[1][0] == "in/1.png"
    assert store[0].codes.shape == (90, 50)


def test_a_damaged_shard_is_named(folder, monkeypatch):
    monkeypatch.setattr(frame_job, "finish_store", lambda *_, **__: None)
    with pytest.raises(FileError):
        prepare_frames(collection(folder), folder / "store")
    next((folder / "store").glob("*.json")).write_text("{}")
    monkeypatch.undo()
    with pytest.raises(FileError, match="must say what frames there are, got damage"):
        prepare_frames(collection(folder), folder / "store")


def test_a_store_is_made_once_and_anew_where_something_changed(folder):
    calls = []

    def prepare(longest=64):
        calls.clear()
        prepare_frames(collection(folder), folder / "s", longest=longest, report=lambda *at: calls.append(at))
        return calls

    assert prepare() == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert prepare() == []
    assert len(prepare(longest=32)) == 4
    Image.fromarray(xray_like(30, 30)).save(folder / "in" / "0.png")
    assert len(prepare(longest=32)) == 4
    codes_file(folder / "s").write_bytes(b"")
    assert len(prepare(longest=32)) == 4


def test_damaged_images_are_left_out_and_listed(folder):
    (folder / "in" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(FileError, match=r"1\.png"):
        prepare_frames(collection(folder), folder / "store")
    assert not (folder / "store" / "index.json").exists()
    store = prepare_frames(collection(folder, skip_damaged=True), folder / "store")
    assert len(store) == 3
    assert store.damaged[0][0] == "in/1.png"


def test_nothing_but_damage_is_refused(folder):
    for path in (folder / "in").iterdir():
        path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match="all 4 are not"):
        prepare_frames(collection(folder, skip_damaged=True), folder / "store")


def test_a_full_disk_leaves_the_store_as_it_was(folder, monkeypatch):
    prepare_frames(collection(folder), folder / "store", longest=64)
    codes = codes_file(folder / "store")
    before = codes.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(frame_shards._Rows, "fill", full)
    with pytest.raises(OutputError, match="No space left"):
        prepare_frames(collection(folder), folder / "store", longest=32)
    assert codes.read_bytes() == before
    assert sorted(path.name for path in (folder / "store").iterdir()) == [codes.name, "index.json"]


def test_a_store_that_is_no_store_is_refused(folder):
    with pytest.raises(FileError):
        FrameStore(folder / "nowhere")
    prepare_frames(collection(folder), folder / "store")
    codes = codes_file(folder / "store")
    held = codes.read_bytes()
    codes.write_bytes(held[:-2])
    with pytest.raises(FileError, match=r"must hold \d+ bytes"):
        FrameStore(folder / "store")
    codes.write_bytes(held)
    index = json.loads((folder / "store" / "index.json").read_text())
    (folder / "store" / "index.json").write_text(json.dumps(index | {"shards": [[0, 3]]}))
    with pytest.raises(FileError, match="must name the shards of 4 frames"):
        FrameStore(folder / "store")
    (folder / "store" / "index.json").write_text(json.dumps({"frames": 3}))
    with pytest.raises(FileError, match="index of frames"):
        FrameStore(folder / "store")


def test_numbers_out_of_range_and_missing_fields_are_refused(folder):
    with pytest.raises(InputError, match="longest must be"):
        prepare_frames(collection(folder), folder / "s", longest=0)
    with pytest.raises(InputError, match="field=True"):
        prepare_frames(collection(folder), folder / "s", settings=PreprocessSettings(field="exposed"))


def test_a_store_of_exposed_fields_has_them(folder):
    image = xray_like(64, 64)
    image[:, :16] = 0
    Image.fromarray(image).save(folder / "in" / "0.png")
    settings = PreprocessSettings(field="exposed")
    store = prepare_frames(collection(folder, field=True), folder / "s", settings=settings)
    assert (store[0].codes[:, :14] == BEYOND).all()
    assert (store[0].codes[:, 20:] < BEYOND).any()


def test_a_process_waits_for_the_store_that_another_prepares(folder):
    with pytest.raises(OutputError, match="must be filled by the first process"):
        wait_for_frames(collection(folder), folder / "store", longest=32, seconds=0.1)
    prepare_frames(collection(folder), folder / "store", longest=32)
    assert len(wait_for_frames(collection(folder), folder / "store", longest=32, seconds=0.1)) == len(SIZES)
    with pytest.raises(OutputError, match="must be filled"):  # the store of other options is not it
        wait_for_frames(collection(folder), folder / "store", longest=16, seconds=0.1)
