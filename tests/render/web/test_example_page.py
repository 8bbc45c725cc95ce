"""The example page and its script ask for the same requests, and a number of views is checked."""

import runpy

import pytest
from support.repo import ROOT
from xraykit.render import InputError

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-render[web]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-render[web]'")


@pytest.fixture(scope="module")
def example():
    return runpy.run_path(str(ROOT / "examples/render/local_page.py"))


def test_example_refuses_what_is_no_number_of_views(example, tmp_path):
    table = example["Turntable"](None, tmp_path, pixels=8)
    with pytest.raises(InputError, match="views must be 1 to 360, got 'many'"):
        table.turn({"views": "many"})
    table.runner.close()


def test_page_and_script_of_the_example_ask_only_for_what_is_there(example):
    table = example["Turntable"](None, None, pixels=8)
    script = (ROOT / "examples/render/local_page/app.js").read_text(encoding="utf-8")
    for name in ("turn", "picture", "cancel"):
        assert f'("{name}"' in script and name in table.requests
    assert table.picture({}).content == b""
    table.runner.close()
