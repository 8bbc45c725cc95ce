"""Everything an evaluation shows: CSV, JSON, Markdown, box plots and capture-range curves in one folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from xraykit.render import BackendUnavailableError, InputError
from xraykit.render.evaluation import (
    EvaluationReport,
    MethodAttempt,
    MethodRanking,
    new_figure,
    plot_errors,
    rank_methods,
    write_evaluation,
    write_rows,
)

from .capture_range import CaptureCurve, capture_curve, equal_bins, plot_capture
from .rows import ErrorRow
from .summary import PoseSummary, summarise, summary_table

FILES = ("errors.csv", "summary.json", "summary.md", "errors.png", "capture_range.png")
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class PoseReport:
    """What was found.

    Args:
        summaries: By method, level and estimate.
        curves: Capture range by method, over the true TRE of the start.
        ranking: Of two methods or more, else None.
        bound: True TRE below this is a success [mm].
        notes: What a reader has to know, one sentence each.
        left_out: (name, sentence) of each input that it goes without.
    """

    summaries: tuple[PoseSummary, ...]
    curves: Mapping[str, CaptureCurve]
    ranking: MethodRanking | None
    bound: float
    notes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def make_pose_report(rows: Sequence[ErrorRow], *, bound: float = 1.0, notes: Sequence[str] = ()) -> PoseReport:
    """Summaries, capture-range curves and, with two methods on the same X-rays, their ranking by true TRE.

    Where methods cannot be ranked, a note says why.

    Args:
        rows: Initial and final rows of every registration.
        bound: True TRE below this is a success [mm].
        notes: Carried along.

    Raises:
        InputError: No rows, or a bound that is not positive.
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
            MethodAttempt(
                row.method, f"{row.dataset}/{row.subject}", f"{row.xray}/{row.structure}/{row.level}", row.true_tre
            )
            for row in final
        ]
        try:
            ranking = rank_methods(attempts)
        except (InputError, BackendUnavailableError) as error:
            found.append(f"No ranking: {error}")
    return PoseReport(summaries, curves, ranking, bound, tuple(found))


def write_pose_report(
    folder: Path, report: PoseReport, rows: Sequence[ErrorRow], *, settings: Mapping[str, Any] = _NOTHING
) -> tuple[Path, ...]:
    """Write the five files of `FILES` into an existing folder, each whole or not at all.

    Raises:
        OutputError: The folder cannot be written to. BackendUnavailableError: matplotlib is not installed.
    """
    boxes: dict[str, list[float]] = {}
    for row in rows:
        level = "" if math.isnan(row.level) else f", level {row.level:g}"
        boxes.setdefault(f"{row.method}{level}, {row.estimate}", []).append(row.true_tre)
    summary, page = write_evaluation(folder, report_page(report), settings=settings, stem="summary")
    return (
        write_rows(folder / FILES[0], rows),
        summary,
        page,
        plot_errors(boxes, folder / FILES[3], ylabel="true TRE [mm]", bound=1.0),
        plot_capture(report.curves, folder / FILES[4], ylabel=f"share with true TRE < {report.bound:g} mm"),
    )


def report_page(report: PoseReport) -> EvaluationReport:
    """The report as a page: the table, capture ranges, ranking and notes."""
    reach = ", ".join(f"{name} {curve.reach():g} mm" for name, curve in report.curves.items())
    return EvaluationReport(
        (
            summary_table(report.summaries, bound=report.bound),
            f"Capture range (true TRE of the start up to which 95 % succeed): {reach}.",
        ),
        asdict(report),
        report.ranking,
        ("true TRE", "mm"),
        report.notes,
        left_out=report.left_out,
    )


def require_figures() -> None:
    """Raise BackendUnavailableError now, before any work, where matplotlib is not installed."""
    new_figure()
