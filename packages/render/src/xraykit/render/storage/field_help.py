"""What each field of a dataclass is for, read from its source: the string under it, or its line under Args."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache
from itertools import pairwise

_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?: ?(.*)")


@cache
def field_help(cls: type) -> dict[str, str]:
    """{field: its help} of a dataclass and the classes that it extends; fields that say nothing are absent."""
    found: dict[str, str] = {}
    for part in reversed(cls.__mro__[:-1]):
        found |= _under_args(inspect.cleandoc(part.__dict__.get("__doc__") or ""))
        found |= _under_fields(part)
    return found


def first_line(cls: type) -> str:
    """The first line of a class's docstring, without the full stop."""
    return inspect.cleandoc(cls.__doc__ or "").partition("\n")[0].rstrip(".")


def _under_fields(cls: type) -> dict[str, str]:
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    found = {}
    statements = getattr(body, "body", [])
    for statement, after in pairwise(statements):
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[statement.target.id] = " ".join(str(after.value.value).split())
    return found


def _under_args(text: str) -> dict[str, str]:
    lines = text.partition("Args:\n")[2].splitlines()
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if line.strip() and indent < 4:
            break
        entry = _ENTRY.fullmatch(line.strip()) if indent == 4 else None
        if entry is not None:
            name = entry[1]
            found[name] = entry[2]
        elif name and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
