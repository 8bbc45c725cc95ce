"""What the rules about source files ask of each, read once: parsing all of them takes seconds."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Facts(NamedTuple):
    """What stands in one file.

    Args:
        docstring: Of the module, or None.
        imports: Absolute dotted names that are imported anywhere, also inside functions and TYPE_CHECKING blocks.
        lengths: Lines of each function without its docstring and decorators.
        types: Classes of the module and its aliases of types, which are written Like or LikeThis too.
    """

    docstring: str | None
    imports: tuple[str, ...]
    lengths: dict[str, int]
    types: list[str]


@cache
def facts(path: Path) -> Facts:
    """Those of a Python file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports: list[str] = []
    lengths: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            imports += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            said = node.body[0].end_lineno - node.body[0].lineno + 1 if ast.get_docstring(node) else 0
            lengths[node.name] = node.end_lineno - node.lineno + 1 - said
    return Facts(ast.get_docstring(tree), tuple(imports), lengths, _types(tree.body))


def _types(body: list[ast.stmt]) -> list[str]:
    assigned = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    assigned += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    names = [target.id for target in assigned if isinstance(target, ast.Name)]
    aliases = [name for name in names if name[0].isupper() and any(letter.islower() for letter in name)]
    return [node.name for node in body if isinstance(node, ast.ClassDef)] + aliases
