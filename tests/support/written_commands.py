"""Command lines that pages and the help of commands show, as a shell would split them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^( *)```[a-z]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^ *(?:\$ )?(?:uv run )?(xraykit .*)$")
ENDS = ("&&", "||", "|", ";", ">", ">>", "2>", "&")


def of_page(text: str) -> Iterator[str]:
    """The lines of fenced blocks that call xraykit; a backslash at the end takes the next line along."""
    for _, block in FENCE.findall(text):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if found := COMMAND.match(line):
                yield found[1].strip()


def of_help(text: str) -> Iterator[str]:
    """The indented lines of a docstring that call xraykit, with the lines below that are indented further."""
    lines, now, indent = text.splitlines(), "", 0
    for line in [*lines, ""]:
        deeper = len(line) - len(line.lstrip())
        if now and line.strip() and deeper > indent:
            now += " " + line.strip()
            continue
        if now:
            yield now
        found = COMMAND.match(line) if line.startswith("    ") else None
        now, indent = (found[1].strip(), deeper) if found else ("", 0)


def words_of(line: str) -> list[str]:
    """The words after `xraykit`, up to the next command of the shell."""
    words = shlex.split(line, comments=True)[1:]
    ends = [place for place, word in enumerate(words) if word in ENDS]
    return words[: min(ends, default=len(words))]


def commands_of(app: Any, name: str = "xraykit") -> Iterator[tuple[str, str]]:
    """Every command and group below an app with its docstring."""
    for word in app:
        if word.startswith("-"):
            continue
        below = app[word]
        yield f"{name} {word}", getattr(below.default_command, "__doc__", None) or below.help or ""
        yield from commands_of(below, f"{name} {word}")


def named_lines(root: Path, app: Any) -> list[tuple[str, str]]:
    """(where it stands, the command line) of all pages and helps."""
    pages = [root / "README.md", *sorted(root.glob("packages/*/README.md")), *sorted(root.glob("docs/*.md"))]
    found = [
        (str(page.relative_to(root)), line)
        for page in pages
        if page.name != "benchmarks.md"  # its blocks are what programs printed
        for line in of_page(page.read_text(encoding="utf-8"))
    ]
    return found + [(f"{name} --help", line) for name, text in commands_of(app) for line in of_help(text)]
