"""The page on training quotes the example as it is."""

import re
import runpy

import pytest
from support.repo import ROOT

EXAMPLE = ROOT / "examples/render/train_toy_task.py"


def test_the_quote_is_in_the_example():
    (quote,) = re.findall(r"^```py\n(.*?)^```", (ROOT / "docs/training.md").read_text(encoding="utf-8"), re.M | re.S)
    assert quote in EXAMPLE.read_text(encoding="utf-8")


def test_the_example_learns_its_line(tmp_path):
    pytest.importorskip("lightning", reason="the extra xraykit-render[train]")
    run = runpy.run_path(str(EXAMPLE))["main"](tmp_path / "out", quick=True)
    assert run.batches == 40 and run.rows[-1]["slope_error"] < 0.5 * run.rows[0]["slope_error"]
    again = runpy.run_path(str(EXAMPLE))["main"](tmp_path / "out", resume=True)
    assert again.batches == 400 and again.rows[-1]["slope_error"] < 0.1
