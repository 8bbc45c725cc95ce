"""Table 1: every row sees the same batches, rows come first and are kept, and the report says what it rests on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import corr_evaluation
from support.corr_evaluation import quick_table1, write_split_job
from support.corr_views import write_views
from support.few_draws import few_draws
from xraykit.corr.evaluate import arm_scores, evaluate_modules, read_arm
from xraykit.render import FileError, InputError, OutputError

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-corr[train]'")
SCRIPT = Path(corr_evaluation.__file__)
drawing = few_draws(arm_scores)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return write_split_job(tmp_path_factory.mktemp("blocks"))


@pytest.fixture(scope="module")
def evaluated(job, tmp_path_factory):
    said: list[str] = []
    settings = quick_table1(tmp_path_factory.mktemp("table") / "out", job)
    return settings, evaluate_modules(settings, say=said.append), said


def test_rows_priors_costs_and_config_stand_in_the_report(evaluated):
    settings, report, said = evaluated
    text = (settings.run.output / "report.md").read_text()
    for word in (
        "| none | 0 |",
        "| standard | 1 |",
        "prior: mean C |",
        "prior: true pose's band",
        "paper's AP",
        "| mini |",
    ):
        assert word in text
    assert report.numbers["arms"]["standard"]["facts"]["cost"]["flops"] > 0
    assert report.numbers["arms"]["none"]["facts"]["train_pairs_per_s"] > 0
    assert report.numbers["priors"]["zero"]["mse"] > report.numbers["priors"]["mean"]["mse"] > 0
    assert set(report.numbers["tests"]) == {"none"}
    assert list(report.numbers["roll"]["none"]) == ["0", "15", "-15", "45", "-45", "90", "-90", "180"]
    assert "every row learns from 3 batches of 4 pairs" in said
    assert json.loads((settings.run.output / "report.json").read_text())["settings"]["rows"]["test_pairs"] == 9


def test_every_row_is_tested_on_the_same_pairs_of_test_patients(evaluated):
    settings, _, _ = evaluated
    output = settings.run.output
    folders = [*(output / "arms").iterdir(), *(output / "priors").iterdir()]
    named = [[(row.pair, row.patient, row.positives) for row in read_arm(folder).rows] for folder in folders]
    assert len(folders) == 6
    assert all(each == named[0] for each in named)
    assert {"steps", "patients", "density"} <= set(json.loads((output / "plan.json").read_text()))
    curves = [json.loads((folder / "settings.json").read_text()) for folder in (output / "arms").iterdir()]
    assert {(curve["length"]["steps"], curve["length"]["batch"], curve["data"]["size"]) for curve in curves} == {
        (3, 4, 32)
    }


def test_roll_of_0_changes_nothing(evaluated):
    settings, _, _ = evaluated
    folder = settings.run.output / "arms" / "standard-seed0"
    whole, turned = read_arm(folder), read_arm(folder / "roll0")
    for row, first in zip(turned.rows, whole.rows[:2], strict=True):
        assert (row.pair, row.positives) == (first.pair, first.positives)
        assert row.average_precision == pytest.approx(first.average_precision, abs=1e-3)
    back, front = (read_arm(folder / f"roll{turn}").rows for turn in ("180", "0"))
    assert any(a.average_precision != b.average_precision for a, b in zip(back, front, strict=True))


def test_mean_true_correspondence_is_left_for_other_evaluations(evaluated):
    settings, _, _ = evaluated
    mean = np.load(settings.run.output / "mean.npy")
    assert mean.shape == (16, 16)
    assert 0 < mean.mean() < 1


def test_second_start_is_refused_and_a_resume_keeps_finished_rows(evaluated, job):
    settings, report, _ = evaluated
    with pytest.raises(OutputError, match="already holds an evaluation; add --resume"):
        evaluate_modules(settings)
    rows = settings.run.output / "arms" / "none-seed0" / "rows.json"
    before = rows.stat().st_mtime_ns
    again = evaluate_modules(quick_table1(settings.run.output, job, run={"resume": True}))
    assert rows.stat().st_mtime_ns == before
    assert again.numbers["arms"]["standard"]["ap_macro"] == report.numbers["arms"]["standard"]["ap_macro"]
    with pytest.raises(InputError, match="test-pairs"):
        evaluate_modules(quick_table1(settings.run.output, job, run={"resume": True}, rows={"test_pairs": 8}))


@pytest.mark.slow
def test_killed_evaluation_goes_on_to_the_same_rows(evaluated, job, tmp_path):
    def call(*words: str) -> int:
        command = [sys.executable, str(SCRIPT), str(tmp_path / "out"), str(job), *words]
        paths = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])}
        return subprocess.run(command, check=False, env=paths).returncode

    assert call("--kill", "batches of standard-seed0 2") == -9
    assert (tmp_path / "out" / "arms" / "none-seed0" / "rows.json").is_file()
    assert call("--resume") == 0
    for name in ("none-seed0", "standard-seed0"):
        whole, resumed = (read_arm(out / "arms" / name) for out in (evaluated[0].run.output, tmp_path / "out"))
        assert [repr(row) for row in whole.rows] == [repr(row) for row in resumed.rows]  # NaN is not itself


@pytest.mark.slow
def test_minutes_become_batches_that_all_rows_share(job, tmp_path):
    said: list[str] = []
    settings = quick_table1(tmp_path / "out", job, length={"steps": None, "minutes": 0.4}, rows={"roll_pairs": 0})
    report = evaluate_modules(settings, say=said.append)
    steps = report.numbers["plan"]["steps"]
    assert {arm["facts"]["batches"] for arm in report.numbers["arms"].values()} == {steps}
    assert set(report.numbers["plan"]["times"]) == {"none", "standard"}
    assert any("s a batch" in sentence for sentence in said)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"rows": {"repeats": 0}}, InputError, "--repeats and --test-pairs must be 1 or more and --roll-pairs 0"),
        ({"rows": {"arms": ()}}, InputError, "--arms must name rows, each once, got none"),
        ({"rows": {"arms": ("none", "none")}}, InputError, "--arms must name rows, each once, got none, none"),
        ({"length": {"steps": None, "minutes": None}}, InputError, "needs --minutes above 0, or --steps"),
        ({"data": {"sources": ()}}, InputError, "a training needs X-rays of a data set job"),
        ({"run": {"resume": True}}, FileError, "--resume needs settings.json"),
    ],
)
def test_impossible_settings_are_refused_in_one_sentence(changes, error, message, job, tmp_path):
    with pytest.raises(error, match=message):
        evaluate_modules(quick_table1(tmp_path / "out", job, **changes))
    assert not (tmp_path / "out").exists()


def test_data_without_test_patients_are_refused(tmp_path):
    job = write_views(tmp_path / "job", {"train": 1})
    with pytest.raises(InputError, match='must have patients in a split "test", got none'):
        evaluate_modules(quick_table1(tmp_path / "out", job))
