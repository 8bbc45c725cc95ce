"""The geometry page: its example runs, and its figures are there and small."""

import re

import torch
from support.repo import ROOT

PAGE = ROOT / "docs/geometry.md"


def test_example_runs_and_prints_what_its_comments_say(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    scope: dict = {}
    exec(compile(block, str(PAGE), "exec"), scope)
    torch.testing.assert_close(scope["seen"].uv, torch.tensor([[[130.0, 100.0]]]))
    assert "-50" in capsys.readouterr().out


def test_figures_exist_and_are_small():
    figures = re.findall(r"!\[.*?\]\((.*?)\)", PAGE.read_text())
    assert len(figures) == 4
    assert all((PAGE.parent / figure).stat().st_size < 150_000 for figure in figures)
