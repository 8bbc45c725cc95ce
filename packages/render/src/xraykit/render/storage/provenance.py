"""What a reader found in a file: facts and what gave them, assumptions that no field states, and doubts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .brief import brief

ASSUMED, DOUBT, MISSING = "assumed", "doubt", "missing"


class Origin(NamedTuple):
    """One finding about a file: its value, what gave it, and why.

    `tag` names the field or tag. Three words of it are special: "assumed" (no field says so), "doubt" (what the file
    says contradicts itself or is implausible) and "missing" (nothing is known).
    """

    value: object
    tag: str
    note: str = ""

    @property
    def is_assumed(self) -> bool:
        """Whether no tag said so."""
        return self.tag == ASSUMED

    @property
    def is_doubt(self) -> bool:
        """Whether it is hardly true, or contradicts another field."""
        return self.tag == DOUBT


Provenance = Mapping[str, Origin]
Found = dict[str, Origin]
"""The same while it is collected."""


class Row(NamedTuple):
    """One line of `xraykit render info`: the field, its value, and what says so."""

    field: str
    value: str
    origin: str


def assumptions(found: Provenance) -> dict[str, Origin]:
    """The findings that no field of the file gave."""
    return {name: origin for name, origin in found.items() if origin.is_assumed}


def doubts(found: Provenance) -> dict[str, Origin]:
    """The findings that are hardly true."""
    return {name: origin for name, origin in found.items() if origin.is_doubt}


def facts(found: Provenance) -> dict[str, Origin]:
    """All other findings, what is missing among them."""
    return {name: origin for name, origin in found.items() if not (origin.is_assumed or origin.is_doubt)}


def finding_sentences(found: Provenance) -> list[str]:
    """Each finding on one printable line, "field: value (why)", fit for a message or a record."""
    return [_sentence(name, origin) for name, origin in found.items()]


def rows(found: Provenance) -> list[Row]:
    """Facts, assumptions and doubts, in this order, as lines of a table; the field of a doubt says "warning"."""
    ordered = {**facts(found), **assumptions(found), **doubts(found)}
    return [_row(name, origin) for name, origin in ordered.items()]


def grouped(found: Provenance) -> dict[str, Any]:
    """Facts, assumptions and doubts as plain data for JSON."""
    groups = {"facts": facts(found), "assumptions": assumptions(found), "doubts": doubts(found)}
    return {key: {name: _plain(origin) for name, origin in group.items()} for key, group in groups.items()}


def findings_record(found: Provenance) -> dict[str, list[str]]:
    """Assumptions and doubts as sentences, for a record that is saved; facts stay out, they may name the patient."""
    record = {"assumptions": finding_sentences(assumptions(found)), "doubts": finding_sentences(doubts(found))}
    return {key: lines for key, lines in record.items() if lines}


def _sentence(name: str, origin: Origin) -> str:
    value = "" if origin.value is None else shown(origin.value)
    why = f"{value} ({origin.note})" if value and origin.note else value or origin.note
    return brief(f"{name}: {why}" if why else name, limit=300)


def _row(name: str, origin: Origin) -> Row:
    if origin.is_doubt:
        return Row(f"warning: {name}", shown(origin.value), brief(origin.note, limit=300))
    joiner = ": " if origin.tag in (ASSUMED, MISSING) else "; "
    return Row(name, shown(origin.value), f"{origin.tag}{joiner}{origin.note}" if origin.note else origin.tag)


def _plain(origin: Origin) -> dict[str, object]:
    value = origin.value
    if isinstance(value, (tuple, list)):
        value = [part if isinstance(part, (int, float)) else str(part) for part in value]
    if not (value is None or isinstance(value, (bool, int, float, str, list))):
        value = str(value)
    return {"value": brief(value, limit=2000) if isinstance(value, str) else value, "origin": origin.tag,
            "note": origin.note}  # fmt: skip


def shown(value: object) -> str:
    """A value in a few words, on one printable line."""
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (tuple, list)):
        parts = ", ".join(shown(part) for part in value[:4])
        return parts if len(value) <= 4 else f"{parts}, ... ({len(value)} values)"
    return brief(value, limit=2000)
