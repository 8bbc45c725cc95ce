"""Every example runs at a size that suits a test, is short, says what one learns, and is called like the others."""

import ast
import re
import runpy

import numpy as np
import pytest
from PIL import Image
from support.repo import ROOT
from support.threads import one_thread

EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
FEWEST_COLOURS = 20  # of a picture that shows something


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_example_runs_and_writes_what_one_can_look_at(path, tmp_path):
    pytest.importorskip(f"xraykit.{path.parent.name}", reason="the example's package is not installed")
    with one_thread():
        runpy.run_path(str(path))["main"](tmp_path / "out", quick=True)
    assert any((tmp_path / "out").rglob("*"))
    for picture in (tmp_path / "out").glob("*.png"):
        with Image.open(picture) as image:
            assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > FEWEST_COLOURS


def test_examples_are_short_have_one_signature_and_say_what_one_learns():
    wrong = []
    for path in EXAMPLES:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        mains = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
        calls = [[ast.unparse(argument) for argument in main.args.args] for main in mains]
        name = path.relative_to(ROOT).as_posix()
        wrong += [f"{name}: {text.count(chr(10))} lines"] * (text.count("\n") >= 80)
        wrong += [f"{name}: main of {calls}"] * (calls != [["out: Path", "quick: bool"]])
        wrong += [f"{name}: what does one learn?"] * ((ast.get_docstring(tree) or "").count("\n") < 3)
        wrong += [f"{name}: a verb and its object, please"] * (not re.fullmatch(r"[a-z]+(_[a-z]+)+", path.stem))
    assert wrong == []


def test_examples_use_public_names_alone():
    deep = re.compile(r"^\s*(?:from|import) xraykit\.\w+\.\w+\.\w+", re.MULTILINE)
    assert [path.name for path in EXAMPLES if deep.search(path.read_text(encoding="utf-8"))] == []
