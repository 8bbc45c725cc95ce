"""The page on training quotes the example as it is."""

import re

from support.repo import ROOT

EXAMPLE = ROOT / "examples/render/train_toy_task.py"


def test_the_quote_is_in_the_example():
    (quote,) = re.findall(r"^```py\n(.*?)^```", (ROOT / "docs/training.md").read_text(encoding="utf-8"), re.M | re.S)
    assert quote in EXAMPLE.read_text(encoding="utf-8")
