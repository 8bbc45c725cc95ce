"""The page about procedural patients: its example runs and prints what its comments say, and it leaves nothing out."""

import re
from dataclasses import fields

from PIL import Image
from support.repo import ROOT
from xraykit.render.patient import FindingSettings

PAGE = ROOT / "docs/patients.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_example_runs(capsys):
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    exec(compile(block, str(PAGE), "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed == [comment.strip() for comment in re.findall(r"print\(.*\)  # (.*)", block)]


def test_every_finding_is_listed_with_its_default_share():
    for field in fields(FindingSettings):
        assert f"| {field.name.replace('_', ' ')} ({field.default:g}) |" in TEXT


def test_the_picture_is_there_and_light():
    (name,) = re.findall(r"!\[[^\]]*\]\((pictures/[^)]+)\)", TEXT)
    path = ROOT / "docs" / name
    assert path.stat().st_size < 500_000
    with Image.open(path) as picture:
        assert picture.mode == "L"
        assert min(picture.size) > 400
