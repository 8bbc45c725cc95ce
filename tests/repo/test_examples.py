"""The examples run, at a size that suits a test, and find what they promise."""

import runpy

from support.repo import ROOT


def test_the_screw_is_recovered_through_the_simulator():
    example = runpy.run_path(str(ROOT / "examples/recover_screw.py"))
    millimetres, degrees = example["recover"](pixels=100, spacing=0.8, steps=60)
    assert millimetres < 0.2
    assert degrees < 0.5
