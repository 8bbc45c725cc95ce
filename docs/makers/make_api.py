"""Write docs/api: what each package makes public, with signatures and docstrings, read from the sources.

uv run python docs/makers/make_api.py
"""

from __future__ import annotations

import argparse
import ast
import re
from itertools import groupby
from pathlib import Path

from api_source import PublicName, parsed, public_names

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs/api"
WIDTH = 100  # characters, from where on a signature takes a line for each parameter
SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Yields|Gradients|Accuracy|Source|Example|Note|Notes):\s*(.*)$")
ENTRY = re.compile(r"^(\*{0,2}\w+(?:[,/] \*{0,2}\w+)*): (.*)$")


def main() -> None:
    """Write a page for every package."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    PAGES.mkdir(exist_ok=True)
    for name, text in pages(ROOT).items():
        (PAGES / name).write_text(text, encoding="utf-8")
        print(f"docs/api/{name}: {len(text) / 1000:.0f} kB")


def pages(root: Path) -> dict[str, str]:
    """The text of each page by file name."""
    sources = sorted(root.glob("packages/*/src/xraykit/*"))
    return {f"{source.name}.md": page(source) for source in sources if (source / "__init__.py").exists()}


def page(source: Path) -> str:
    """All public names of one package, by module, after a list of them."""
    package = f"xraykit.{source.name}"
    names = public_names(source, package)
    said = ast.get_docstring(parsed(source / "__init__.py")) or ""
    lines = [
        f"# {package}\n",
        f"{said.partition(chr(10))[0]}\n",
        "Written by `docs/makers/make_api.py` from the docstrings: every public name, module by module.\n",
    ]
    by_module = {module: list(group) for module, group in groupby(names, key=lambda name: name.module)}
    for module, group in by_module.items():
        links = ", ".join(f"[`{name.name}`](#{name.name.lower()})" for name in group)
        lines.append(f"- `{module.removeprefix(package + '.')}`: {links}")
    for module, group in by_module.items():
        idea = ast.get_docstring(parsed(source_of(source, module.removeprefix(package + ".")))) or ""
        lines += [f"\n## {module.removeprefix(package + '.')}\n", markdown(idea.partition("\n\n")[0])]
        for name in group:
            lines += entry(name)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def source_of(source: Path, module: str) -> Path:
    """The file of a module, given relative to its package."""
    path = source.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def entry(name: PublicName) -> list[str]:
    """Heading, import, signature, docstring and methods of one name."""
    said = name.said or "(a constant)"
    code = f"```python\nfrom {name.package} import {name.name}\n\n{signature(name.definition)}\n```\n"
    lines = [f"\n### {name.name}\n", code, markdown(said)]
    if isinstance(name.definition, ast.ClassDef):
        lines += methods(name.definition)
    return lines


def methods(node: ast.ClassDef) -> list[str]:
    """A bullet for every public method and property: how it is called, and the first paragraph of its docstring."""
    bullets = []
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name.startswith("_"):
            continue
        marks = {getattr(mark, "id", getattr(mark, "attr", "")) for mark in method.decorator_list}
        call = method.name if marks & {"property", "cached_property"} else f"{method.name}({arguments(method)})"
        said = " ".join((ast.get_docstring(method) or "").partition("\n\n")[0].split())
        bullets.append(f"- `{call}`{': ' + said if said else ''}")
    return ["", *bullets] if bullets else []


def signature(node: ast.stmt) -> str:
    """How a function is called, which fields a class has, what a constant is."""
    if isinstance(node, ast.FunctionDef):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return broken(f"def {node.name}(", arguments(node), f"){returns}")
    if isinstance(node, ast.ClassDef):
        bases = f"({', '.join(ast.unparse(base) for base in node.bases)})" if node.bases else ""
        fields = [f"    {ast.unparse(line)}" for line in node.body if isinstance(line, ast.AnnAssign)]
        made = next((f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None)
        if made is not None:
            fields = ["    " + broken("def __init__(", arguments(made), ")").replace("\n", "\n    ")]
        return "\n".join([f"class {node.name}{bases}:", *(fields or ["    ..."])])
    text = ast.unparse(node)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 4]} ..."


def arguments(node: ast.FunctionDef) -> str:
    """The parameters of a function or method, without self."""
    return re.sub(r"^(self|cls)(, )?", "", ast.unparse(node.args)).removeprefix("/, ")


def broken(head: str, inner: str, tail: str) -> str:
    """A call on one line, or with a line for each parameter when that is too long."""
    if len(head + inner + tail) <= WIDTH:
        return head + inner + tail
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(inner):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and depth == 0:
            parts.append(inner[start:place].strip())
            start = place + 1
    parts.append(inner[start:].strip())
    return head + "\n" + "".join(f"    {part},\n" for part in parts) + tail


def markdown(said: str) -> str:
    """A Google docstring as Markdown: section names in bold, entries as bullets, indented blocks as code."""
    lines, section = [], ""
    for line in said.splitlines():
        match = SECTION.match(line)
        inside = line.startswith("    ")
        if match:
            section = match[1]
            lines += ["", f"**{section}**" + (f": {match[2]}" if match[2] else "\n")]
        elif section and inside:
            lines.append(within(section, line[4:]))
        else:
            section = "" if line.strip() else section
            lines.append(line)
    return "\n".join(lines).strip("\n") + "\n"


def within(section: str, line: str) -> str:
    """One line of a section, its indentation taken off."""
    if section == "Example":
        return f"    {line}"
    match = ENTRY.match(line)
    if match and section in {"Args", "Attributes", "Raises"}:
        return f"- `{match[1]}`: {match[2]}"
    return line.strip() if not line.startswith(" ") else f"  {line.strip()}"


if __name__ == "__main__":
    main()
