"""`xraykit corr evaluate` offers three tables, each with options of its own, and refuses in one sentence."""

from __future__ import annotations

import pytest
from support.corr_evaluation import write_split_job
from support.few_draws import few_draws
from xraykit.corr.cli.evaluate import app
from xraykit.corr.evaluate import arm_scores, evaluate_classification
from xraykit.corr.evaluate.settings import Table3GridSettings, Table3LengthSettings, Table3Settings
from xraykit.render import InputError
from xraykit.render.training import RunSettings

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-corr[train]'")
drawing = few_draws(arm_scores)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("table1", ("--arms", "--test-pairs", "--minutes", "--resume", "standard_large")),
        ("table2", ("--aliked", "--repeats", "--start", "--minutes")),
        ("table3", ("--pretrained", "--seeds", "--minutes")),
    ],
)
def test_help_names_the_options_of_each_table(table, words, capsys):
    with pytest.raises(SystemExit) as ended:
        app([table, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert [word for word in words if word not in text] == []


def test_a_table_is_made_from_the_command_line(tmp_path, capsys):
    job = write_split_job(tmp_path)
    options = "--arms none --steps 1 --batch 2 --size 32 --test-pairs 2 --roll-pairs 0 --held-out-pairs 2"
    more = "--prior-pairs 2 --angles 5 175 --layers 1 --dimension 24 --workers 0 --device cpu"
    with pytest.raises(SystemExit) as ended:
        app(["table1", str(job), "-o", str(tmp_path / "out"), *options.split(), *more.split()])
    assert not ended.value.code
    out = capsys.readouterr().out
    assert "every row learns from 1 batches of 2 pairs" in out
    assert "# Table 1: how tokens attend" in out
    assert (tmp_path / "out" / "report.md").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": Table3LengthSettings(minutes=None)}, "needs --minutes above 0, or --steps, got None"),
        ({"grid": Table3GridSettings(seeds=0)}, "--seeds must be 1 or more, got 0"),
        ({}, "a study manifest was expected at"),
    ],
)
def test_impossible_settings_of_table_3_are_refused(changes, message, tmp_path):
    with pytest.raises(InputError, match=message):
        evaluate_classification(Table3Settings(run=RunSettings(tmp_path / "out", device="cpu"), **changes))
    assert not (tmp_path / "out").exists()
