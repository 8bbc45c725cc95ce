"""The page about views: its table is that of the data, and its example runs and prints what its comments say."""

import re

from support.makers import maker
from support.repo import ROOT
from xraykit.render.views import POSE_RANGES, STANDARD_VIEWS

PAGE = ROOT / "docs/views.md"


def test_table_of_views_is_up_to_date():
    text = PAGE.read_text(encoding="utf-8")
    assert maker("view_table").with_table(text) == text, "run `uv run python docs/makers/view_table.py`"
    assert text.count("\n| `") >= sum(view.side != "left" for view in STANDARD_VIEWS.values())


def test_table_of_pose_ranges_says_what_the_data_say():
    text = PAGE.read_text(encoding="utf-8")
    for name, preset in POSE_RANGES.items():
        cells = [cell.strip() for cell in re.search(rf"^\| {name} \|(.*)\|$", text, flags=re.MULTILINE)[1].split("|")]
        ranges = (preset.alpha, preset.beta, preset.gamma, preset.tx, preset.ty, preset.tz)
        said = [f"±{high}" if low == -high else f"{low} to {high}" for low, high in ranges]
        numbers = [f"{n:.10g}" if n else "" for n in (preset.sdd, preset.delx)]
        assert cells == said + numbers


def test_example_runs(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(block, str(PAGE), "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed == [comment.strip() for comment in re.findall(r"print\(.*?\)  # (.*)", block)]
