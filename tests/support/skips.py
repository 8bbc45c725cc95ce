"""Which reasons for skipping a test are accepted: tests/support/allowed_skips.txt, a section for each place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

PLACES = ("anywhere", "workspace", "alone")
LIST = Path(__file__).with_name("allowed_skips.txt")


def allowed(place: str, text: str | None = None) -> list[re.Pattern[str]]:
    """The patterns of a place: lines of its section [PLACE], each a regular expression for the whole reason.

    Args:
        place: "workspace", where all members, extras and peers are installed, or "alone", where one member is.
        text: The list; None reads the committed one.
    """
    sections: dict[str, list[re.Pattern[str]]] = {}
    section: list[re.Pattern[str]] = []
    for line in (LIST.read_text(encoding="utf-8") if text is None else text).splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line.strip()):
            section = sections.setdefault(header[1], [])
        elif line.strip() and not line.startswith("#"):
            section.append(re.compile(line.strip()))
    return sections[place]


def unlisted(reasons: Iterable[str], patterns: Iterable[re.Pattern[str]]) -> list[str]:
    """Reasons that no pattern fits, each once, in order."""
    patterns = list(patterns)
    return [reason for reason in dict.fromkeys(reasons) if not any(p.fullmatch(reason) for p in patterns)]


def reason_of(longrepr: object) -> str:
    """The words of a skipped report: pytest keeps (file, line, "Skipped: words")."""
    words = longrepr[-1] if isinstance(longrepr, tuple) else str(longrepr)
    return str(words).removeprefix("Skipped: ")
