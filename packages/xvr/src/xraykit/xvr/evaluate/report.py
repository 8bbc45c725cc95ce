"""Everything an evaluation shows: CSV, JSON, Markdown, box plots and capture-range curves in one folder."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from xraykit.render import BackendUnavailableError, InputError
from xraykit.render.storage import write_atomically

from .capture_range import CaptureCurve, capture_curve, equal_bins, plot_capture
from .figures import plot_errors
from .ranking import Attempt, Ranking, rank_methods
from .rows import ErrorRow, write_rows
from .summary import Summary, markdown_table, summarise

FILES = ("errors.csv", "summary.json", "summary.md", "errors.png", "capture_range.png")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Report:
    """What was found.

    Args:
        summaries: By method, level and estimate.
        curves: Capture range by method, over the true TRE of the start.
        ranking: Of two methods or more, else None.
        bound: True TRE below this is a success [mm].
        notes: What a reader has to know, one sentence each.
    """

    summaries: tuple[Summary, ...]
    curves: Mapping[str, CaptureCurve]
    ranking: Ranking | None
    bound: float
    notes: tuple[str, ...]


def make_report(rows: Sequence[ErrorRow], *, bound: float = 1.0, notes: Sequence[str] = ()) -> Report:
    """Summaries, capture-range curves and, with two methods on the same X-rays, their ranking by true TRE.

    Args:
        rows: Initial and final rows of every registration.
        bound: True TRE below this is a success [mm].
        notes: Carried along.

    Raises:
        InputError: No rows, or a bound that is not positive.
        BackendUnavailableError: Two methods, and statsmodels is missing.
    """
    summaries = summarise(rows, bound=bound)
    initial = {row.registration: row.true_tre for row in rows if row.estimate == "initial"}
    final = [row for row in rows if row.estimate == "final"]
    edges = equal_bins(torch.tensor(list(initial.values())))
    methods = list(dict.fromkeys(row.method for row in final))
    curves = {}
    for method in methods:
        mine = [row for row in final if row.method == method]
        starts = torch.tensor([initial[row.registration] for row in mine])
        curves[method] = capture_curve(starts, torch.tensor([row.true_tre < bound for row in mine]), edges=edges)
    ranking, found = None, list(notes)
    if len(methods) > 1:
        attempts = [
            Attempt(row.method, f"{row.dataset}/{row.subject}", f"{row.xray}/{row.structure}/{row.level}", row.true_tre)
            for row in final
        ]
        try:
            ranking = rank_methods(attempts)
        except InputError as error:
            found.append(f"No ranking: {error}")
    return Report(summaries, curves, ranking, bound, tuple(found))


def write_report(
    folder: Path, report: Report, rows: Sequence[ErrorRow], *, settings: Mapping[str, Any] = _NOTHING
) -> tuple[Path, ...]:
    """Write the five files of `FILES` into an existing folder, each whole or not at all.

    Raises:
        OutputError: The folder cannot be written to. BackendUnavailableError: matplotlib is missing.
    """
    boxes: dict[str, list[float]] = {}
    for row in rows:
        level = "" if math.isnan(row.level) else f", level {row.level:g}"
        boxes.setdefault(f"{row.method}{level}, {row.estimate}", []).append(row.true_tre)
    text = json.dumps({"settings": dict(settings), **_plain(asdict(report))}, indent=2, allow_nan=False, default=str)
    return (
        write_rows(folder / FILES[0], rows),
        write_atomically(folder / FILES[1], lambda file: file.write((text + "\n").encode())),
        write_atomically(folder / FILES[2], lambda file: file.write(report_text(report).encode())),
        plot_errors(boxes, folder / FILES[3]),
        plot_capture(report.curves, folder / FILES[4], ylabel=f"share with true TRE < {report.bound:g} mm"),
    )


def report_text(report: Report) -> str:
    """The report in Markdown: the table, capture ranges, ranking and notes."""
    parts = [markdown_table(report.summaries, bound=report.bound)]
    reach = ", ".join(f"{name} {curve.reach():g} mm" for name, curve in report.curves.items())
    parts.append(f"Capture range (true TRE of the start up to which 95 % succeed): {reach}.\n")
    if report.ranking is not None:
        ranking = report.ranking
        lines = [
            f"{place}. {name}: {error:.2f} mm ({letters})"
            for place, (name, error, letters) in enumerate(
                zip(ranking.methods, ranking.typical_errors, ranking.letters, strict=True), 1
            )
        ]
        told = f"Methods that share a letter are not told apart at p < {ranking.level:g} (Holm)."
        parts.append("\n".join(["Geometric mean true TRE:\n", *lines, "", f"{ranking.model} {told}", ""]))
    parts += [f"- {note}" for note in report.notes]
    return "\n".join(parts).rstrip() + "\n"


def require_figures() -> None:
    """Raise BackendUnavailableError now, before any work, where matplotlib is missing."""
    from .figures import new_figure

    try:
        new_figure()
    except BackendUnavailableError as error:
        raise BackendUnavailableError(f"an evaluation draws figures: {error}") from error


def _plain(value: Any) -> Any:
    """The same for JSON: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
