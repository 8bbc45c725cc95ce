"""The examples of the evaluation and weights pages run, and find what the pages say."""

import runpy

import pytest
from support.repo import ROOT


def test_weights_are_saved_and_loaded(tmp_path, capsys):
    runpy.run_path(str(ROOT / "examples/render/save_and_load_weights.py"))["main"](tmp_path, quick=True)
    assert "must hold a pose network written by xraykit-xvr" in capsys.readouterr().out
    assert (tmp_path / "net" / "model.safetensors").is_file()


def test_two_methods_are_scored(tmp_path):
    pytest.importorskip("statsmodels", reason="needs the extra evaluate")
    report = runpy.run_path(str(ROOT / "examples/render/score_two_methods.py"))["main"](tmp_path, quick=True)
    assert report.ranking is not None and report.ranking.methods[0] == "phase_correlation"
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "report.json", "report.md", "errors.png"}
