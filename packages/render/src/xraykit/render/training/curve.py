"""The curve of a training: a row per validation, as tables for programs and a page for people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from ..storage.atomic_write import write_atomically

CurveRow = dict[str, float]
CURVE_JSON, CURVE_CSV, REPORT = "curve.json", "curve.csv", "report.md"


def write_curve(folder: Path, rows: Sequence[CurveRow]) -> None:
    """curve.json and curve.csv, whole or not at all; a column that a row lacks is empty there."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = io.StringIO()
    writer = csv.DictWriter(table, columns)
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(folder / CURVE_CSV, lambda file: file.write(table.getvalue().encode()))
    write_atomically(folder / CURVE_JSON, lambda file: file.write((json.dumps(list(rows), indent=1) + "\n").encode()))


def write_report(
    folder: Path, rows: Sequence[CurveRow], *, batches: int, seconds: float, inputs: Sequence[str] = ()
) -> Path:
    """report.md: how long the training was, its curve from first to last row, and sentences about its inputs."""
    first, last = rows[0], rows[-1]
    names = list(dict.fromkeys([*first, *last]))
    shown = [f"| {name} | {_number(first.get(name))} | {_number(last.get(name))} |" for name in names]
    text = "\n".join([
        "# Training", "",
        f"{batches} batches in {seconds:.0f} s. All {len(rows)} rows of the curve: `{CURVE_CSV}`.", "",
        "| | first row | last row |", "|---|---|---|", *shown, "",
        *(["## Inputs", "", *(f"- {line}" for line in inputs), ""] if inputs else []),
    ])  # fmt: skip
    return write_atomically(folder / REPORT, lambda file: file.write(text.encode()))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
