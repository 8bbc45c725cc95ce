"""The pages lead somewhere: links, headings, pictures, files and commands that they name exist."""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from support.repo import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")])
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"\b(?:docs|benchmarks|examples|tests|tools|packages)/[\w./-]+\.(?:py|md|ya?ml|json|png|jpg|npz)\b")
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


def test_every_benchmark_that_a_page_runs_exists():
    named = [(path.name, name) for path in PAGES for name in MODULE.findall(path.read_text(encoding="utf-8"))]
    assert named
    assert [(page, name) for page, name in named if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []
