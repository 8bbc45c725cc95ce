"""What is prepared is what the job holds: grey values, masks, what is shown and what is lacked."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.dataset_shards import write_dataset
from support.fluorosam_jobs import (
    CONFIG,
    KNEE,
    PELVIS,
    WIRE,
    box_mask,
    write_sample,
    write_samples,
    write_segmentation_job,
)
from xraykit.fluorosam.data import SegmentationStore, prepare_segmentations, wait_for_segmentations
from xraykit.fluorosam.vocabulary import absent_targets
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.dataset import ReadingOrder, XrayDataset

HALF_STEP = 15 / 65_535 / 2


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return write_segmentation_job(tmp_path_factory.mktemp("fluorosam") / "job")


@pytest.fixture(scope="module")
def store(job, tmp_path_factory):
    return prepare_segmentations([job], CONFIG, tmp_path_factory.mktemp("prepared"))


def one_image(tmp_path, masks, *, config=CONFIG, **options):
    job = write_samples(tmp_path / "one", [write_sample(0, 0, masks, **options)])
    return prepare_segmentations([job], config, tmp_path / "prepared")


def test_grey_values_are_those_of_the_job_to_half_a_step(job, store):
    samples = list(XrayDataset(job, order=ReadingOrder(shuffle=False), rank=0, world_size=1))
    assert len(samples) == len(store) == 8
    for number, sample in enumerate(samples):
        assert (store.image(number) - sample.log_attenuation()[0]).abs().max() <= HALF_STEP * 1.01
        assert store.names[number] == f"job/{sample.key}"
        assert (store.view(number), store.split(number)) == (sample.view, "train")


def test_masks_come_back_bit_by_bit(store):
    assert store.annotation_names(0) == ("femur_right", "femur_left", "k_wire_1")
    assert store.annotation_kinds(0) == ("organ", "organ", "tool")
    expected = np.stack([PELVIS["femur_right"], PELVIS["femur_left"], WIRE["k_wire_1"]])
    assert (store.masks(0).numpy() == expected).all()
    assert (store.masks(0, [2]).numpy() == expected[2:]).all()
    union = store.union(0, (0, 2))
    assert (union[:-1].reshape(64, 64) == expected[0] | expected[2]).all() and not union[-1]
    assert store.areas(0) == pytest.approx(expected.mean(axis=(1, 2)))


def test_targets_are_structures_pairs_groups_and_tools(store):
    shown = store.targets(0)
    assert shown["femur_left"] == (1,) and shown["femur"] == (0, 1)
    assert shown["k_wire"] == shown["metal"] == (2,)
    assert shown["long_bones"] == (0, 1)
    assert "metal" not in store.targets(1)


def test_what_is_lacked_is_what_the_vocabulary_says(store):
    assert store.absent(1) == absent_targets(store.annotation_names(1), store.annotation_kinds(1))
    assert "femur_right" in store.absent(3) and "femur_left" not in store.absent(3)
    assert not set(store.targets(1)) & set(store.absent(1))


def test_without_all_labels_nothing_is_known_to_be_lacking(tmp_path):
    job = write_segmentation_job(tmp_path / "job", labels="[femur_left]")
    store = prepare_segmentations([job], CONFIG, tmp_path / "prepared")
    assert not store.lacks.any() and store.shows.any()


def test_tiny_and_huge_masks_are_neither_shown_nor_lacked(tmp_path):
    masks = {
        "femur_left": box_mask(0, 0, 2, 2),
        "tibia_left": box_mask(0, 0, 64, 60),
        "fibula_left": box_mask(0, 0, 2, 3),
    }
    store = one_image(tmp_path, masks)
    shown = store.targets(0)
    assert "fibula_left" in shown  # 6 of 4096 pixels
    for target in ("femur_left", "tibia_left"):  # 4 pixels, and 94 %
        assert target not in shown and target not in store.absent(0)


def test_what_the_collimator_covers_is_not_shown(tmp_path):
    physics = {"physics": {"shutter": {"rectangle": [12.0, 12.0, 52.0, 52.0]}}}
    store = one_image(tmp_path, {**KNEE, "patella_left": box_mask(0, 0, 6, 6)}, edit=physics)
    job = XrayDataset(tmp_path / "one", rank=0, world_size=1)
    opened = next(iter(job)).open_field.numpy()
    assert 0 < opened.mean() < 1 and not opened[:6, :6].any()
    assert (store.masks(0)[0].numpy() == (KNEE["femur_left"] & opened)).all()
    assert "patella_left" not in store.targets(0) and "patella_left" in store.absent(0)


def test_an_image_that_is_not_square_lies_in_the_upper_left_corner(tmp_path):
    mask = box_mask(10, 5, 30, 20, size=(64, 48))
    store = one_image(tmp_path, {"femur_left": mask})
    assert store.shown(0) == (64, 48) and store.image(0).shape == (64, 48)
    assert (store.masks(0)[0, :, :48].numpy() == mask).all()
    assert not store.masks(0)[0, :, 48:].any()
    assert store.areas(0)[0] == pytest.approx(mask.mean())


def test_a_large_image_is_reduced_and_masks_are_taken_at_pixel_centres(tmp_path):
    mask = box_mask(40, 40, 120, 160, size=(200, 200))
    store = one_image(tmp_path, {"femur_left": mask})
    assert store.edge == 80  # 1.25 times 64
    centres = ((np.arange(80) + 0.5) * 200 / 80).astype(int)
    square = store.union(0, [0])[:-1].reshape(80, 80)
    assert (square == mask[centres[:, None], centres]).all()
    assert store.masks(0).shape == (1, 64, 64)
    assert float(store.masks(0).float().mean()) == pytest.approx(mask.mean(), abs=0.01)
    inside = store.image(0)[torch.from_numpy(square)]
    assert float(inside.median()) == pytest.approx(6.0, abs=1e-3)


def test_a_store_is_used_again_and_made_anew_for_other_sizes(job, tmp_path):
    told = []
    first = prepare_segmentations([job], CONFIG, tmp_path / "p", lambda done, total: told.append((done, total)))
    assert told == [(n, 8) for n in range(1, 9)]
    before = (tmp_path / "p" / "images.bin").stat().st_mtime_ns
    again = prepare_segmentations([job], CONFIG, tmp_path / "p", lambda *_: pytest.fail("made anew"))
    assert again.digest == first.digest and (tmp_path / "p" / "images.bin").stat().st_mtime_ns == before
    assert wait_for_segmentations([job], CONFIG, tmp_path / "p", seconds=0).digest == first.digest
    other = prepare_segmentations([job], replace(CONFIG, image_size=32, grid=4), tmp_path / "p")
    assert other.digest != first.digest and other.mask_size == 32 and other.masks(0).shape == (3, 32, 32)
    with pytest.raises(OutputError, match="must be filled by the first process"):
        wait_for_segmentations([job], CONFIG, tmp_path / "p", seconds=0)


def test_an_interrupted_job_leaves_the_folder_as_it_was(job, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(done, total):
        raise StoppedError

    with pytest.raises(StoppedError):
        prepare_segmentations([job], CONFIG, tmp_path / "p", stop)
    assert not list(tmp_path.iterdir())


def test_bad_sources_are_refused_in_a_sentence(job, tmp_path):
    with pytest.raises(InputError, match="a training needs data sets, each once, got none"):
        prepare_segmentations([], CONFIG, tmp_path / "p")
    with pytest.raises(InputError, match="each once"):
        prepare_segmentations([job, job], CONFIG, tmp_path / "p")
    with pytest.raises(FileError):
        prepare_segmentations([tmp_path / "nowhere"], CONFIG, tmp_path / "p")


def test_a_damaged_store_is_refused_in_a_sentence(store, tmp_path):
    with pytest.raises(FileError):
        SegmentationStore(tmp_path / "nothing")
    for name in ("images.bin", "masks.bin", "annotations.bin", "answers.bin"):
        copy = tmp_path / name.removesuffix(".bin")
        copy.mkdir()
        for file in store.folder.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
        (copy / name).write_bytes(b"cut")
        with pytest.raises(FileError, match="prepare the data anew"):
            SegmentationStore(copy)
    (copy / "index.json").write_text('{"digest": "x"}')
    with pytest.raises(FileError, match="must be an index of segmentations"):
        SegmentationStore(copy)


def test_a_damaged_shard_is_left_out_and_remembered(tmp_path):
    job = write_dataset(tmp_path / "job", {"train": [3, 2]}, size=64)
    (job / "train-000001.tar").write_bytes(b"torn")
    for _ in range(2):  # prepared, and found prepared
        store = prepare_segmentations([job], CONFIG, tmp_path / "store")
        assert len(store) == 3
        ((name, sentence),) = store.left_out
        assert name == "job/train-000001.tar" and "bytes of the manifest" in sentence
