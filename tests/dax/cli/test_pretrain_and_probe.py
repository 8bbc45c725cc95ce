"""`xraykit dax pretrain` and `probe` hand their settings to the library and print what came out."""

from pathlib import Path

import pytest
from xraykit.dax import pretraining
from xraykit.dax.probes import run_region
from xraykit.dax.probes.report import ProbeReport, ReportTable
from xraykit.render import InputError
from xraykit.render.cli.umbrella import run
from xraykit.render.training import TrainingRun


def test_pretrain_hands_over_its_settings_and_prints_the_last_row(tmp_path, monkeypatch, capsys):
    got = {}

    def pretrain(settings, *, report, say, begun):
        got["settings"] = settings
        say("polarity was assumed")
        report("images", 0, 9)
        report("batches", 0, 4)
        report("batches", 4, 4)
        row = {"step": 4.0, "train_loss": 7.654321, "knn_accuracy": 0.5}
        return TrainingRun(settings.run.output, settings.run.output / "weights", (row,), 4, 61.0)

    monkeypatch.setattr(pretraining, "pretrain", pretrain)
    out = tmp_path / "run"
    command = ["dax", "pretrain", "a/", "b.csv", "-o", str(out), "--preset", "small", "--batch", "5", "--steps", "4"]
    assert run(command) == 0
    settings = got["settings"]
    assert settings.data.sources == ("a/", "b.csv") and settings.length.batch == 5 and settings.run.output == out
    said = capsys.readouterr().out
    assert (
        "polarity was assumed" in said
        and "4 batches in 1 min 1 s" in said
        and "loss 7.654" in said
        and "4/4 batches" in said
    )
    assert f"wrote {out / 'weights'}" in said


def test_a_probe_hands_over_its_settings_and_prints_its_tables(tmp_path, monkeypatch, capsys):
    got = {}

    def probe_regions(settings, *, report, say, left_out):
        say("a: features of 2 images take 0.1 MB")
        got["settings"] = settings
        for what in ("features of a", "classifiers on a"):
            report(what, 0, 2)
            report(what, 2, 2)
        table = ReportTable("Accuracy", ("backbone", "score"), (("a", "98.0%"),))
        return ProbeReport("Regions", "Lead.", (table,), notes=("one fold",)), (settings.output / "report.html",)

    monkeypatch.setattr(run_region, "probe_regions", probe_regions)
    command = ["dax", "probe", "region", "set/", "a", "random:b", "-o", str(tmp_path), "--folds", "3", "--limit", "9"]
    assert run(command) == 0
    settings = got["settings"]
    assert settings.data == Path("set/") and settings.backbones == ("a", "random:b")
    assert settings.folds == 3 and settings.inputs.limit == 9
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["a: features of 2 images take 0.1 MB", "features of a"] and lines[3] == "classifiers on a"
    assert lines[2].startswith("2/2 images") and lines[4].startswith("2/2 fits")
    assert "| a | 98.0% |" in lines and "note: one fold" in lines
    assert lines[-1] == f"wrote {tmp_path / 'report.html'}"


def test_errors_of_the_library_end_a_command_with_status_2(tmp_path, monkeypatch, capsys):
    def probe_regions(settings, *, report, say, left_out):
        report("features of a", 0, 2)
        raise InputError("folds must be 2 or more, got 1.")

    monkeypatch.setattr(run_region, "probe_regions", probe_regions)
    assert run(["dax", "probe", "region", "set/", "a", "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "xraykit: folds must be 2 or more, got 1.\n"


@pytest.mark.parametrize("probe", ["region", "metal", "screws"])
def test_a_probe_needs_data_and_backbones(probe, tmp_path, capsys):
    assert run(["dax", "probe", probe, "-o", str(tmp_path)]) == 2
    assert "--data requires an argument" in capsys.readouterr().err
