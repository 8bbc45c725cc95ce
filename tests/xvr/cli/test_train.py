"""`xraykit xvr train` trains with the options given, or says in a sentence why not."""

import json

import pytest
from support.training import QUICK, write_small_patient
from xraykit.render.cli.umbrella import run
from xraykit.xvr import load_network

pytest.importorskip("lightning", reason="the extra xraykit-xvr[train]")
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
    assert saved["seed"] == 3 and saved["tx"] == [-40.0, 40.0]
    again = ["xvr", "train", "--config", str(out / "settings.json"), "-o", str(tmp_path / "again")]
    assert run(again) == 0
    assert json.loads((tmp_path / "again" / "settings.json").read_text())["seed"] == 3


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
