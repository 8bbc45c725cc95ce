"""A training leaves weights that know what they are worth, goes on where it was killed, and says what it cannot do."""

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support import fluorosam_training
from support.fluorosam_jobs import write_segmentation_job
from support.fluorosam_training import TINY, quick_settings, run, tiny_weights
from xraykit.fluorosam.data import prepare_segmentations
from xraykit.fluorosam.network import load_network, new_network, presence_network
from xraykit.fluorosam.train.presets import PRESETS
from xraykit.fluorosam.train.segmentation_task import SegmentationTask
from xraykit.fluorosam.train.settings import SegmentationNetworkSettings, SegmentationTrainSettings
from xraykit.fluorosam.train.training_images import split_images
from xraykit.fluorosam.training import begin_codes, check_training, make_network, training_config
from xraykit.render import FileError, InputError
from xraykit.render.storage import from_plain, read_table

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-fluorosam[train]'")
SCRIPT = Path(fluorosam_training.__file__)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return write_segmentation_job(tmp_path_factory.mktemp("boxes") / "job")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tiny_weights(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def trained(job, weights, tmp_path_factory):
    said = []
    done = run(quick_settings(tmp_path_factory.mktemp("trained") / "out", job, weights), say=said.append)
    return done, said


def state(folder):
    return load_file(folder / "weights" / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_folder_holds_weights_curve_and_who_was_held_out(trained):
    done, said = trained
    names = {path.name for path in done.folder.iterdir()}
    assert {"settings.json", "weights", "last.ckpt", "curve.csv", "report.md", "images"} <= names
    assert said[0] == "6 images of 6 patients to learn from, 2 of 2 held out: scores on 2 of theirs in the curve"


def test_every_row_scores_each_kind_of_prompt(trained):
    rows = trained[0].rows
    assert [row["step"] for row in rows] == [0, 2, 4]
    kinds = ("text", "points_1", "points_2", "points_8", "box", "point", "held_out_text")
    wanted = {f"{name}_{kind}" for name in ("iou", "dice") for kind in kinds}
    wanted |= {"missed", "confidence_error", "codes_used", "images_per_s"}
    for row in rows:
        assert wanted <= set(row) and all(math.isfinite(value) for value in row.values())
        assert all(row[f"iou_{kind}"] <= row[f"dice_{kind}"] <= 1 for kind in kinds)
    assert {"train_loss", "train_text_mask", "train_first_iou", "train_last_quality", "train_perplexity"} <= set(
        rows[-1]
    )


def test_weights_carry_their_calibration_and_what_they_learned_from(trained):
    network = load_network(trained[0].weights)
    told = network.trained_on
    assert (
        network.config == presence_network(new_network(TINY)).config and told["data"] == ["job"] and told["images"] == 6
    )
    assert set(told["calibration"]) == {"slope", "offset", "visible", "presence"} and told["batches"] == 4


def test_a_training_that_goes_on_says_what_its_start_learned_from(trained, job, tmp_path):
    start = trained[0].weights
    told = load_network(run(quick_settings(tmp_path / "out", job, start, data={"held_out_images": 0})).weights)
    was = load_network(start).trained_on
    assert told.trained_on["before"] == {name: was[name] for name in was if name not in ("calibration", "errors")}
    assert told.trained_on["before"]["images"] == 6 and "before" not in was


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"objective": {"average": 0.9, "renew_every": 1}, "run": {"precision": "bf16-mixed"}},
        {"objective": {"schedule": "steps", "drops": (2,)}, "rounds": {"points": 0}, "length": {"accumulate": 2}},
        {"data": {"held_out_images": 0, "absent": 0.0}, "network": {"text_frozen": True, "checkpointing": True}},
    ],
)
def test_every_variant_trains(changes, job, weights, tmp_path):
    done = run(quick_settings(tmp_path / "out", job, weights, **changes))
    assert all(math.isfinite(row.get("train_loss", 0.0)) for row in done.rows)
    text = [name for name in state(done.folder) if "text_model.transformer" in name]
    moved = any(not torch.equal(state(done.folder)[n], load_file(weights / "model.safetensors")[n]) for n in text)
    assert moved == ("network" not in changes)


@pytest.mark.slow
def test_a_frozen_encoder_keeps_its_weights_and_statistics(job, weights, tmp_path):
    first = load_file(weights / "model.safetensors")
    for frozen in (True, False):
        changes = {"network": {"encoder_frozen": frozen}, "rounds": {"points": 0, "cells": 0.5}}
        after = state(run(quick_settings(tmp_path / str(frozen), job, weights, **changes)).folder)
        encoder = [name for name in first if name.startswith("image_encoder.")]
        assert any("running_mean" in name for name in encoder)
        assert all(torch.equal(first[name], after[name]) for name in encoder) == frozen
        assert all(torch.equal(first[name], after[name]) for name in encoder if "running_" in name)
        assert any(not torch.equal(first[name], after[name]) for name in first if name.startswith("mask_decoder."))


def test_what_is_visible_is_learned_alone(trained, job, tmp_path):
    start = trained[0].folder
    changes = {"objective": {"presence_alone": True, "renew_every": 1}, "data": {"absent": 0.5}}
    done = run(quick_settings(tmp_path / "out", job, start / "weights", **changes))
    first, after = state(start), state(done.folder)
    moved = {name.split(".")[0] for name in first if not torch.equal(first[name], after[name])}
    assert moved == {"presence_head"} and first.keys() == after.keys()
    assert math.isfinite(done.rows[-1]["train_presence"]) and "train_text_mask" not in done.rows[-1]
    assert 0 <= load_network(done.folder / "weights").trained_on["calibration"]["presence"] <= 1


def test_a_head_that_is_not_asked_for_is_not_made(job, weights, tmp_path):
    done = run(quick_settings(tmp_path / "out", job, weights, objective={"presence_weight": 0.0}))
    assert not any(name.startswith("presence_head.") for name in state(done.folder))


def test_texts_of_a_file_are_asked(job, weights, tmp_path):
    table = tmp_path / "texts.csv"
    table.write_text("target,text\nfemur_left,the left thigh bone\nfemur_right,the right thigh bone\n")
    done = run(quick_settings(tmp_path / "out", job, weights, data={"texts": table, "held_out_share": 0.5}))
    assert "iou_held_out_text" not in done.rows[-1]


def test_patients_are_held_out_by_their_split_or_by_share(job, tmp_path):
    store = prepare_segmentations([job], TINY, tmp_path / "store")
    learned, held = split_images(store, 0.25)
    assert len(held) == 2 and sorted(learned + held) == list(range(8))
    assert split_images(store, 0.0) == (list(range(8)), [])
    store.labels = [label | {"split": "val" if n in (1, 4) else "test" if n == 0 else "train"}
                    for n, label in enumerate(store.labels)]  # fmt: skip
    assert split_images(store, 0.25) == ([2, 3, 5, 6, 7], [1, 4])
    store.labels = [label | {"split": "test"} for label in store.labels]
    with pytest.raises(InputError, match="there must be patients to learn from, got those of the splits val and test"):
        split_images(store, 0.25)
    store.labels = [label | {"patient": "p", "split": "val" if n else "train"} for n, label in enumerate(store.labels)]
    with pytest.raises(InputError, match="a patient must be in one split, got p in train and val"):
        split_images(store, 0.25)


def test_the_network_is_what_the_settings_say(weights, tmp_path):
    config = training_config(SegmentationNetworkSettings("mini", quantiser="cosine", codes=64, text_frozen=True))
    assert (config.quantiser.kind, config.quantiser.codes, config.text.frozen) == ("cosine", 64, True)
    start = load_network(weights)
    with pytest.raises(InputError, match="weights to go on from bring their network along; leave out --codes"):
        training_config(SegmentationNetworkSettings(codes=64), start)
    with pytest.raises(InputError, match=r"--variant must be one of .*mini, got 'midi'"):
        training_config(SegmentationNetworkSettings("midi"))
    settings = quick_settings(tmp_path, tmp_path, weights, network={"text_weights": str(weights), "start": None})
    with pytest.raises(FileError, match="must have the text tower of this network, got another size"):
        make_network(settings)
    other = tiny_weights(tmp_path / "other", seed=5)
    mixed = make_network(replace(settings, network=replace(settings.network, text_weights=str(other))), start)
    theirs = load_network(other).prompt_encoder.text_model.state_dict()
    assert same(mixed.prompt_encoder.text_model.state_dict(), theirs)


def test_codes_of_a_new_network_start_from_its_texts():
    network = new_network(TINY)
    begin_codes(network, ["left femur", "skull", "all ribs", "the heart"], seed=0)
    encoder = network.prompt_encoder
    with torch.no_grad():
        found = encoder.vq(encoder.clip_mlp(network.encode_text(["left femur", "skull"])))
    assert float(found.loss) < 1e-4


def test_rates_follow_the_papers_steps():
    preset = from_plain(SegmentationTrainSettings, {**read_table(PRESETS["paper"]), "run": {"output": "out"}})
    task = SegmentationTask(new_network(TINY), preset, None)
    found = [task.rate(0.0, step) for step in (0, 10_000, 20_000, 199_999, 200_000, 400_000)]
    assert found == pytest.approx([8e-6, 4.04e-4, 8e-4, 8e-4, 8e-5, 8e-6])


def test_laptop_says_the_defaults():
    preset = from_plain(SegmentationTrainSettings, {**read_table(PRESETS["laptop"]), "run": {"output": "out"}})
    assert preset == SegmentationTrainSettings(run=preset.run)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data": {"sources": ()}}, "a training needs X-rays of a data set job, got none"),
        ({"data": {"absent": 1.5}}, "--absent must lie in 0 to 1, got 1.5"),
        ({"rounds": {"points_alone": 0.6, "box_alone": 0.6}}, "shares of prompts must lie in 0 to 1, got 1.55"),
        ({"rounds": {"points": -1}}, "--points must be 0 or more"),
        ({"rounds": {"cells": 0.0, "points": 0}}, "--cells must lie above 0 and up to 1"),
        ({"objective": {"average": 1.0}}, "--average must lie in 0 to below 1, got 1.0"),
        ({"objective": {"focal_weight": math.nan}}, "--focal-weight must be 0 or more and finite, got nan"),
        ({"data": {"prompts": 0}}, "--prompts must be positive"),
        ({"objective": {"presence_alone": True, "presence_weight": 0.0}}, "--presence-alone needs a --presence-weight"),
    ],
)
def test_settings_out_of_range_are_refused_in_a_sentence(changes, says, job, weights, tmp_path):
    with pytest.raises(InputError, match=says):
        check_training(quick_settings(tmp_path / "out", job, weights, **changes))


def test_a_folder_that_is_no_data_set_is_refused_and_nothing_is_written(weights, tmp_path):
    with pytest.raises(FileError):
        run(quick_settings(tmp_path / "out", tmp_path, weights))
    assert not (tmp_path / "out").exists()


def call(out, job, weights, *words):
    command = [sys.executable, str(SCRIPT), str(out), str(job), str(weights), *words]
    return subprocess.run(command, check=False)


@pytest.mark.slow
def test_killed_training_goes_on_to_the_same_bits(job, weights, tmp_path):
    assert call(tmp_path / "whole", job, weights).returncode == 0
    assert call(tmp_path / "killed", job, weights, "--kill", "3").returncode == -9
    assert call(tmp_path / "killed", job, weights, "--resume").returncode == 0
    assert same(state(tmp_path / "whole"), state(tmp_path / "killed"))
    changed = quick_settings(tmp_path / "whole", job, weights, run={"resume": True}, rounds={"points": 1})
    with pytest.raises(InputError, match=r"--resume must go on with the options of .* got others: --points"):
        run(changed)


@pytest.mark.slow
def test_two_processes_train_although_steps_leave_parameters_unused(job, weights, tmp_path):
    assert call(tmp_path / "two", job, weights, "--devices", "2").returncode == 0
    assert all(bool(torch.isfinite(value).all()) for value in state(tmp_path / "two").values())
