"""The lazy tables of all packages: each name is found, documented, known to type checkers, and not lost unnoticed."""

import inspect
import json
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.repo import PACKAGES, ROOT, dotted
from support.source_facts import facts

PROMISED = {"Camera", "Volume", "carm_pose", "render"}  # design section 3: other packages rely on these
MOST_AT_THE_ROOT = 45
SURFACE = ROOT / "tests/repo/api_surface.json"


def has_table(path: Path) -> bool:
    return "attach(" in path.read_text(encoding="utf-8")


TABLES = [
    dotted(path)
    for package in PACKAGES
    if find_spec(f"xraykit.{package.name}")
    for path in sorted((package / "src").rglob("__init__.py"))
    if has_table(path)
]


def surface() -> dict[str, list[str]]:
    return {name: import_module(name).__all__ for name in TABLES}


def test_stubs_for_type_checkers_follow_the_tables():
    command = [sys.executable, ROOT / "tools/make_stubs.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run `uv run python tools/make_stubs.py`; stale: {done.stdout}"


def test_the_root_of_the_core_has_the_promised_names_and_few_others():
    names = set(import_module("xraykit.render").__all__)
    assert names >= PROMISED
    assert len(names) <= MOST_AT_THE_ROOT


def test_every_public_name_is_found_and_documented():
    silent, strangers = [], []
    for table in TABLES:
        module = import_module(table)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.ismodule(thing):
                strangers.append(f"{table}.{name}")
            if (inspect.isclass(thing) or inspect.isroutine(thing)) and not (inspect.getdoc(thing) or "").strip():
                silent.append(f"{table}.{name}")
    assert (silent, strangers) == ([], [])


def test_no_public_name_is_also_a_module_of_its_package():
    """Importing the module would put it where the name belongs."""
    clashes = [
        f"{table}.{name}"
        for table in TABLES
        for name in import_module(table).__all__
        if find_spec(f"{table}.{name}") is not None
    ]
    assert clashes == []


def test_no_public_name_is_removed_unnoticed():
    known = json.loads(SURFACE.read_text(encoding="utf-8"))
    now = surface()
    lost = [
        f"{table}.{name}" for table, names in known.items() if table in now for name in set(names) - set(now[table])
    ]
    new = [f"{table}.{name}" for table, names in now.items() for name in set(names) - set(known.get(table, []))]
    gone = [table for table in known if find_spec(".".join(table.split(".")[:2])) and table not in now]
    assert (sorted(lost), gone, sorted(new)) == ([], [], []), "meant so? run `uv run python tools/make_surface.py`"


def test_public_class_names_occur_once():
    homes: dict[str, set[str]] = {}
    for table in TABLES:
        module = import_module(table)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing):
                homes.setdefault(name, set()).add(f"{thing.__module__}.{thing.__qualname__}")
    assert {name: sorted(where) for name, where in homes.items() if len(where) > 1} == {}


def test_classes_and_aliases_are_seen_and_constants_are_not(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("A: int = 1\nOF_B = 2\nof = 3\nC = T = int\nLike = list[int]\nclass Name: ...\n")
    assert facts(path).types == ["Name", "Like"]


def test_names_of_classes_and_aliases_occur_once_in_the_workspace():
    homes: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in (package / "src").rglob("*.py"):
            for name in facts(path).types:
                if not name.startswith("_"):
                    homes.setdefault(name, []).append(path.relative_to(package / "src").as_posix())
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_the_glossary_tells_what_each_shared_word_means():
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    words = [w for w in re.findall(r"^\| `?([\w ]+)`? \|", text, re.MULTILINE) if w != "word"]
    assert len(words) == len(set(words)) > 40


@pytest.mark.parametrize("table", ["xraykit.render", "xraykit.render.geometry"])
def test_unknown_name_is_an_attribute_error(table):
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = import_module(table).nonsense
