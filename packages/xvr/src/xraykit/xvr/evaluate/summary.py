"""Medians, quartiles and success rates of many errors, as numbers and as a table to read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xraykit.render import InputError
from xraykit.render.evaluation import Quartiles, markdown_table, quartiles, wilson_interval

from .rows import METRICS, ErrorRow

HEADINGS = {"mpe": "mPE", "mrpe": "mRPE", "mtre_c2w": "mTRE (c2w)", "true_tre": "true TRE", "dgeo": "dGeo"}


@dataclass(frozen=True)
class PoseSummary:
    """All registrations of one method at one level, initial or final.

    Args:
        method: What registered.
        level: Of the start errors, NaN where starts came from elsewhere.
        estimate: "initial" or "final".
        count: How many.
        errors: Quartiles by metric.
        submillimetre: Share with mtre_c2w below 1 mm: the paper's SMSR.
        success: Share with true TRE below the bound.
        success_interval: Its 95 % confidence interval.
        seconds: Median time.
    """

    method: str
    level: float
    estimate: str
    count: int
    errors: dict[str, Quartiles]
    submillimetre: float
    success: float
    success_interval: tuple[float, float]
    seconds: float


def summarise(rows: Sequence[ErrorRow], *, bound: float = 1.0) -> tuple[PoseSummary, ...]:
    """One summary for each method, level and estimate, in the order in which they first occur.

    Args:
        rows: At least one.
        bound: True TRE below this is a success [mm].

    Raises:
        InputError: No rows, or a bound that is not positive.
    """
    if not rows:
        raise InputError("a summary needs at least one registration, got none.")
    if not bound > 0:
        raise InputError(f"the bound of success must be positive, got {bound} mm.")
    groups: dict[tuple[str, float | None, str], list[ErrorRow]] = {}
    for row in rows:
        level = None if math.isnan(row.level) else row.level
        groups.setdefault((row.method, level, row.estimate), []).append(row)
    return tuple(_summary(group, bound) for group in groups.values())


def _summary(rows: Sequence[ErrorRow], bound: float) -> PoseSummary:
    won = sum(row.true_tre < bound for row in rows)
    return PoseSummary(
        method=rows[0].method,
        level=rows[0].level,
        estimate=rows[0].estimate,
        count=len(rows),
        errors={name: quartiles(getattr(row, name) for row in rows) for name in METRICS},
        submillimetre=sum(row.mtre_c2w < 1.0 for row in rows) / len(rows),
        success=won / len(rows),
        success_interval=wilson_interval(won, len(rows)),
        seconds=quartiles(row.seconds for row in rows).median,
    )


def summary_table(summaries: Sequence[PoseSummary], *, bound: float = 1.0) -> str:
    """The summaries as a Markdown table: median (IQR) [mm], success rates [%], median time [s]."""
    leveled = any(not math.isnan(summary.level) for summary in summaries)
    head = ["method", *(["level"] if leveled else []), "estimate", "n", *(f"{HEADINGS[m]} [mm]" for m in METRICS)]
    head += ["SMSR [%]", f"true TRE < {bound:g} mm [%] (95 % CI)", "time [s]"]
    lines = []
    for s in summaries:
        cells = [s.method, *([f"{s.level:g}"] if leveled else []), s.estimate, str(s.count)]
        cells += [f"{_short(s.errors[m].median)} ({_short(s.errors[m].spread)})" for m in METRICS]
        low, high = s.success_interval
        cells += [f"{100 * s.submillimetre:.1f}", f"{100 * s.success:.1f} ({100 * low:.0f} to {100 * high:.0f})"]
        cells.append(f"{s.seconds:.2f}" if s.estimate == "final" else "")
        lines.append(cells)
    return markdown_table(head, lines)


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if math.isfinite(value) else "lost"
