"""`xraykit xvr train` trains with the options given, or says in a sentence why not."""

import json
from functools import reduce
from pathlib import Path

import pytest
import torch
from cyclopts import App
from support.later import installed
from support.training import QUICK, small_patient, write_small_patient
from xraykit.render import Camera, InputError, write_pose, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.commands import flat
from xraykit.render.storage import leaves
from xraykit.xvr import TrainSettings, load_network

installed("lightning", reason="needs the extra: pip install 'xraykit-xvr[train]'")
OPTIONS = [
    part
    for name, value in (QUICK | {"steps": 2, "size": 32}).items()
    for part in (f"--{name.replace('_', '-')}", *(map(str, value) if isinstance(value, tuple) else (str(value),)))
]


def test_the_network_is_trained_and_the_settings_can_be_used_again(tmp_path, capsys):
    ct, labels = write_small_patient(tmp_path)
    out = tmp_path / "out"
    assert run(["xvr", "train", str(ct), "--labels", str(labels), "-o", str(out), *OPTIONS, "--seed", "3"]) == 0
    said = capsys.readouterr().out
    assert "2/2 batches" in said and "true TRE" in said and "wrote" in said
    assert load_network(out / "weights").frame.height == 32
    saved = json.loads((out / "settings.json").read_text())
    assert saved["run"]["seed"] == 3 and saved["poses"]["tx"] == [-40.0, 40.0]
    again = ["xvr", "train", "--config", str(out / "settings.json"), "-o", str(tmp_path / "again")]
    assert run(again) == 0
    assert json.loads((tmp_path / "again" / "settings.json").read_text())["run"]["seed"] == 3


def test_what_is_doubtful_about_the_ct_is_said_and_saved_before_training(tmp_path, monkeypatch, capsys):
    def stop(*given, **options):
        raise InputError("stopped before the first batch.")

    monkeypatch.setattr("xraykit.xvr.train.entry.fit", stop)
    volume = small_patient()
    ct, out = write_volume(tmp_path / "stored.nii.gz", volume.hu + 1024, volume.affine), tmp_path / "out"
    assert run(["xvr", "train", str(ct), "-o", str(out), *OPTIONS]) == 2
    assert "stored.nii.gz: voxels: " in capsys.readouterr().err
    (line,) = json.loads((out / "settings.json").read_text())["xraykit"]["input"]["doubts"]
    assert "no air" in line


def test_what_is_doubtful_about_each_of_many_cts_is_said_and_saved_with_those_left_out(tmp_path, capsys):
    volume, out = small_patient(labels=False), tmp_path / "out"
    (tmp_path / "cts").mkdir()
    for name in ("a", "b"):
        write_volume(tmp_path / "cts" / f"{name}.nii.gz", volume.hu + 1024, volume.affine)
    torn = (tmp_path / "cts/a.nii.gz").read_bytes()[:300]
    (tmp_path / "cts/c.nii.gz").write_bytes(torn)
    options = ["3" if before == "--steps" else part for before, part in zip(["", *OPTIONS], OPTIONS, strict=False)]
    assert (
        run(["xvr", "train", "--cts", str(tmp_path / "cts"), "-o", str(out), *options, "--steps-per-patient", "1"]) == 3
    )
    assert "c.nii.gz was left out" in capsys.readouterr().err
    record = json.loads((out / "inputs.json").read_text("utf-8"))
    (doubt,) = [one for one in record["notes"] if "no air" in one["note"]]
    assert sorted(doubt["names"]) == ["a.nii.gz", "b.nii.gz"]
    assert [one["name"] for one in record["left_out"]] == ["c.nii.gz"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("ct.nii", "--rate", "0"), "--rate must be positive"),
        (("--procedural", "elbows"), "--procedural must be one of"),
        (("none.nii.gz",), "none.nii.gz"),
        ((), "exactly one of CT"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    assert run(["xvr", "train", *options, "-o", "out", "--device", "cpu"]) == 2
    assert message in capsys.readouterr().err


CHOSEN = {
    "ct": "my.nii", "labels": "seg.nii", "cts": "folder", "dataset": "set", "procedural": "knee", "patients": 7,
    "voxels": 33, "steps_per_patient": 5, "patients_per_batch": 3, "validation_views": 9, "checkpoint": "hub/id",
    "warp": "w.tfm", "pose_frame": "template", "backbone": "resnet34", "norm": "default", "parameterization": "euler",
    "pretrained": True, "preset": "femur", "series": "2", "modality": "MR", "resample_slices": True,
    "voxel_spacing": (0.5, 0.6, 0.7), "alpha": (1.0, 2.0), "beta": (3.0, 4.0), "gamma": (5.0, 6.0), "tx": (7.0, 8.0),
    "ty": (9.0, 10.0), "tz": (11.0, 12.0), "camera": "cam1.txt", "image_size": (70, 80), "pixel_spacing": (0.3, 0.4),
    "sdd": 900.5, "field_of_view": 301.5, "size": 96, "voxel": 1.5,
    "bone": (2.0, 3.0), "augment": 0.25, "physics": True, "weight_pose": 0.5, "weight_image": 0.6, "weight_dice": 0.7,
    "image_loss_from": 0.8, "steps": 11, "minutes": 2.5, "batch": 6, "accumulate": 3, "warmup": 4, "rate": 0.02,
    "clip": 0.03, "validate_every": 13, "save_every": 14, "output": "other", "resume": True, "device": "cpu",
    "devices": 2, "nodes": 3, "strategy": "ddp", "precision": "16-mixed", "compile": True, "workers": 8, "seed": 15,
}  # fmt: skip


@pytest.mark.parametrize("name", list(leaves(TrainSettings)))
def test_each_option_reaches_its_field_and_no_other(name):
    caught = []
    app = App(result_action="return_value")
    app.default(flat(caught.append, TrainSettings))
    value = CHOSEN[name]
    parts = [] if value is True else [str(part) for part in (value if isinstance(value, tuple) else (value,))]
    app(["--output", "out", f"--{name.replace('_', '-')}", *parts] if name != "output" else ["-o", *parts])
    (settings,) = caught
    changed = {
        leaf.name: found
        for leaf in leaves(TrainSettings).values()
        if (found := reduce(getattr, leaf.path, settings)) != leaf.default and leaf.name != "output"
    }
    if name == "output":
        assert settings.run.output == Path(value) and not changed
    else:
        assert changed == {name: Path(value) if isinstance(changed[name], Path) else value}


def test_the_camera_of_a_file_is_what_the_weights_say(tmp_path, capsys):
    ct, _ = write_small_patient(tmp_path)
    camera = Camera(sdd=1050.0, height=40, width=50, pixel_spacing=6.0, principal_point=(35.0, 14.0))
    write_pose(tmp_path / "camera.json", camera, torch.eye(4)[None])
    train = ["xvr", "train", str(ct), *OPTIONS, "--camera", str(tmp_path / "camera.json")]
    assert run([*train, "-o", str(tmp_path / "out")]) == 0
    frame = load_network(tmp_path / "out/weights").frame
    assert (frame.sdd, frame.delx) == (1050.0, 300.0 / 32)
    assert frame.principal_point == pytest.approx((16 + 60 / frame.delx, 16 - 36 / frame.delx))
    capsys.readouterr()
    assert run([*train, "--image-size", "50", "40", "-o", str(tmp_path / "other")]) == 2
    assert "camera.json is of an image of 40 rows x 50 columns, got one of 50 x 40" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
