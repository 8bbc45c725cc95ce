"""The Python in the READMEs and in pages without a test of their own runs as written."""

import ast
import json
import re
import subprocess
import sys

import pytest
from support.repo import ROOT

WRITTEN_OUT = [ROOT / f"docs/{name}.md" for name in ("commands", "radiographs")]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md")), *WRITTEN_OUT]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [(page, code) for page in PAGES for code in BLOCK.findall(page.read_text(encoding="utf-8"))]


def test_the_root_readme_starts_with_the_two_set_up_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^uv run .*$", text, re.MULTILINE)[:2] == ["uv run xraykit demo", "uv run pytest"]


def test_the_root_readme_has_python_to_run():
    assert any(page == ROOT / "README.md" for page, _ in BLOCKS)


IDS = [f"{page.parent.name}-{number}" for number, (page, _) in enumerate(BLOCKS)]
# One process for all blocks, because a start costs more than most of them; each has names and a folder of its own.
RUN = """
import json, os, sys, traceback
blocks, failures = json.load(sys.stdin), {}
for name, code in blocks.items():
    os.mkdir(name)
    os.chdir(name)
    try:
        exec(compile(code, name, "exec"), {"__name__": "__main__"})
    except BaseException:
        failures[name] = traceback.format_exc()
    os.chdir("..")
with open("failures.json", "w", encoding="utf-8") as file:
    json.dump(failures, file)
"""


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """The traceback of every block that fails."""
    folder = tmp_path_factory.mktemp("readmes")
    blocks = json.dumps({name: code for name, (_, code) in zip(IDS, BLOCKS, strict=True)})
    command = [sys.executable, "-W", "error", "-c", RUN]
    done = subprocess.run(command, input=blocks, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "failures.json").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("name", IDS)
def test_python_block_runs(failures, name):
    assert name not in failures, failures[name]


@pytest.mark.parametrize(("page", "code"), BLOCKS, ids=IDS)
def test_python_block_imports_what_there_is(page, code):
    tree = ast.parse(code, filename=str(page))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, type_ignores=[]), str(page), "exec"), {})
