"""The Python in the READMEs and in pages without a test of their own runs as written."""

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


@pytest.mark.parametrize(("page", "code"), BLOCKS, ids=[f"{p.parent.name}-{n}" for n, (p, _) in enumerate(BLOCKS)])
def test_python_block_runs(page, code, tmp_path):
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=tmp_path, check=False)
    assert done.returncode == 0, f"{page}: {done.stderr}"
