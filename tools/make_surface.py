"""Write tests/repo/api_surface.json: every public name, by the package that exports it."""

from __future__ import annotations

import json
from pathlib import Path

from make_stubs import PACKAGES, lazy_table

SURFACE = Path(__file__).resolve().parents[1] / "tests/repo/api_surface.json"


def public_names() -> dict[str, list[str]]:
    """{package: its names} for every lazy table of the workspace."""
    found = {}
    for path in sorted(PACKAGES.glob("*/src/**/__init__.py")):
        names = [name for entry in lazy_table(path).values() for name in entry.split()]
        if names:
            source = next(parent for parent in path.parents if parent.name == "src")
            found[".".join(path.parent.relative_to(source).parts)] = sorted(names)
    return found


if __name__ == "__main__":
    SURFACE.write_text(json.dumps(public_names(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
