"""The page docs/converters.md: its example runs, and it names every converter."""

import re

from support.repo import ROOT
from xraykit.render import _HOME

PAGE = (ROOT / "docs/converters.md").read_text()


def test_the_example_runs():
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(code, "docs/converters.md", "exec"), {})


def test_the_table_names_every_converter():
    functions = {name for name, home in _HOME.items() if home.startswith("converters.") and name[0].islower()}
    assert functions - set(re.findall(r"`(\w+)`", PAGE)) == set()
    assert len(functions) >= 16
