"""The page docs/converters.md: its example runs, and it names every converter."""

import re

from support.repo import ROOT
from xraykit.render import converters

PAGE = (ROOT / "docs/converters.md").read_text()


def test_the_example_runs():
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(code, "docs/converters.md", "exec"), {})


def test_the_table_names_every_converter():
    functions = {name for name in converters.__all__ if name[0].islower()}
    assert functions - set(re.findall(r"`(\w+)`", PAGE)) == set()
    assert len(functions) >= 16
