"""Rewrite the table of docs/views.md from the data.

uv run python docs/makers/view_table.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

from xraykit.render.views import STANDARD_VIEWS, StandardView

PAGE = Path(__file__).resolve().parents[1] / "views.md"
HEADING = "## Table\n"


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def with_table(text: str) -> str:
    """The text of the page with its table (its last section) renewed."""
    before, heading, _ = text.partition(HEADING)
    if not heading:
        raise ValueError(f"the page must have a section {HEADING.strip()!r}")
    head = "| view | what | target | frame | `lao_rao` | `cra_cau` | SID mm | field mm | needs a pose |\n"
    rows = [row(view) for view in STANDARD_VIEWS.values() if view.side != "left"]
    said = "\n`*` stands for `right` and `left`; angles are those of the right, the left mirrors `lao_rao`.\n\n"
    return before + heading + said + head + "|---" * 9 + "|\n" + "".join(rows)


def row(view: StandardView) -> str:
    """One line of the table."""

    def either(text: str) -> str:
        return text.replace("_right", "_*").replace("|", " or ") if view.side else text.replace("|", " or ")

    link = " meets " if view.target.kind == "joint" else ", "
    target = link.join(either(part) for part in view.target.parts)
    angles = f"{view.lao_rao:g} | {view.cra_cau:g}"
    field = "{:g} x {:g}".format(*view.field)
    title = view.title.removesuffix(", right")
    limited = "yes" if view.pose_limited else ""
    cells = (f"`{either(view.name)}`", title, target, view.frame, angles, f"{view.sid:g}", field, limited)
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
