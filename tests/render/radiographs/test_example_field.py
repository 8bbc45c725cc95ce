"""The example finds the collimator that it closed."""

import runpy

from PIL import Image
from support.repo import ROOT


def test_example_finds_the_opening(tmp_path):
    example = runpy.run_path(str(ROOT / "examples/render/exposed_field.py"))
    assert example["main"](tmp_path / "out", quick=True) > 0.93
    with Image.open(tmp_path / "out/exposed_field.png") as picture:
        assert picture.size[0] > 320
