"""Prepared views: images, projections and tissue come back, once for all trainings, and bad data are refused."""

import io
import json
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from support.corr_views import SIZE, SPACING, ball, camera, pose_from, write_views
from support.dataset_shards import sample_members, tar_bytes, write_manifest
from xraykit.corr.data import PairStore, prepare_pairs, wait_for_pairs
from xraykit.corr.data.pair_preparation import job_of
from xraykit.corr.ground_truth import grid_support, image_projection
from xraykit.render import Camera, FileError, InputError, OutputError
from xraykit.render.dataset import ReadingOrder, XrayDataset


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return write_views(tmp_path_factory.mktemp("jobs") / "job", {"train": 3, "val": 1})


@pytest.fixture(scope="module")
def store(job, tmp_path_factory):
    return prepare_pairs([job], tmp_path_factory.mktemp("store"), size=64)


def test_images_come_back_in_steps_of_a_four_thousandth(job, store):
    samples = list(XrayDataset(job, order=ReadingOrder(shuffle=False)))
    assert (len(store), store.size, store.names[5]) == (16, SIZE, "job/000001_0001")  # 64 px would enlarge them
    for number, sample in enumerate(samples):
        lines, inside = store.lines(number)
        torch.testing.assert_close(lines, sample.log_attenuation()[0], atol=1.2e-4, rtol=0)
        assert inside is None
        assert store.labels[number]["split"] == sample.split
    store = pickle.loads(pickle.dumps(store))
    torch.testing.assert_close(store.lines(3)[0], samples[3].log_attenuation()[0], atol=1.2e-4, rtol=0)


def test_projections_are_those_of_the_cameras(store):
    camera = Camera(sdd=1000.0, height=SIZE, width=SIZE, pixel_spacing=SPACING)
    pose = torch.from_numpy(pose_from(60 + 5 * 2, 3.0))
    torch.testing.assert_close(store.projection(2 * 4 + 1), image_projection(camera, pose)[0])


def test_tissue_and_bone_are_those_of_the_patient(store):
    for tissue, least in (("tissue", 1), ("bone", 2)):
        support = store.support(2, tissue)
        assert len(support.cells) == int((ball() >= least).sum())
        again = grid_support(torch.from_numpy(ball()), support.affine, tissue=tissue)
        assert torch.equal(support.cells, again.cells)
    assert support.affine[:3, 3].tolist() == [-150.0] * 3


def test_patients_have_their_views_and_splits(store):
    assert store.patients_of() == [0, 1, 2, 3]
    assert (store.patients_of("train"), store.patients_of("val"), store.patients_of("x")) == ([0, 1, 2], [3], [])
    assert store.views_of(1) == [4, 5, 6, 7]
    assert [store.patient(n) for n in (0, 7, 8)] == [0, 1, 2]


def test_smaller_images_average_intensities_and_projections_stay(job, store, tmp_path):
    small = prepare_pairs([job], tmp_path, size=12)
    assert small.size == 12
    torch.testing.assert_close(small.projections, store.projections)
    fine, coarse = store.lines(0)[0], small.lines(0)[0]
    assert abs(float((-fine).exp().mean()) - float((-coarse).exp().mean())) < 0.01


def test_the_same_data_are_prepared_once(job, tmp_path):
    told = []
    first = prepare_pairs([job], tmp_path, size=16, report=lambda *done: told.append(done))
    assert told[-1] == (16, 16)
    changed = (tmp_path / "images.bin").stat().st_mtime_ns
    told.clear()
    assert prepare_pairs([job], tmp_path, size=16, report=lambda *done: told.append(done)).digest == first.digest
    assert told == [] and (tmp_path / "images.bin").stat().st_mtime_ns == changed
    assert wait_for_pairs([job], tmp_path, size=16, seconds=1).digest == first.digest
    assert prepare_pairs([job], tmp_path, size=12).size == 12  # other options: made anew
    with pytest.raises(OutputError, match=r"must be filled by the first process, got none in 0.2 s"):
        wait_for_pairs([job], tmp_path, size=16, seconds=0.2)


def test_what_is_no_pair_of_views_is_refused(job, tmp_path):
    without = write_views(tmp_path / "without", {"train": 1}, with_tissue=False)
    with pytest.raises(FileError, match=r"without: 000000_0000 has no tissue; make the data set with image.tissue"):
        prepare_pairs([without], tmp_path / "s", size=16)
    assert not (tmp_path / "s").exists()
    with pytest.raises(InputError, match="pairs need data sets, each once, got none"):
        prepare_pairs([], tmp_path / "s", size=16)
    with pytest.raises(InputError, match="pairs need data sets, each once"):
        prepare_pairs([job, job], tmp_path / "s", size=16)
    with pytest.raises(InputError, match="size must be 8 or more pixels, got 4"):
        prepare_pairs([job], tmp_path / "s", size=4)


def test_views_from_within_the_tissue_or_past_it_are_left_out(job, tmp_path):
    near = write_views(tmp_path / "near", {"train": 1}, distance=170.0)
    empty = write_views(tmp_path / "empty", {"train": 1}, tissue=np.zeros((2, 2, 2), np.uint8))
    store = prepare_pairs([near, job, empty], tmp_path / "s", size=16)
    assert len(store) == 16
    reasons = dict(store.damaged)
    assert "mm from tissue, 50 are needed" in reasons["near/000000_0000"]
    assert reasons["empty/000000_0000"] == "its patient has no tissue"
    with pytest.raises(InputError, match="at least one view must show tissue, got none: near/000000_0000: its source"):
        prepare_pairs([near], tmp_path / "t", size=16)


def test_images_that_are_not_square_are_padded_and_their_projections_with_them(tmp_path):
    made, pose, tiff = sample_members(0, 0, "train", size=16, tissue=ball()), pose_from(0.0), io.BytesIO()
    record = json.loads(made["000000_0000.json"]) | {"camera": camera(pose, height=12, width=24)}
    Image.fromarray(np.random.default_rng(0).integers(1, 60_000, (12, 24), dtype=np.uint16)).save(tiff, "TIFF")
    made |= {"000000_0000.json": json.dumps(record).encode(), "000000_0000.image.tiff": tiff.getvalue()}
    content = tar_bytes(made.items())
    (tmp_path / "wide").mkdir()
    (tmp_path / "wide/train-000000.tar").write_bytes(content)
    write_manifest(tmp_path / "wide", {"train-000000.tar": (content, 1, [0])})
    store = prepare_pairs([tmp_path / "wide"], tmp_path / "s", size=24)
    lines, inside = store.lines(0)
    wanted = torch.zeros(24, 24, dtype=torch.bool)
    wanted[6:18] = True
    assert torch.equal(inside, wanted)
    sample = next(iter(XrayDataset(tmp_path / "wide", parts=("image",))))
    torch.testing.assert_close(lines[6:18], sample.log_attenuation()[0], atol=1.2e-4, rtol=0)
    seen = store.projection(0) @ torch.tensor([30.0, 40.0, 50.0, 1.0]).double()
    plain = image_projection(sample.camera, sample.pose)[0] @ torch.tensor([30.0, 40.0, 50.0, 1.0]).double()
    x, y = (plain[:2] / plain[2]).tolist()
    torch.testing.assert_close(seen[:2] / seen[2], torch.tensor([x, 0.25 + y / 2]).double())
    assert (
        store.lines(0)[0].shape == (24, 24) and prepare_pairs([tmp_path / "wide"], tmp_path / "t", size=12).size == 12
    )


def test_a_damaged_store_is_refused(store, tmp_path):
    for name in ("images.bin", "tissue.bin", "geometry.bin", "index.json"):
        (tmp_path / name).write_bytes((store.folder / name).read_bytes())
    assert len(PairStore(tmp_path)) == 16
    for name in ("images.bin", "tissue.bin", "geometry.bin"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[:-1])
        with pytest.raises(FileError, match=rf"{name} must hold {len(whole)} bytes, got {len(whole) - 1}"):
            PairStore(tmp_path)
        (tmp_path / name).write_bytes(whole)
    (tmp_path / "index.json").write_text("{}")
    with pytest.raises(FileError, match="must be an index of pairs, got another file"):
        PairStore(tmp_path)
    with pytest.raises(FileError, match="an index of pairs was expected"):
        PairStore(tmp_path / "nowhere")


def test_the_folder_of_a_pairs_job_stands_for_the_data_set_in_it(tmp_path):
    for name in ("plain", "pairs/images", "both", "both/images"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").touch()
    assert job_of(tmp_path / "plain") == tmp_path / "plain"
    assert job_of(str(tmp_path / "pairs")) == tmp_path / "pairs" / "images"
    assert job_of(tmp_path / "both") == tmp_path / "both"
    assert job_of(tmp_path / "none") == tmp_path / "none"


def test_a_damaged_shard_is_left_out_and_remembered(tmp_path):
    job = write_views(tmp_path / "job", {"train": 2, "val": 1})
    (job / "val-000000.tar").write_bytes(b"torn")
    for _ in range(2):  # prepared, and found prepared
        store = prepare_pairs([job], tmp_path / "store", size=16)
        assert store.patients_of("val") == [] and store.patients_of("train") == [0, 1]
        ((name, sentence),) = store.left_out
        assert name == "job/val-000000.tar" and "bytes of the manifest" in sentence
