"""The paper's table and what stands around it, from rows alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from xraykit.render.evaluation import EvaluationReport, markdown_table

from .mask_rows import MaskRow
from .row_summary import (
    MaskSummary,
    alarm_figures,
    calibration_figures,
    grouped,
    plain,
    point_gains,
    summarised,
    wording_difference,
)

_ASKED: tuple[tuple[str, str, int], ...] = (
    ("text", "text", 0),
    ("text, held-out wording", "text_held_out", 0),
    ("box", "box", 0),
    ("1 point", "points", 1),
    ("2 points", "points", 2),
    ("8 points", "points", 8),
    ("text + 2 points", "text_points", 2),
    ("text + 8 points", "text_points", 8),
)
_SHORT = ("text", "text, held-out wording", "2 points", "box", "8 points")
_PAPER = (
    "The paper (Dice / IoU; text, 2 points, 8 points): synthetic 0.59, 0.70, 0.79 Dice with 3 million training images; "
    "cadaver 0.60 / 0.47, 0.69 / 0.56, 0.77 / 0.64; lungs of 1,131 chest X-rays 0.66 / 0.50, 0.80 / 0.67, 0.89 / 0.81."
)


def segmentation_report(rows: Sequence[MaskRow], *, large_from: float = 0.025) -> EvaluationReport:
    """The report on rows.

    Args:
        rows: Of any number of methods; the first row's method is the one that the later tables are about.
        large_from: Masks below this share of the image have a table of their own.
    """
    main = rows[0].method
    own = [row for row in rows if row.method == main]
    large = [row for row in rows if row.kind == "absent" or row.area >= large_from]
    small = [row for row in rows if row.kind != "absent" and row.area < large_from]
    share = f"{100 * large_from:g} %"
    numbers: dict[str, Any] = {"large_from": large_from, "images": len({row.image for row in rows})}
    sections = []
    for name, title, part in (
        ("large", f"Masks of {share} of the image or more", large),
        ("small", f"Smaller masks (0.1 % to {share})", small),
        ("all", "All masks", [*large, *small]),
    ):
        numbers[name], table = _methods(part)
        if table:
            sections.append(f"## {title}\n\n{table}")
    later = [
        ("by_structure", "By structure (Dice, all sizes)", *_by(own, lambda row: row.target, "structure")),
        ("by_view", "By view (Dice, all sizes)", *_by(own, lambda row: row.view, "view")),
        ("gains", "Dice after each point", *_gains(rows)),
        ("absent", "What is not in the image", *_alarms(rows)),
        ("calibration", "Confidence and the IoU that follows", *_calibration(rows)),
    ]
    for name, title, found, table in later:
        numbers[name] = found
        if table:
            sections.append(f"## {title}\n\n{table}")
    numbers["wording"] = wording_difference(own)
    return EvaluationReport(
        tuple(sections), numbers, notes=_notes(rows, own, numbers), title="Segmentation by words, points and boxes"
    )


def _methods(rows: Sequence[MaskRow]) -> tuple[dict[str, Any], str]:
    """One line for each method and way of asking."""
    found: dict[str, Any] = {}
    lines = []
    for method in dict.fromkeys(row.method for row in rows):
        for label, summary in _asked([row for row in rows if row.method == method]).items():
            found.setdefault(method, {})[label] = plain(summary)
            lines.append([method, label, *_cells(summary)])
    head = [
        "method",
        "asked by",
        "masks",
        "IoU (95 %)",
        "Dice (95 %)",
        "Hausdorff",
        "HD95",
        "not visible",
        "other side",
    ]
    return found, markdown_table(head, lines) if lines else ""


def _asked(rows: Sequence[MaskRow]) -> dict[str, MaskSummary]:
    """Figures by the way of asking; the ways that there are."""
    last = max((row.points for row in rows), default=0)
    found = {}
    for label, kind, points in _ASKED:
        points = min(points, last) if points == 8 else points
        chosen = [row for row in rows if row.kind == kind and row.points == points]
        if chosen:
            found[label.replace("8", str(points)) if "8 points" in label else label] = summarised(chosen)
    return found


def _cells(one: MaskSummary) -> list[str]:
    distances = [f"{value:.1f} {one.unit}" if math.isfinite(value) else "" for value in (one.hausdorff, one.hd95)]
    side = "" if math.isnan(one.other_side) else f"{100 * one.other_side:.0f} % of {one.sided}"
    return [
        str(one.count),
        _with_interval(one.iou, one.iou_interval),
        _with_interval(one.dice, one.dice_interval),
        *distances,
        f"{100 * one.missed:.0f} %",
        side,
    ]


def _by(rows: Sequence[MaskRow], key, what: str) -> tuple[dict[str, Any], str]:
    """Dice by something, in the ways of asking that matter most."""
    found: dict[str, Any] = {}
    for name, chosen in grouped((row for row in rows if row.kind != "absent"), key).items():
        found[name] = {label: plain(one) for label, one in _asked(chosen).items() if label in _SHORT}
    labels = [label for label in _SHORT if any(label in one for one in found.values())]
    lines = []
    for name, ways in found.items():
        count = max((one["count"] for one in ways.values()), default=0)
        cells = [_with_interval(ways[at]["dice"], ways[at]["dice_interval"]) if at in ways else "" for at in labels]
        lines.append([name, str(count), *cells])
    return found, markdown_table([what, "masks", *labels], lines) if lines else ""


def _gains(rows: Sequence[MaskRow]) -> tuple[dict[str, Any], str]:
    found = {method: point_gains(own) for method, own in _by_method(rows).items()}
    lines = []
    for method, chains in found.items():
        for kind, means in chains.items():
            begun = "words" if kind == "text_points" else "nothing"
            lines.append([method, begun, *(f"{value:.3f}" for value in means)])
    most = max((len(line) for line in lines), default=0)
    lines = [[*line, *[""] * (most - len(line))] for line in lines]
    return found, markdown_table(["method", "begun with", *map(str, range(most - 2))], lines) if lines else ""


def _alarms(rows: Sequence[MaskRow]) -> tuple[dict[str, Any], str]:
    found = {method: one for method, own in _by_method(rows).items() if (one := alarm_figures(own))}
    lines = []
    for method, one in found.items():
        told = f"{one['auroc']:.3f}" if "auroc" in one else ""
        missed = f"{100 * one['missed']:.1f} %" if "missed" in one else ""
        low, high = one["interval"]
        alarms = f"{100 * one['alarms']:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
        lines.append([method, str(one["count"]), alarms, missed, told])
    head = ["method", "prompts", "false alarms (95 %)", "missed of those shown", "AUROC"]
    return found, markdown_table(head, lines) if lines else ""


def _calibration(rows: Sequence[MaskRow]) -> tuple[dict[str, Any], str]:
    found: dict[str, Any] = {}
    lines = []
    for method, own in _by_method(rows).items():
        kinds = {"all": own, **grouped(own, lambda row: row.kind)}
        figures = {kind: one for kind, part in kinds.items() if (one := calibration_figures(part))}
        if figures:
            found[method] = figures
        for kind, one in figures.items():
            lines.append([method, kind, str(one["count"]), f"{one['error']:.3f}", f"{one['bias']:+.3f}"])
    head = ["method", "asked by", "answers", "expected calibration error", "confidence - IoU"]
    return found, markdown_table(head, lines) if lines else ""


def _by_method(rows: Sequence[MaskRow]) -> dict[str, list[MaskRow]]:
    return {name: [row for row in rows if row.method == name] for name in dict.fromkeys(row.method for row in rows)}


def _notes(rows: Sequence[MaskRow], own: Sequence[MaskRow], numbers: Mapping[str, Any]) -> tuple[str, ...]:
    patients = len({row.patient for row in rows})
    wording = numbers["wording"]
    notes = [
        f"{numbers['images']} images of {patients} patients; intervals are 95 % and draw patients, of rates Wilson's.",
        "IoU, Dice and distances are of the mask as drawn, also where the answer was 'not visible'; an empty mask has "
        "the image's diagonal as its distance; distances are medians.",
        "Points come from the region where the answer before them was wrong, with the same seed for every method.",
        "Other side: the mask fits the same structure of the other side better, of those whose twin is in the image.",
    ]
    if wording is not None:
        low, high = wording["interval"]
        ends = "" if math.isnan(low) else f" ({low:+.3f} to {high:+.3f})"
        notes.append(
            f"{own[0].method}, held-out wordings against known ones on {wording['count']} masks: "
            f"{wording['difference']:+.3f} Dice{ends}."
        )
    return (*notes, _PAPER)


def _with_interval(value: float, interval: tuple[float, float]) -> str:
    low, high = interval
    return f"{value:.3f}" + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")
