"""A pre-training learns, goes on exactly where it was killed, and says in one sentence what it cannot do."""

import json
import math
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support import dax_training
from support.dax_training import quick_settings, run, write_images
from xraykit.dax.network import load_backbone
from xraykit.dax.train.settings import PretrainSettings
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.training import TrainingFailedError

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-dax[train]'")
SCRIPT = Path(dax_training.__file__)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="module")
def trained(images, tmp_path_factory):
    return run(quick_settings(tmp_path_factory.mktemp("trained") / "out", images))


def state(folder):
    return load_file(folder / "weights" / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_folder_holds_weights_curve_checkpoint_and_settings(trained):
    names = {path.name for path in trained.folder.iterdir()}
    assert {"settings.json", "weights", "last.ckpt", "curve.csv", "curve.json", "report.md", "frames"} <= names
    columns = trained.rows[-1]
    wanted = {"train_loss", "train_teacher_entropy", "train_kl", "knn_accuracy", "images_per_s", "peak_gib"}
    assert wanted <= set(columns)
    assert columns["train_loss"] == pytest.approx(math.log(32), rel=0.1)
    assert 0 <= columns["knn_accuracy"] <= 1


def test_weights_carry_their_preprocessing_and_differ_from_the_start(trained):
    backbone = load_backbone(trained.weights)
    assert backbone.config.preprocess.size == 32
    assert backbone.trained_on["images"] == 16  # 8 of 24 are held out
    again = run_start(trained)
    assert not same(dict(backbone.network.state_dict()), dict(again.network.state_dict()))


def run_start(trained):
    from xraykit.dax.pretraining import make_branches
    from xraykit.render.storage import read_settings

    return make_branches(read_settings(PretrainSettings, trained.folder / "settings.json"))[1].backbone


def test_weights_to_go_on_from_bring_architecture_and_preprocessing(images, tmp_path):
    from xraykit.dax import BackboneConfig, PreprocessSettings, new_backbone, save_backbone

    own = PreprocessSettings(size=64, mean=0.4, std=0.2)
    save_backbone(new_backbone(BackboneConfig("resnet10", preprocess=own), seed=3), tmp_path / "start", trained_on={})
    done = run(quick_settings(tmp_path / "out", images, network={"start": str(tmp_path / "start")}))
    config = load_backbone(done.weights).config
    assert config.architecture == "resnet10"
    assert (config.preprocess.mean, config.preprocess.std, config.preprocess.size) == (0.4, 0.2, 32)


@pytest.mark.slow
def test_same_seed_gives_same_weights_whatever_the_workers(trained, images, tmp_path, capfd):
    again = run(quick_settings(tmp_path / "again", images, run={"workers": 1}))
    assert not multiprocessing.active_children()
    assert "worker" not in capfd.readouterr().err  # that one was killed
    assert same(state(trained.folder), state(again.folder))
    other = run(quick_settings(tmp_path / "other", images, run={"seed": 1}))
    assert not same(state(trained.folder), state(other.folder))


def call(out, images, *words):
    return subprocess.run([sys.executable, str(SCRIPT), str(out), str(images), *words], check=False)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["vit_mini16", "resnet10"])
def test_killed_training_goes_on_to_the_same_bits(architecture, images, tmp_path):
    words = ("--architecture", architecture)
    assert call(tmp_path / "whole", images, *words).returncode == 0
    assert call(tmp_path / "killed", images, *words, "--kill", "3").returncode == -9
    assert call(tmp_path / "killed", images, *words, "--resume").returncode == 0
    assert same(state(tmp_path / "whole"), state(tmp_path / "killed"))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["vit_mini16", "resnet10"])
def test_two_processes_learn_what_one_learns_from_batches_twice_as_large(architecture, images, tmp_path):
    words = ("--architecture", architecture, "--drop-path", "0")
    assert call(tmp_path / "one", images, *words, "--batch", "4").returncode == 0
    assert call(tmp_path / "two", images, *words, "--batch", "2", "--devices", "2").returncode == 0
    one, two = state(tmp_path / "one"), state(tmp_path / "two")
    for name, values in one.items():
        close = torch.isclose(values.float(), two[name].float(), rtol=1e-3, atol=2e-4)
        assert close.float().mean() > 0.999, name  # Adam divides by the gradient's size: where it is 0, noise decides


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"objective": {"objective": "dinov2"}},
        {"crops": {"augmentation": "B"}, "preprocess": {"version": "B"}},
        {"network": {"architecture": "resnet10"}, "head": {"batch_norm": True}, "optimizer": {"optimizer": "lars"}},
        {"network": {"channels": 3}, "optimizer": {"optimizer": "sgd"}, "length": {"accumulate": 2}},
        {"run": {"precision": "bf16-mixed"}},
    ],
)
def test_every_variant_trains_and_its_weights_load(changes, images, tmp_path):
    done = run(quick_settings(tmp_path / "out", images, **changes))
    assert all(math.isfinite(row.get("train_loss", 0.0)) for row in done.rows)
    backbone = load_backbone(done.weights)
    pixels = torch.rand(2, backbone.config.channels, 32, 32)
    assert torch.isfinite(backbone(pixels)).all()


@pytest.mark.slow
def test_student_learns_what_a_teacher_that_stays_says(images, tmp_path):
    length = {"steps": 60, "batch": 8, "warmup": 5, "rate": 0.1, "validate_every": 15}
    stays = {"momentum": 1.0, "center_momentum": 1.0}
    done = run(quick_settings(tmp_path / "out", images, length=length, objective=stays))
    losses = [row["train_loss"] for row in done.rows if "train_loss" in row]
    assert losses[-1] < losses[0] - 0.3


def test_training_goes_on_from_weights_with_their_head(trained, images, tmp_path):
    settings = quick_settings(tmp_path / "more", images, network={"start": str(trained.weights)}, length={"rate": 1e-9})
    done = run(settings)
    mine, theirs = state(done.folder), state(trained.folder)
    assert all(torch.allclose(mine[name], theirs[name], atol=1e-6) for name in theirs)
    head = load_file(done.weights / "head" / "model.safetensors")
    before = load_file(trained.weights / "head" / "model.safetensors")
    assert all(torch.allclose(head[name], before[name], atol=1e-6) for name in before)


def test_other_head_than_the_weights_have_is_refused(trained, images, tmp_path):
    settings = quick_settings(tmp_path / "out", images, network={"start": str(trained.weights)}, head={"outputs": 64})
    with pytest.raises(FileError, match="remove the folder to begin with a new head"):
        run(settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": {"batch": 400}}, "a batch of 400 needs as many images, got 24; lower --batch"),
        ({"data": {"longest": 16}}, "--longest must be no less than the global crops' 32 px"),
        ({"objective": {"momentum": 1.5}}, "--momentum must lie in 0 to 1, got 1.5"),
        ({"objective": {"teacher_temperature": 0.0}}, "--teacher-temperature must be above 0"),
        ({"objective": {"objective": "dinov2"}, "network": {"architecture": "resnet10"}}, "needs a vision transformer"),
        ({"objective": {"objective": "dinov2"}, "length": {"batch": 1}}, "--batch must be 2 or more"),
        ({"network": {"architecture": "vit_huge99"}}, "vit_huge99"),
        ({"data": {"sources": ("nowhere",)}}, "nowhere does not exist"),
    ],
)
def test_impossible_settings_are_refused_in_one_sentence(changes, message, images, tmp_path):
    with pytest.raises((InputError, FileError), match=message):
        run(quick_settings(tmp_path / "out", images, **changes))
    assert not (tmp_path / "out").exists()


def test_resume_with_other_settings_is_refused(trained, images):
    settings = quick_settings(trained.folder, images, run={"resume": True}, head={"outputs": 16})
    with pytest.raises(InputError, match=r"--resume must go on with the options .*--outputs"):
        run(settings)
    with pytest.raises(OutputError, match="already holds a training"):
        run(quick_settings(trained.folder, images))


def test_damaged_image_among_others_is_refused_or_left_out_by_name(images, tmp_path):
    write_images(tmp_path / "some", 8, held_out=0)
    (tmp_path / "some" / "003.tiff").write_bytes(b"II*\x00broken")
    listed = tmp_path / "some" / "list.csv"
    with pytest.raises(FileError, match=r"003\.tiff"):
        run(quick_settings(tmp_path / "out", listed, data={"on_error": "stop"}))
    ((name, sentence),) = run(quick_settings(tmp_path / "second", listed)).left_out
    assert "003.tiff" in name and "003.tiff" in sentence
    record = json.loads((tmp_path / "second/inputs.json").read_text("utf-8"))
    assert [one["name"] for one in record["left_out"]] == [name]


def test_nan_names_the_batch_and_keeps_the_last_checkpoint(images, tmp_path, monkeypatch):
    from xraykit.dax.train import dino_task

    honest = dino_task.dino_loss

    def poisoned(*arguments, **named):
        poisoned.calls += 1
        return honest(*arguments, **named) * (math.nan if poisoned.calls == 4 else 1.0)

    poisoned.calls = 0
    monkeypatch.setattr(dino_task, "dino_loss", poisoned)
    with pytest.raises(TrainingFailedError, match=r"got nan in batch 4 \(of 0\d\d.tiff, 0\d\d.tiff, .*\); train again"):
        run(quick_settings(tmp_path / "out", images))
    kept = torch.load(tmp_path / "out" / "last.ckpt", weights_only=True)
    assert kept["xraykit"]["journal"]["done"] == 2
    load_backbone(tmp_path / "out" / "weights")


@pytest.mark.slow
def test_collapse_is_said(images, tmp_path):
    said = []
    settings = quick_settings(
        tmp_path / "out",
        images,
        length={"steps": 12, "rate": 1e-9, "validate_every": 1},
        objective={"teacher_temperature": 10.0, "warmup_teacher_temperature": 10.0, "student_temperature": 10.0},
    )
    run(settings, say=said.append)
    assert any("collapsed" in sentence and "uniform" in sentence for sentence in said)


def test_settings_file_reads_back(trained):
    table = json.loads((trained.folder / "settings.json").read_text(encoding="utf-8"))
    assert table["crops"]["global_size"] == 32
