"""Figures are PNG files with something in them, and say what to install where matplotlib is missing."""

import math
import sys

import pytest
from xraykit.render import XraykitError
from xraykit.render.evaluation import new_figure, plot_errors, plot_reliability, reliability

pytest.importorskip("matplotlib", reason="needs the extra evaluate")

from PIL import Image


def test_errors_that_are_all_lost_still_make_a_figure(tmp_path):
    errors = {"lost": [math.inf, math.nan], "kept": [0.0, 2.0]}
    with Image.open(plot_errors(errors, tmp_path / "e.png", ylabel="true TRE [mm]", bound=1.0)) as picture:
        assert picture.width > 300


def test_reliability_is_drawn(tmp_path):
    bins = reliability([0.1, 0.2, 0.9, 0.95], [False, True, True, True])
    with Image.open(plot_reliability({"ours": bins}, tmp_path / "r.png")) as picture:
        assert picture.format == "PNG" and len(picture.convert("RGB").getcolors(1 << 20)) > 20


def test_a_missing_matplotlib_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(XraykitError, match=r"matplotlib.*pip install .xraykit-render\[evaluate\]"):
        new_figure()
