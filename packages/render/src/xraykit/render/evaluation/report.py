"""The report of an evaluation: a page of tables, ranking and notes for people, the same numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..storage.atomic_write import write_atomically
from ..storage.brief import brief
from ..storage.json_object import finite_or_none
from .ranking import MethodRanking

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class EvaluationReport:
    """What was found.

    Args:
        sections: Markdown, one table or paragraph each.
        numbers: The same for machines: numbers, text, lists and dictionaries.
        ranking: Of two methods or more, else None.
        ranked: What was ranked and its unit, such as ("true TRE", "mm").
        notes: What a reader has to know, one sentence each.
        title: A heading; "" is none.
        left_out: (name, sentence) of each input that it goes without.
    """

    sections: tuple[str, ...]
    numbers: Mapping[str, Any] = field(default_factory=dict)
    ranking: MethodRanking | None = None
    ranked: tuple[str, str] = ("error", "")
    notes: tuple[str, ...] = ()
    title: str = ""
    left_out: tuple[tuple[str, str], ...] = ()


def report_text(report: EvaluationReport) -> str:
    """The report in Markdown: title, sections, ranking, notes, and what was left out."""
    parts = [f"# {report.title}\n"] if report.title else []
    parts += [section.rstrip("\n") + "\n" for section in report.sections]
    if report.ranking is not None:
        parts.append(_ranking_text(report.ranking, *report.ranked))
    parts += [f"- {note}" for note in report.notes]
    parts += [f"- {brief(name, limit=200)} was left out: {reason}" for name, reason in report.left_out]
    return "\n".join(parts).rstrip() + "\n"


def write_evaluation(
    folder: Path, report: EvaluationReport, *, settings: Mapping[str, Any] = _NOTHING, stem: str = "report"
) -> tuple[Path, Path]:
    """Write `stem`.json and `stem`.md into an existing folder, each whole or not at all.

    The JSON holds the settings, the numbers, and what was left out; numbers that are not finite become null.

    Args:
        folder: Where to.
        report: What.
        settings: How it was made.
        stem: The files' name.

    Returns:
        The two paths.

    Raises:
        OutputError: The folder cannot be written to.
    """
    content = {"settings": dict(settings), **finite_or_none(report.numbers)}
    if report.left_out:
        content["left_out"] = [{"name": name, "reason": reason} for name, reason in report.left_out]
    text = json.dumps(content, indent=2, allow_nan=False, default=str)
    return (
        write_atomically(folder / f"{stem}.json", lambda file: file.write((text + "\n").encode())),
        write_atomically(folder / f"{stem}.md", lambda file: file.write(report_text(report).encode())),
    )


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    Raises:
        InputError: A row with more or fewer cells than the head.
    """
    if any(len(row) != len(head) for row in rows):
        raise InputError(f"all rows of a table must have {len(head)} cells, got {sorted({len(row) for row in rows})}.")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def _ranking_text(ranking: MethodRanking, quantity: str, unit: str) -> str:
    placed = zip(ranking.methods, ranking.typical_errors, ranking.letters, strict=True)
    suffix = f" {unit}" if unit else ""
    lines = [
        f"{place}. {name}: {error:.2f}{suffix} ({letters})" for place, (name, error, letters) in enumerate(placed, 1)
    ]
    legend = f"Methods that share a letter are not told apart at p < {ranking.level:g} (Holm)."
    return "\n".join([f"Geometric mean {quantity}:\n", *lines, "", f"{ranking.model} {legend}", ""])
