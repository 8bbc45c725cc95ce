"""Samples come out of shards as they went in, from a folder or an address, and only for those who should have them."""

import json
import math
import pickle

import numpy as np
import pytest
import torch
from support.dataset_shards import POSE, disc, run_length_text, sample_members, write_dataset
from xraykit.render import FileError, InputError
from xraykit.render.dataset.format.run_lengths import decode_run_lengths
from xraykit.render.dataset.format.sample_tiff import decode_tiff
from xraykit.render.dataset.read.dataset import XrayDataset
from xraykit.render.dataset.read.order import ReadingOrder
from xraykit.render.dataset.read.tar import RawSample
from xraykit.render.dataset.read.xray_sample import decode_sample

IN_ORDER = ReadingOrder(shuffle=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("set"), {"train": [6, 9], "val": [5]}, lines=True)


def raw(key="000003_0001", **options) -> RawSample:
    members = sample_members(3, 1, "train", **options)
    return RawSample(0, key, {name.partition(".")[2]: content for name, content in members.items()})


def test_image_gives_back_the_intensity_that_was_stored():
    intensity = np.exp(-np.linspace(-0.6, 13.0, 256)).reshape(16, 16)
    sample = decode_sample(raw(intensity=intensity), where="here")
    np.testing.assert_allclose(sample.intensity()[0], intensity, rtol=1.2e-4)  # half a step of 2.2e-4, and float32
    torch.testing.assert_close(sample.log_attenuation(), -sample.intensity().log(), rtol=1e-5, atol=1e-5)
    assert sample.image.shape == (1, 16, 16)
    assert sample.image.dtype == torch.float32
    assert 0 <= sample.image.min()
    assert sample.image.max() <= 1


def test_masks_boxes_and_areas_are_those_that_were_stored():
    masks = {
        "femur_left": disc(16, 6, 9, 4),
        "patella_left": disc(16, 3.5, 3.5, 1),
        "sternum": np.zeros((16, 16), bool),
    }
    screw = {"screw": disc(16, 12, 4, 3)}
    sample = decode_sample(raw(masks=masks, tools=screw), where="here")
    wanted = np.stack([*masks.values(), *screw.values()])
    assert sample.names == ("femur_left", "patella_left", "sternum", "screw")
    assert sample.kinds == ("organ", "organ", "organ", "tool")
    np.testing.assert_array_equal(sample.masks, wanted)
    chosen = sample.masks_of(["screw", "liver", "femur_left"])
    np.testing.assert_array_equal(chosen, [wanted[3], np.zeros((16, 16)), wanted[0]])
    assert sample.areas.tolist() == wanted.sum(axis=(1, 2)).tolist()
    assert sample.boxes.tolist() == [[2, 5, 10, 13], [3, 3, 4, 4], [0, 0, 0, 0], [9, 1, 15, 7]]


def test_geometry_and_landmarks_are_those_that_were_stored():
    sample = decode_sample(raw(), where="here")
    assert (sample.camera.sdd, sample.camera.height, sample.camera.width) == (1000.0, 16, 16)
    assert sample.pose.tolist() == POSE
    assert sample.landmarks.names == ("centre",)
    assert sample.landmarks.uv.tolist() == [[4.5, 5.5]]
    assert (sample.patient, sample.split, sample.region, sample.view) == (3, "train", "knee", "knee_ap")


def test_collimator_leaves_its_opening_open():
    sample = decode_sample(raw(edit={"physics": {"shutter": {"rectangle": [4, 2, 12, 10]}}}), where="here")
    wanted = np.zeros((16, 16), bool)
    wanted[2:10, 4:12] = True
    np.testing.assert_array_equal(sample.open_field, wanted)
    assert decode_sample(raw(), where="here").open_field.all()


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (31, 64)])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_run_lengths_give_back_the_mask(shape, share):
    mask = np.random.default_rng(1).random(shape) < share
    np.testing.assert_array_equal(decode_run_lengths(run_length_text(mask), shape), mask)


def test_run_lengths_are_those_of_pycocotools():
    coder = pytest.importorskip("pycocotools.mask", reason="needs the extra dataset")
    mask = disc(300, 100, 170, 90) & (np.random.default_rng(0).random((300, 300)) < 0.9)
    text = coder.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert run_length_text(mask) == text
    np.testing.assert_array_equal(decode_run_lengths(text, (300, 300)), mask)


@pytest.mark.parametrize("address", ["file://{folder}", "memory://xrays"])
def test_any_fsspec_address_reads_like_the_folder(folder, address):
    fsspec = pytest.importorskip("fsspec", reason="needs the extra dataset")
    memory = fsspec.filesystem("memory")
    for path in folder.iterdir():
        memory.pipe(f"/xrays/{path.name}", path.read_bytes())
    local, remote = (
        {s.key: s for s in XrayDataset(place, verify=True)} for place in (folder, address.format(folder=folder))
    )
    assert local.keys() == remote.keys()
    assert all(torch.equal(local[key].image, remote[key].image) for key in local)


def test_splits_are_selected(folder):
    keys = {split: [s.key for s in XrayDataset(folder, split=split)] for split in ("train", "val", None)}
    assert [len(keys[split]) for split in ("train", "val", None)] == [15, 5, 20]
    assert set(keys["train"]).isdisjoint(keys["val"])
    with pytest.raises(InputError, match=r"split must be one of train, val, got 'test'"):
        XrayDataset(folder, split="test")


def test_only_the_parts_that_are_asked_for_are_read(folder):
    bare = next(iter(XrayDataset(folder, parts=())))
    assert bare.image.numel() == 0
    assert bare.lines is None
    assert len(bare.boxes) == 1
    with pytest.raises(FileError, match="masks were not read"):
        _ = bare.masks
    full = next(iter(XrayDataset(folder, parts=("image", "masks", "lines"), order=IN_ORDER)))
    assert full.masks.shape == (1, 16, 16)
    assert full.lines is not None
    assert full.lines.shape == (1, 16, 16)
    with pytest.raises(InputError, match="parts must be among image, masks, lines, tissue, got pixels"):
        XrayDataset(folder, parts=("pixels",))


def test_transform_is_applied_and_travels_to_spawned_workers(folder):
    data = XrayDataset(folder, split="val", transform=len_of_key, order=IN_ORDER)
    assert list(pickle.loads(pickle.dumps(data))) == [11] * 5


def len_of_key(sample) -> int:
    return len(sample.key)


def test_ranks_share_the_samples_and_know_their_number(folder):
    keep = ReadingOrder(uneven="keep")
    ranks = [XrayDataset(folder, order=keep, rank=rank, world_size=3) for rank in range(3)]
    keys = [[s.key for s in data] for data in ranks]
    assert [len(data) for data in ranks] == [len(k) for k in keys] == [6, 7, 7]
    assert len({key for of_rank in keys for key in of_rank}) == 20


def test_rank_is_that_of_torch_distributed(folder, monkeypatch):
    before = XrayDataset(folder)
    told = XrayDataset(folder, rank=0, world_size=1)
    for name, value in (("is_initialized", True), ("get_rank", 1), ("get_world_size", 2)):
        monkeypatch.setattr(torch.distributed, name, lambda value=value: value)
    found = XrayDataset(folder)
    assert (found.rank, found.world_size) == (1, 2)
    assert len(list(found)) == 10
    assert len(list(told)) == 20
    with pytest.raises(InputError, match=r"made before torch.distributed was initialised"):
        next(iter(before))


@pytest.mark.parametrize("place", [{"rank": 2, "world_size": 2}, {"rank": 0}, {"world_size": 2}])
def test_impossible_rank_is_refused(folder, place):
    with pytest.raises(InputError, match="rank must be 0 to world_size - 1"):
        XrayDataset(folder, **place)


def test_epochs_are_shuffled_anew_and_alike_for_alike_seeds(folder):
    data = XrayDataset(folder, order=ReadingOrder(window=8))
    first = [s.key for s in data]
    data.set_epoch(1)
    second = [s.key for s in data]
    data.set_epoch(0)
    assert [s.key for s in data] == first != second
    assert sorted(first) == sorted(second)


def test_state_of_a_stream_goes_on_where_it_was_taken(folder):
    data = XrayDataset(folder, order=ReadingOrder(window=8))
    data.set_epoch(3)
    stream = iter(data)
    head = [next(stream).key for _ in range(7)]
    state = json.loads(json.dumps(data.state_dict()))
    fresh = XrayDataset(folder, order=ReadingOrder(window=8))
    fresh.load_state_dict(state)
    rest = [s.key for s in fresh]
    assert rest == [s.key for s in stream]
    assert len({*head, *rest}) == 20
    assert fresh.epoch == 3
    assert len(list(fresh)) == 20  # the next iteration is a whole epoch again


def test_state_of_another_order_is_refused(folder):
    state = XrayDataset(folder).state_dict()
    for other in (XrayDataset(folder, split="val"), XrayDataset(folder, order=ReadingOrder(seed=1))):
        with pytest.raises(InputError, match="the state must be of the same data set, seed, order"):
            other.load_state_dict(state)


@pytest.mark.parametrize(
    ("edit", "ask", "words"),
    [
        ({"key": "000000_0000"}, None, 'must say "key": "000003_0001"'),
        ({"camera": {"height": 1 << 20, "width": 1 << 20}}, None, "camera must have a height and width"),
        ({"camera": {"height": 8, "width": 16}}, None, "arrays of its camera's 8x16 pixels, got 16x16"),
        ({"annotations": [{"name": "femur_left", "bbox": [1, 2], "area": 3}]}, "boxes", "a bbox of four numbers"),
        ({"annotations": [{"name": "x", "bbox": [10**400, 2, 3, 4], "area": 3}]}, "boxes", "a bbox of four numbers"),
        ({"annotations": [{"name": "x", "bbox": [1, 2, 3, 4], "area": 10**40}]}, "areas", "an area in pixels"),
        ({"annotations": [{"name": "femur_left", "bbox": [0, 0, 1, 1]}]}, "areas", "an area in pixels"),
        ({"annotations": []}, "masks", "name the same things in the same order"),
        ({"annotations": {}}, "names", "annotations must be of type list"),
        ({"landmarks": {"a": {"uv": [1, 2]}}}, "landmarks", "world, uv and visible"),
        ({"image": {"scale": {"law": "log", "floor": 2, "ceiling": 1}}}, "_log_range", "a log law from floor to"),
        ({"image": {"scale": {"law": "log", "floor": 1e-6, "ceiling": math.inf}}}, "_log_range", "a log law from"),
        ({"physics": {"shutter": {"star": [1]}}}, "open_field", "a circle, a rectangle or null"),
    ],
)
def test_record_that_contradicts_itself_is_refused(edit, ask, words):
    with pytest.raises(FileError, match=words):
        getattr(decode_sample(raw(edit=edit), where="here"), ask or "key")


def test_masks_of_another_size_are_refused():
    text = json.dumps([{"name": "femur_left", "size": [9999, 9999], "counts": "0"}]).encode()
    sample = decode_sample(RawSample(0, "000003_0001", raw().members | {"masks.json": text}), where="here")
    with pytest.raises(FileError, match="masks must be run lengths of 16 x 16 pixels"):
        sample.masks_of(["femur_left"])


def test_pose_that_is_no_motion_is_refused():
    camera = {"sdd": 1000, "height": 16, "width": 16, "pixel_spacing": [1, 1], "principal_point": [8, 8]}
    sample = decode_sample(
        raw(edit={"camera": camera | {"camera_to_world": np.diag([2.0, 1, 1, 1]).tolist()}}), where=""
    )
    with pytest.raises(FileError, match="camera_to_world must be a rigid motion"):
        _ = sample.pose


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"II*\0\x08\0\0\0\x01\0", "uncompressed 16-bit TIFF, got something else"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "uncompressed 16-bit TIFF, got something else"),
        (None, "must hold its 16 x 16 pixels of 16 bits"),
    ],
)
def test_damaged_image_is_refused(content, words):
    cut = raw().members["image.tiff"][:400]
    with pytest.raises(FileError, match=words):
        decode_sample(RawSample(0, "000003_0001", raw().members | {"image.tiff": content or cut}), where="here")


def test_compressed_or_coloured_tiff_is_refused(tmp_path):
    from PIL import Image

    for mode, options in (("I;16", {"compression": "tiff_lzw"}), ("RGB", {}), ("L", {})):
        Image.new(mode, (8, 8)).save(tmp_path / "a.tiff", **options)
        with pytest.raises(FileError, match="uncompressed 16-bit TIFF"):
            decode_tiff((tmp_path / "a.tiff").read_bytes(), "a.tiff")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("lines.npy", b"no array", "npy"),
        ("lines.npy", b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (99999, 99999), }", "npy"),
        ("json", b"[" * 100_000, "must be JSON text"),
        ("json", b"[]", "must hold a JSON object"),
    ],
)
def test_damaged_members_are_refused(name, content, words):
    with pytest.raises(FileError, match=words):
        decode_sample(RawSample(0, "000003_0001", raw(lines=True).members | {name: content}), where="here")


def test_lines_that_declare_more_than_there_is_are_refused():
    members = raw(lines=True).members
    with pytest.raises(FileError, match=r"lines\.npy must be a \.npy file with the 512 bytes of values"):
        decode_sample(RawSample(0, "000003_0001", members | {"lines.npy": members["lines.npy"][:-2]}), where="here")


@pytest.mark.parametrize(
    ("text", "size", "words"),
    [
        ("o" * 40 + "0", (4, 4), "a run of a mask must be shorter"),
        ("a0", (4, 4), "must fill its 4 x 4 pixels"),
        ("5", (4, 4), "must fill its 4 x 4 pixels"),
        ("", (4, 4), "compressed run lengths"),
        ("é", (4, 4), "must fill|compressed run lengths"),
        ("P", (4, 4), "compressed run lengths"),
        ("0", (1 << 20, 1 << 20), "1 to 67108864 pixels"),
    ],
)
def test_run_lengths_that_do_not_fit_are_refused(text, size, words):
    with pytest.raises(FileError, match=words):
        decode_run_lengths(text, size)


def test_tissue_is_read_where_it_is_there_and_asked_for(tmp_path, folder):
    classes = np.random.default_rng(0).integers(0, 3, (2, 3, 5), dtype=np.uint8)
    kept = write_dataset(tmp_path / "set", {"train": [1]}, tissue=classes)
    grid = next(iter(XrayDataset(kept, parts=("tissue",)))).tissue
    np.testing.assert_array_equal(grid.classes, classes)
    assert (grid.classes.dtype, grid.affine.dtype) == (torch.uint8, torch.float64)
    assert (grid.affine @ torch.tensor([2.0, 1.0, 0.5, 1.0]).double()).tolist() == [0.0, 0.0, 0.0, 1.0]
    with pytest.raises(FileError, match=r"tissue was not read; ask the data set for parts=\(.image., .tissue.\)"):
        _ = next(iter(XrayDataset(kept))).tissue
    with pytest.raises(FileError, match=r"has no tissue; make the data set with image.tissue"):
        _ = next(iter(XrayDataset(folder, parts=("tissue",)))).tissue


@pytest.mark.parametrize(
    ("samples", "size", "words"),
    [
        (10**9, 10**11, "cannot hold 1000000000 samples"),
        (10**9, 10**12, r"must have the 1000000000000 bytes of the manifest, got"),
        (10**390, 10**400, r"must have the 10{400} bytes of the manifest"),
    ],
)
def test_a_manifest_that_claims_more_than_its_shards_hold_is_refused_before_memory_is_taken(
    tmp_path, samples, size, words
):
    made = write_dataset(tmp_path / "set", {"train": [6, 9]})
    content = json.loads((made / "manifest.json").read_text())
    content["shards"][0] |= {"samples": samples, "bytes": size}
    (made / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(FileError, match=words) as refusal:
        XrayDataset(made)
    assert len(str(refusal.value)) < 1000


def test_damaged_shards_are_skipped_if_wished_and_all_ranks_skip_the_same(tmp_path):
    folder = write_dataset(tmp_path, {"train": [3, 4, 5, 6]}, size=8)
    (folder / "train-000001.tar").unlink()
    content = bytearray((folder / "train-000002.tar").read_bytes())
    content[700] ^= 1  # one bit
    (folder / "train-000002.tar").write_bytes(content)
    with pytest.raises(FileError, match=r"train-00000[12]\.tar"):
        list(XrayDataset(folder))
    data = XrayDataset(folder, on_damage="skip")
    assert len(data) == len(list(data)) == 9
    assert [name for name, _ in data.damaged] == ["train-000001.tar", "train-000002.tar"]
    assert all(name in sentence for name, sentence in data.damaged)
    ranks = [XrayDataset(folder, on_damage="skip", rank=rank, world_size=2) for rank in range(2)]
    assert [len(list(each)) for each in ranks] == [5, 5]
    assert len({sample.key for each in ranks for sample in each}) == 9


def test_a_data_set_without_a_whole_shard_or_with_another_word_is_refused(tmp_path):
    folder = write_dataset(tmp_path, {"train": [2, 2]}, size=8)
    for path in folder.glob("*.tar"):
        path.write_bytes(b"")
    with pytest.raises(FileError, match=r"none of 2 shards is whole; the first: .*train-000000\.tar"):
        XrayDataset(folder, on_damage="skip")
    with pytest.raises(InputError, match="on_damage must be stop or skip, got 'ignore'"):
        XrayDataset(folder, on_damage="ignore")
