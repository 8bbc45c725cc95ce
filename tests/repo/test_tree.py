"""Rules about files: size, namespace, licence, versions, and nothing private in them."""

import re
import tomllib
from pathlib import Path
from unittest.mock import patch

import pytest
from support.repo import PACKAGES, ROOT, SOURCES, text_files
from support.source_facts import facts

FILE_CEILING, KERNEL_FILE_CEILING, FUNCTION_CEILING = 300, 600, 60
MACHINE_PATH = re.compile("|".join([r"/(?:home|Users|root|work|mnt|scratch)" + "/[A-Za-z]", r"[A-Z]:" + r"\\Users"]))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def too_long(path: Path) -> list[str]:
    """What is above its ceiling: the file, or functions of it (those of kernels have none)."""
    kernel = "kernels" in path.parts
    lines, ceiling = len(path.read_text(encoding="utf-8").splitlines()), KERNEL_FILE_CEILING if kernel else FILE_CEILING
    functions = {} if kernel else facts(path).lengths
    found = [f"{relative(path)}: {lines} lines"] if lines > ceiling else []
    return found + [f"{relative(path)}: {name}: {n} lines" for name, n in functions.items() if n > FUNCTION_CEILING]


def test_source_files_and_their_functions_stay_short():
    assert [line for path in SOURCES for line in too_long(path)] == []


def test_a_long_file_and_a_long_function_are_found():
    path = Path(__file__).with_name("made_up.py")
    with patch.object(Path, "read_text", lambda *_, **__: "def f():\n" + "    pass\n" * FILE_CEILING):
        assert too_long(path) == [
            f"tests/repo/made_up.py: {FILE_CEILING + 1} lines", f"tests/repo/made_up.py: f: {FILE_CEILING + 1} lines",
        ]  # fmt: skip


def test_function_length_counts_code_and_not_the_docstring(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n')
    assert facts(path).lengths == {"f": 2}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_namespace_has_no_init(package):
    assert not (package / "src/xraykit/__init__.py").exists()
    assert (package / "src/xraykit" / package.name / "py.typed").exists()


def test_machine_path_pattern_can_match():
    assert MACHINE_PATH.search("see " + "/home" + "/someone/file")


def test_no_file_mentions_a_path_of_somebodys_machine():
    found = [
        f"{relative(path)}:{number}"
        for path in text_files()
        if path.name != "uv.lock"
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert not found


@pytest.mark.parametrize("folder", [ROOT, *PACKAGES], ids=relative)
def test_licence_is_apache_2(folder):
    text = (folder / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_versions_move_in_lockstep_and_the_changelog_knows_the_newest():
    projects = [
        tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"] for package in PACKAGES
    ]
    versions = {project["version"] for project in projects}
    assert len(versions) == 1
    assert f"## {versions.pop()}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert {project["requires-python"] for project in projects} == {">=3.11"}
    assert {project["license"] for project in projects} == {"Apache-2.0"}


def test_a_method_asks_for_the_same_minor_of_the_core():
    for package in PACKAGES:
        project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        major, minor, _ = project["version"].split(".")
        bound = f"xraykit-render>={major}.{minor},<{major}.{int(minor) + 1}"
        siblings = [re.sub(r"\[.*\]", "", need) for need in project["dependencies"] if need.startswith("xraykit-")]
        assert siblings == ([] if package.name == "render" else [bound])


def test_modules_say_what_they_are():
    assert [relative(p) for p in SOURCES if not facts(p).docstring] == []


def test_type_checker_reads_every_package():
    """Pyright takes an include that matches nothing in silence, and its wildcards end where folders do not."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pyright"]
    included = [ROOT / path for path in settings["include"]]
    assert [path for path in included if not path.is_dir()] == []
    assert [path for path in SOURCES if not any(folder in path.parents for folder in included)] == []
