"""Write the stub `__init__.pyi` beside each `__init__.py` that has a lazy table, for type checkers and editors."""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[1] / "packages"


def lazy_table(path: Path) -> dict[str, str]:
    """The table that an `__init__.py` hands to `attach`, module to names; empty without one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "attach":
            return ast.literal_eval(node.args[1])
    return {}


def stub(table: dict[str, str]) -> str:
    """The text of the stub: one import a module, every name as itself."""
    lines = ["# Made by tools/make_stubs.py from the table in __init__.py."]
    for module, names in sorted(table.items()):
        found = sorted(names.split())
        line = f"from .{module} import " + ", ".join(f"{name} as {name}" for name in found)
        if len(line) > 120 or len(found) > 1:
            line = f"from .{module} import (\n" + "".join(f"    {name} as {name},\n" for name in found) + ")"
        lines.append(line)
    return "\n".join([*lines, ""])


def stubs() -> dict[Path, str]:
    """Every stub that belongs in the tree."""
    found = {}
    for path in sorted(PACKAGES.glob("*/src/**/__init__.py")):
        table = lazy_table(path)
        if table:
            found[path.with_suffix(".pyi")] = stub(table)
    return found


def main() -> int:
    """Write the stubs; with --check only say which are stale, and fail if any is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a stub is stale")
    check = parser.parse_args().check
    wanted = stubs()
    present = set(PACKAGES.glob("*/src/**/__init__.pyi"))
    read = {path: path.read_text(encoding="utf-8") for path in present}
    stale = sorted({path for path, text in wanted.items() if read.get(path) != text} | (present - set(wanted)))
    for path in stale:
        print(path.relative_to(PACKAGES.parent))
        if check:
            continue
        if path in wanted:
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
