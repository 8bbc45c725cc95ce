"""`xraykit xvr evaluate` judges results, makes studies of its own, and names every mistake."""

import csv
import json

import pytest
import torch
from support.held import held_elsewhere
from support.registration_sets import write_remixed
from xraykit.render import torso, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.xvr.evaluate.datasets.remixed import Remixed
from xraykit.xvr.evaluate.report import FILES
from xraykit.xvr.result.record import ResultRecord, write_result
from xraykit.xvr.start.start_errors import displaced_pose

pytest.importorskip("matplotlib", reason="needs the extra evaluate")


@pytest.fixture(scope="module")
def leg(tmp_path_factory):
    path = tmp_path_factory.mktemp("leg")
    write_remixed(path, "femur", reverse=False)
    return path


@pytest.fixture(scope="module")
def results(leg, tmp_path_factory):
    """The X-ray of subject01 registered 0.5 mm too deep, from 20 mm."""
    folder = tmp_path_factory.mktemp("results") / "ours" / "subject01"
    folder.mkdir(parents=True)
    xray = Remixed(leg, "femur", crop=5).subject("subject01").xray("000")
    found, start = (
        displaced_pose(xray.pose[None], torch.zeros(3), torch.tensor([[0, 0, 0, 0, 0, depth]])) for depth in (0.5, 20.0)
    )
    record = ResultRecord(("patient",), ("000",), found[None], start, (xray.shot.camera,), "fixed", similarity=0.5)
    write_result(folder / "result.json", record)
    return folder.parent


def rows_of(folder):
    with (folder / "errors.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_results_are_judged_against_the_data_set(leg, results, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["xvr", "evaluate", str(results), "--dataset", "femur", "--data", str(leg), "-o", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "settings.json", "poses.json"])
    initial, final = rows_of(out)
    assert float(initial["true_tre"]) == pytest.approx(20, abs=1e-3)
    assert float(final["true_tre"]) == pytest.approx(0.5, abs=1e-3) and final["method"] == "ours"
    printed = capsys.readouterr().out
    assert "| ours | final | 1 |" in printed and "100.0" in printed
    assert json.loads((out / "settings.json").read_text(encoding="utf-8"))["truth"]["dataset"] == "femur"


@pytest.mark.slow
def test_a_study_on_a_simulated_ct_registers_from_drawn_starts(tmp_path, capsys):
    ct = torso(spacing=8.0)
    write_volume(tmp_path / "ct.nii.gz", ct.hu, ct.affine)
    out = tmp_path / "out"
    options = ["--levels", "1", "--xrays", "1", "--size", "48", "--success", "5", "-o", str(out)]
    assert run(["xvr", "evaluate", "--simulate", str(tmp_path / "ct.nii.gz"), *options]) == 0
    initial, final = rows_of(out)
    assert (initial["estimate"], final["estimate"], final["method"]) == ("initial", "final", "levenberg_marquardt")
    assert float(final["true_tre"]) < 0.5 * float(initial["true_tre"])
    assert "1/1 registrations" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either --data with --dataset, or --simulate CT, got both or neither"),
        (["--data", "DATA"], "--data needs --dataset deepfluoro, ljubljana or femur"),
        (["RESULTS", "--simulate", "ct.nii.gz"], "got --simulate; leave the results out"),
        (["RESULTS", "RESULTS", "--dataset", "femur", "--data", "DATA"], "must have different names"),
        (["none", "--dataset", "femur", "--data", "DATA"], "must hold results of xvr register"),
        (["--dataset", "femur", "--data", "none"], "there is nothing by that name"),
    ],
)
def test_mistakes_are_named_and_nothing_is_written(leg, results, tmp_path, capsys, arguments, message):
    places = {"DATA": str(leg), "RESULTS": str(results)}
    out = tmp_path / "out"
    assert run(["xvr", "evaluate", *(places.get(a, a) for a in arguments), "-o", str(out)]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_a_second_evaluation_in_a_folder_is_refused(leg, results, tmp_path, capsys):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    out = tmp_path / "out"
    with held_elsewhere(out):
        assert run(["xvr", "evaluate", str(results), "--dataset", "femur", "--data", str(leg), "-o", str(out)]) == 2
        assert [path.name for path in out.iterdir()] == [".lock"]
    assert "must be free, got another job that writes there" in " ".join(capsys.readouterr().err.split())
