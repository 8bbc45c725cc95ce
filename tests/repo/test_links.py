"""The pages lead somewhere: links, headings, pictures, files and commands that they name exist."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from support.repo import ROOT, text_files

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")])
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"\b(?:docs|benchmarks|examples|tests|tools|packages)/[\w./-]+\.(?:py|md|ya?ml|json|png|jpg|npz)\b")
SOURCE = re.compile(r"(?<![\w./-])((?:[\w-]+/)*[\w-]+\.py)\b")
NO_FILES = {
    "src/xraykit/__init__.py",
    "predictor.py",
    "docs/makers/NAME.py",
}  # never there, of every method, any of them
MODULE = re.compile(r"python -m (benchmarks(?:\.\w+)+)")


def links(text: str) -> list[str]:
    """Targets of the links of a page, those inside code left out."""
    prose = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))
    return LINK.findall(prose) + re.findall(r"\[`[^`\n]*`\]\(([^)\s]+)\)", FENCE.sub("", text))


@cache
def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page; the second of a name ends in -1."""
    found: dict[str, int] = {}
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for heading in re.findall(r"^#{1,6} (.+?)\s*$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return set(found) | {f"{slug}-{number}" for slug, last in found.items() for number in range(1, last + 1)}


def broken_links(page: Path) -> list[str]:
    """Links of a page that lead nowhere; those to other sites are not followed."""
    wrong = []
    for link in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / unquote(name)).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            wrong.append(f"{page.name}: {link}")
    return wrong


def test_every_relative_link_and_anchor_leads_somewhere():
    assert [wrong for page in PAGES for wrong in broken_links(page)] == []


def test_a_broken_link_and_a_missing_heading_are_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A `b` (c)\n[x](gone.md) [y](#a-b-c) [z](#d) [w](page.md#d)\n```\n[v](not/a/link)\n```\n")
    assert broken_links(page) == ["page.md: gone.md", "page.md: #d", "page.md: page.md#d"]


def test_every_picture_is_shown_by_a_page():
    shown = {(page.parent / link).resolve() for page in PAGES for link in links(page.read_text(encoding="utf-8"))}
    assert sorted(path.name for path in (ROOT / "docs/pictures").iterdir() if path not in shown) == []


def test_every_file_that_a_page_or_script_names_exists():
    scripts = [
        path for folder in ("docs", "benchmarks", "examples", "tools") for path in ROOT.glob(f"{folder}/**/*.py")
    ]
    texts = [*PAGES, *scripts]
    named = [(path.name, name) for path in texts for name in FILE.findall(path.read_text(encoding="utf-8"))]
    assert len(named) > 20
    assert sorted({f"{page}: {name}" for page, name in named if not (ROOT / name).exists()}) == []


def words(text: str) -> str:
    """Comments and docstrings of a Python file."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    found = [token.string for token in tokens if token.type == tokenize.COMMENT]
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found += [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, nodes)]
    return "\n".join(found)


def endings(paths: Iterable[str]) -> set[str]:
    """How paths may be named: each whole, without its first folder, and so on to the file's name alone."""
    parts = [path.split("/") for path in paths]
    return {"/".join(each[start:]) for each in parts for start in range(len(each))}


def unknown_sources(text: str, known: set[str]) -> set[str]:
    """Python files that a text names, with their folders or without, and that are no known path's ending."""
    return set(SOURCE.findall(text)) - known


def unknown_in_words(code: str, known: set[str]) -> set[str]:
    """Those that comments and docstrings name; few files name any at all, and only these are read for their words."""
    return unknown_sources(words(code), known) if unknown_sources(code, known) else set()


def test_every_python_file_that_prose_names_exists():
    files = {path.relative_to(ROOT).as_posix(): path for path in text_files()}
    known = endings(name for name in files if name.endswith(".py")) | NO_FILES
    made = "docs/api/"  # of docstrings, by docs/makers/make_api.py
    look = {".py": unknown_in_words, ".md": unknown_sources}
    wrong = {
        name: unknown
        for name, path in files.items()
        if path.suffix in look and not name.startswith(made)
        if (unknown := look[path.suffix](path.read_text(encoding="utf-8"), known))
    }
    assert wrong == {}


def test_a_python_file_that_is_gone_is_seen_by_its_name_alone_and_behind_a_folder():
    code = '"""See gone.py and b/c.py."""\nx = "not/prose.py"  # as in b/gone.py, a/b/c.py, c.py\n'
    assert unknown_in_words(code, endings(["a/b/c.py"])) == {"gone.py", "b/gone.py"}


def test_every_benchmark_that_a_page_runs_exists():
    named = [(path.name, name) for path in PAGES for name in MODULE.findall(path.read_text(encoding="utf-8"))]
    assert named
    assert [(page, name) for page, name in named if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []
