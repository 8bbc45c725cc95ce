"""Every script of docs/makers still runs, and the pages that they write are up to date."""

import runpy
import sys

import pytest
from support.makers import MAKERS, maker
from support.repo import ROOT

pytest.importorskip("matplotlib", reason="the makers draw with the extra `plot`")
SCRIPTS = sorted(path for path in MAKERS.glob("*.py") if "argparse" in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_maker_says_how_it_is_called(path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    monkeypatch.syspath_prepend(str(MAKERS))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(path), run_name="__main__")
    assert not ended.value.code
    assert "usage:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "pictures"), [("geometry_figures", 4), ("xvr_training_curves", 1), ("xvr_foundation_curves", 1)]
)
def test_a_quick_maker_draws(name, pictures, monkeypatch, tmp_path):
    out = tmp_path / ("curves.png" if pictures == 1 else "")
    monkeypatch.setattr(sys, "argv", [name, "-o", str(out)])
    maker(name).main()
    assert sum(path.stat().st_size > 5000 for path in tmp_path.glob("*.png")) == pictures


def test_the_pages_of_public_names_are_up_to_date():
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/api").glob("*.md")}
    assert written == maker("make_api").pages(ROOT), "run `uv run python docs/makers/make_api.py`"


def test_the_page_of_what_is_read_assumed_and_refused_is_up_to_date():
    page = ROOT / "docs/formats.md"
    assert page.read_text(encoding="utf-8") == maker("make_formats").text(), "run `docs/makers/make_formats.py`"
    for said in (
        "`voxels`: no air",
        "`labels padded`: their voxels lie",
        "one slice was named",
        "FILE must hold slices",
    ):
        assert said in page.read_text(encoding="utf-8")


def test_the_pages_have_a_heading_for_every_public_name_of_the_packages():
    for package in ("render", "xvr"):
        module = pytest.importorskip(f"xraykit.{package}")
        text = (ROOT / f"docs/api/{package}.md").read_text(encoding="utf-8")
        assert [name for name in module.__all__ if f"\n### {name}\n" not in text] == []
