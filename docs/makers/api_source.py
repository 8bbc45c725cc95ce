"""What a package makes public, read from its sources: the lazy tables, and behind each name its definition."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class PublicName:
    """A name, the shortest package to import it from, and where it is defined."""

    name: str
    package: str
    module: str
    definition: Definition
    said: str


def public_names(source: Path, package: str) -> list[PublicName]:
    """The public names of a package and its sub-packages, each once, by module.

    Args:
        source: The folder of the package.
        package: Its dotted name, such as `xraykit.render`.

    Raises:
        LookupError: A table promises a name that its module does not define.
    """
    found: dict[tuple[str, str], PublicName] = {}
    for folder in sorted((path.parent for path in source.rglob("__init__.py")), key=lambda path: len(path.parts)):
        here = ".".join((package, *folder.relative_to(source).parts))
        for module, name in lazy_table(folder / "__init__.py"):
            path, definition, said = defined(name, file_of(folder, module))
            home = ".".join((package, *path.relative_to(source).with_suffix("").parts)).removesuffix(".__init__")
            found.setdefault((home, name), PublicName(name, here, home, definition, said))
    return [found[key] for key in sorted(found, key=lambda key: (key[0], key[1].lower()))]


def lazy_table(init: Path) -> Iterator[tuple[str, str]]:
    """(module, name) of each public name of the table {module: "Name other_name"} in an `__init__.py`."""
    tables = (node for node in ast.walk(parsed(init)) if isinstance(node, ast.Dict) and node.keys)
    for node in tables:
        words = [entry.value for entry in (*node.keys, *node.values) if isinstance(entry, ast.Constant)]
        if len(words) == 2 * len(node.keys) and all(isinstance(word, str) for word in words):
            for module, names in ast.literal_eval(node).items():
                yield from ((module, name) for name in names.split())
            return


def file_of(folder: Path, module: str) -> Path:
    """The source of a module whose name is relative to a package's folder."""
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def defined(name: str, path: Path) -> tuple[Path, Definition, str]:
    """The file that defines a name, the definition and its docstring; imports of the name are followed."""
    body = parsed(path).body
    for number, node in enumerate(body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return path, node, ast.get_docstring(node) or ""
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and name in {getattr(t, "id", "") for t in targets}:
            after = body[number + 1] if number + 1 < len(body) else None
            return path, node, string_of(after)
        if (
            isinstance(node, ast.ImportFrom)
            and node.level
            and name in {alias.asname or alias.name for alias in node.names}
        ):
            original = next(alias.name for alias in node.names if name == (alias.asname or alias.name))
            return defined(original, file_of(path.parents[node.level - 1], node.module or ""))
    raise LookupError(f"{path}: no definition of {name}")


def string_of(node: ast.stmt | None) -> str:
    """The text under an assignment, which documents it, or nothing."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value.strip()
    return ""


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"))
