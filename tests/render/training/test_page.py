"""The page on training quotes the example as it is."""

import re
from importlib import import_module

import pytest
from support.repo import ROOT
from xraykit.render.weights import load_weights

EXAMPLE = ROOT / "examples/render/train_toy_task.py"


def test_the_quote_is_in_the_example():
    (quote,) = re.findall(r"^```py\n(.*?)^```", (ROOT / "docs/training.md").read_text(encoding="utf-8"), re.M | re.S)
    assert quote in EXAMPLE.read_text(encoding="utf-8")


def test_the_example_learns_its_line(tmp_path, monkeypatch):
    pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-render[train]'")
    monkeypatch.syspath_prepend(EXAMPLE.parent)
    example = import_module(EXAMPLE.stem)
    run = example.main(tmp_path / "out", quick=True)
    assert run.batches == 40 and run.rows[-1]["slope_error"] < 0.5 * run.rows[0]["slope_error"]
    again = example.main(tmp_path / "out", resume=True)
    assert again.batches == 400 and again.rows[-1]["slope_error"] < 0.1
    saved = load_weights(tmp_path / "out/weights", example.KIND)
    assert abs(saved.state["weight"].item() - example.SLOPE) == pytest.approx(again.rows[-1]["slope_error"], abs=1e-4)
    assert saved.trained_on["batches"] == 400
