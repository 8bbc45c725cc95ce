"""What a probe found, for people and machines: one HTML page that needs nothing beside it, Markdown, JSON and rows."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from xraykit.render.evaluation import EvaluationReport, markdown_table, write_evaluation, write_rows
from xraykit.render.storage import write_atomically

from .comparison import BackboneDifference, ScoredBackbone

FILES = ("report.html", "report.md", "report.json", "rows.csv")
_NOTHING: Mapping[str, Any] = {}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1080px; padding: 0 1rem; color: #1c2733; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
p { margin: .4rem 0; max-width: 80ch; } .soft, figcaption { color: #5d6b7a; font-size: .9em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 14px 3px 0; text-align: right; border-bottom: 1px solid #dfe5ea; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; color: #5d6b7a; }
figure { margin: 1rem 0; } img { max-width: 100%; } .wide { overflow-x: auto; }
"""


class ReportTable(NamedTuple):
    """A table: what it shows, its head, its cells."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class ReportPicture(NamedTuple):
    """A picture: what it shows, and its PNG bytes."""

    caption: str
    png: bytes


@dataclass(frozen=True)
class ProbeReport:
    """What a probe found.

    Args:
        title: The heading.
        lead: What was measured, and of what, in a few sentences.
        tables: In order.
        pictures: After the tables; in the HTML alone.
        numbers: The same for machines.
        notes: What a reader has to know, one sentence each.
        left_out: (name, sentence) of each image and shard that it goes without.
    """

    title: str
    lead: str
    tables: tuple[ReportTable, ...]
    pictures: tuple[ReportPicture, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def write_probe_report(
    folder: Path, report: ProbeReport, rows: Sequence[Any], *, settings: Mapping[str, Any] = _NOTHING
) -> tuple[Path, ...]:
    """Write the four files of `FILES` into an existing folder, each whole or not at all.

    Raises:
        OutputError: The folder cannot be written to. InputError: No rows.
    """
    sections = [report.lead, *(f"**{one.caption}**\n\n{markdown_table(one.head, one.rows)}" for one in report.tables)]
    said = {"notes": report.notes, "title": report.title, "left_out": report.left_out}
    plain = EvaluationReport(tuple(sections), report.numbers, **said)
    table = write_rows(folder / "rows.csv", rows)
    numbers, text = write_evaluation(folder, plain, settings=settings)
    page = write_atomically(folder / "report.html", lambda file: file.write(report_page(report).encode()))
    return page, text, numbers, table


def report_page(report: ProbeReport) -> str:
    """The report as one HTML file: pictures lie in it, it runs no script and loads nothing."""
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(report.title)}</h1><p>{escape(report.lead)}</p>",
        *map(_table, report.tables),
        *map(_picture, report.pictures),
        '<h2>Notes</h2><ul class="soft">' if report.notes or report.left_out else "<ul>",
        *(f"<li>{escape(note)}</li>" for note in report.notes),
        *(f"<li>{escape(name)} was left out: {escape(reason)}</li>" for name, reason in report.left_out),
        "</ul></body></html>\n",
    ]
    return "\n".join(parts)


def score_table(scores: Sequence[ScoredBackbone], caption: str) -> ReportTable:
    """Scores in percent with their intervals, and mean and deviation over folds as papers report them."""
    rows = [
        (one.name, f"{one.score:.1%}", f"{one.low:.1%} to {one.high:.1%}", _folds(one), str(one.cases))
        for one in scores
    ]
    return ReportTable(caption, ("backbone", "score", "95 % interval", "folds", "images"), tuple(rows))


def difference_table(found: Sequence[BackboneDifference], caption: str) -> ReportTable:
    """Differences in percentage points with their intervals and adjusted p."""
    rows = [
        (
            f"{one.first} − {one.second}",
            f"{100 * one.difference:+.1f}",
            f"{100 * one.low:+.1f} to {100 * one.high:+.1f}",
            f"{one.p:.3f}" if one.p >= 0.001 else "< 0.001",
            str(one.patients),
        )
        for one in found
    ]
    return ReportTable(caption, ("pair", "difference [pp]", "95 % interval", "p (Holm)", "patients"), tuple(rows))


def _folds(one: ScoredBackbone) -> str:
    """Mean and deviation over folds in percent; a dash where there is one fold."""
    return "–" if math.isnan(one.fold_deviation) else f"{100 * one.fold_mean:.1f} ± {100 * one.fold_deviation:.1f}"


def _table(table: ReportTable) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f'<h2>{escape(table.caption)}</h2><div class="wide"><table><tr>{head}</tr>\n{rows}</table></div>'


def _picture(picture: ReportPicture) -> str:
    data, caption = base64.b64encode(picture.png).decode(), escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )
