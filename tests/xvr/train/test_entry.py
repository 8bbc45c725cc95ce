"""Whole trainings of a few batches: what they leave, that they go on exactly, and how they refuse."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from support.dataset_shards import write_dataset
from support.later import installed
from support.training import quick, small_patient, write_small_patient
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.training import TrainingFailedError
from xraykit.xvr import load_network, train_network
from xraykit.xvr.template import write_warp

installed("lightning", reason="needs the extra: pip install 'xraykit-xvr[train]'")
installed("kornia", reason="needs the extra: pip install 'xraykit-xvr[train]'")
installed("tensorboard", reason="needs the extra: pip install 'xraykit-xvr[train]'")


class KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_small_patient(tmp_path_factory.mktemp("patient"))


@pytest.fixture(scope="module")
def whole(files, tmp_path_factory):
    """An uninterrupted training with every term of the loss."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    return train_network(with_everything(files, folder))


def with_everything(files, folder, **changes):
    settings = {
        "ct": files[0], "labels": files[1], "steps": 6, "image_loss_from": 0.0, "augment": 0.333, "physics": True,
        "accumulate": 2, "save_every": 4, "validate_every": 2,
    } | changes  # fmt: skip
    return quick(folder, **settings)


def test_a_training_leaves_weights_curves_settings_and_a_checkpoint(whole):
    names = {path.name for path in whole.folder.iterdir()}
    assert names == {
        "weights", "curve.csv", "curve.json", "settings.json", "last.ckpt", "tensorboard", "report.md",
    }  # fmt: skip
    assert whole.batches == 6
    network = load_network(whole.weights)
    assert network.frame.height == 32 and network.provenance["batches"] == 6
    assert list((whole.folder / "tensorboard").glob("events*"))
    assert json.loads((whole.folder / "settings.json").read_text())["length"]["accumulate"] == 2


def test_the_curve_has_a_row_before_the_first_batch_and_every_so_many(whole):
    assert [row["step"] for row in whole.rows] == [0, 2, 4, 6]
    assert json.loads((whole.folder / "curve.json").read_text()) == list(whole.rows)
    last = whole.rows[-1]
    assert {"seconds", "rate", "train_loss", "train_dice", "train_image", "mtre_c2w_mm_median", "tre_mm_q95"} <= set(
        last
    )
    head, *rows = (whole.folder / "curve.csv").read_text().splitlines()
    assert len(rows) == 4 and head.startswith("step,images,seconds")
    assert 0 < last["train_dice"] <= 1 and 0 < last["train_image"] < 2
    expected = 0.01 * last["train_pose_mm"] + last["train_image"] + last["train_dice"]
    assert last["train_loss"] == pytest.approx(expected, rel=1e-4)


def test_a_killed_training_goes_on_as_if_nothing_had_happened(files, whole, tmp_path):
    def kill(done, total):
        if done == 5:
            raise KilledError

    with pytest.raises(KilledError):
        train_network(with_everything(files, tmp_path / "out"), report=kill)
    resumed = train_network(with_everything(files, tmp_path / "out", resume=True))
    timeless = [{k: v for k, v in row.items() if k != "seconds"} for row in whole.rows]
    assert [{k: v for k, v in row.items() if k != "seconds"} for row in resumed.rows] == timeless
    old, new = (load_network(training.weights).state_dict() for training in (whole, resumed))
    assert all(torch.equal(old[name], new[name]) for name in old)


def test_resuming_with_other_settings_or_nowhere_is_refused_and_a_training_is_not_overwritten(files, whole, tmp_path):
    with pytest.raises(InputError, match="batch was 4 and is 8"):
        train_network(with_everything(files, whole.folder, resume=True, batch=8))
    with pytest.raises(FileError, match=r"--resume needs last\.ckpt"):
        train_network(with_everything(files, tmp_path / "new", resume=True))
    with pytest.raises(OutputError, match="already holds a training"):
        train_network(with_everything(files, whole.folder))


def test_a_few_batches_of_pose_loss_alone_lower_it(files, tmp_path):
    narrow = {"alpha": (175.0, 185.0), "beta": (20.0, 25.0), "gamma": (0.0, 0.0)}
    training = train_network(
        quick(tmp_path / "o", ct=files[0], steps=40, batch=8, rate=3e-3, validate_every=13, clip=0.0, **narrow)
    )
    losses = [row["train_pose_mm"] for row in training.rows[1:]]
    assert losses[-1] < 0.9 * losses[0]


def test_a_training_by_the_clock_ends_by_itself(files, tmp_path):
    training = train_network(quick(tmp_path / "o", ct=files[0], steps=None, minutes=0.05))
    assert training.batches > 0 and (training.weights / "model.safetensors").is_file()


def test_finetuning_begins_where_the_checkpoint_is_with_the_template_s_warp(files, tmp_path):
    options = {"procedural": "knee", "patients": 1, "voxels": 32, "pose_frame": "template", "steps": 1}
    template = train_network(quick(tmp_path / "template", **options))
    network = load_network(template.weights)
    assert network.frame.frame == "template"
    warp = torch.eye(4, dtype=torch.float64)
    warp[:3, 3] = small_patient().center + torch.tensor([0.0, 0.0, 400.0])
    write_warp(tmp_path / "warp.tfm", warp)
    finetune = quick(
        tmp_path / "own", ct=files[0], checkpoint=str(template.weights), warp=tmp_path / "warp.tfm", size=None, steps=1
    )
    found = train_network(finetune)
    assert load_network(found.weights).frame == network.frame
    moved = train_network(
        quick(
            tmp_path / "b", ct=files[0], checkpoint=str(found.weights), warp=tmp_path / "warp.tfm", size=None, steps=1
        )
    )
    assert moved.rows[0]["tre_mm_median"] == pytest.approx(found.rows[-1]["tre_mm_median"], rel=1e-4)
    with pytest.raises(InputError, match="needs the warp"):
        train_network(quick(tmp_path / "c", ct=files[0], checkpoint=str(template.weights), size=None))


def test_a_training_of_many_patients_who_share_batches_goes_on_exactly(files, tmp_path):
    folder = tmp_path / "cts"
    folder.mkdir()
    for number in range(3):
        shutil.copy(files[0], folder / f"{number}.nii.gz")
    options = {"cts": folder, "patients_per_batch": 2, "steps_per_patient": 1, "steps": 4, "save_every": 2}
    whole = train_network(quick(tmp_path / "whole", **options))

    def kill(done, total):
        if done == 3:
            raise KilledError

    with pytest.raises(KilledError):
        train_network(quick(tmp_path / "o", **options), report=kill)
    resumed = train_network(quick(tmp_path / "o", **options, resume=True))
    old, new = (load_network(training.weights).state_dict() for training in (whole, resumed))
    assert all(torch.equal(old[name], new[name]) for name in old)


def test_a_data_set_is_learned_from_in_the_world_of_its_patients(tmp_path):
    folder = write_dataset(tmp_path / "d", {"train": [9], "val": [4]}, size=32)
    with pytest.raises(InputError, match="set --field-of-view and --sdd"):
        train_network(quick(tmp_path / "o", dataset=folder, steps=3))
    training = train_network(quick(tmp_path / "p", dataset=folder, steps=3, sdd=1000.0, field_of_view=64.0))
    assert load_network(training.weights).frame.frame == "template"
    assert training.rows[-1]["train_pose_mm"] > 0


def test_a_loss_that_is_not_finite_stops_the_training_with_a_sentence(files, tmp_path):
    with pytest.raises(TrainingFailedError, match=r"must stay finite, got .* lower --rate"):
        train_network(quick(tmp_path / "o", ct=files[0], rate=1e30, steps=20))


def test_poses_that_never_show_the_patient_are_refused_before_the_training(files, tmp_path):
    with pytest.raises(InputError, match=r"range of poses must show ct\.nii\.gz, but only 0 %"):
        train_network(quick(tmp_path / "o", ct=files[0], tx=(2000.0, 2100.0)))


def test_a_missing_ct_and_a_file_for_a_folder_are_refused(tmp_path, files):
    with pytest.raises(FileError):
        train_network(quick(tmp_path / "o", ct=Path("none.nii.gz")))
    with pytest.raises(OutputError, match="must be a folder"):
        train_network(quick(files[0], ct=files[0]))


def test_a_loss_that_overflows_names_its_batch(files, tmp_path):
    with pytest.raises(TrainingFailedError, match="the loss must stay finite, got inf in batch 1"):
        train_network(quick(tmp_path / "o", ct=files[0], weight_pose=1e38))
