"""Rewrite the file map at the end of each package's README from the first lines of the module docstrings.

uv run python docs/file_map.py
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = "## File map\n"


def main() -> None:
    """Write every package's README."""
    for project in sorted(ROOT.glob("packages/*/pyproject.toml")):
        readme = project.parent / "README.md"
        readme.write_text(with_file_map(readme.read_text(encoding="utf-8"), project.parent), encoding="utf-8")


def with_file_map(text: str, package: Path) -> str:
    """The README text with its file map (its last section) renewed."""
    before, heading, _ = text.partition(HEADING)
    if not heading:
        raise ValueError(f"{package.name}: README.md must have a section {HEADING.strip()!r}")
    source = package / "src/xraykit" / package.name
    folders: dict[str, list[str]] = {}
    for path in sorted(source.rglob("*.py")):
        idea = first_paragraph(path)
        name = path.relative_to(source).as_posix()
        if path.name != "__init__.py" or "kernels" in name:
            folders.setdefault(name.rpartition("/")[0], []).append(f"| `{name}` | {idea} |")
    tables = [f"\n### {folder or 'xraykit.' + package.name}\n\n| file | idea |\n|---|---|\n" + "\n".join(rows) + "\n"
              for folder, rows in sorted(folders.items())]  # fmt: skip
    return before + heading + "\nOne idea per file; `docs/file_map.py` writes this section.\n" + "".join(tables)


def first_paragraph(path: Path) -> str:
    """What the module says it is, on one line."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|").rstrip(".")


if __name__ == "__main__":
    main()
