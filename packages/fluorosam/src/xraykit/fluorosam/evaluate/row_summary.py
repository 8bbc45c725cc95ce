"""Figures of rows: means with intervals by patient, medians of distances, false alarms, calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

import numpy as np

from xraykit.render.evaluation import (
    auroc,
    bootstrap_interval,
    expected_calibration_error,
    reliability,
    wilson_interval,
)

from .mask_rows import MaskRow, shown_dice

RESAMPLES = 1000


@dataclass(frozen=True)
class MaskSummary:
    """Figures of the answers to one kind of question.

    Args:
        count: Masks.
        iou: Mean.
        iou_interval: 95 %, by patient; NaN for fewer than two patients.
        dice: Mean.
        dice_interval: As for IoU.
        shown_dice: Mean Dice of what a user gets: 0 where the answer was "not visible".
        hausdorff: Median, in `unit`; the image's diagonal where nothing was drawn.
        hd95: Median.
        unit: mm on the detector, px, or "mixed", in which case no median makes sense.
        missed: Share of answers that said "not visible".
        other_side: Share of sided structures whose twin the mask fits better, of those with a twin in the image.
        sided: How many those are.
    """

    count: int
    iou: float
    iou_interval: tuple[float, float]
    dice: float
    dice_interval: tuple[float, float]
    shown_dice: float
    hausdorff: float
    hd95: float
    unit: str
    missed: float
    other_side: float
    sided: int


def summarised(rows: Sequence[MaskRow]) -> MaskSummary:
    """The figures of at least one row of a shown target."""
    measured = [row for row in rows if not math.isnan(row.hd95)]
    units = {row.unit for row in measured}
    unit = units.pop() if len(units) == 1 else "mixed"
    alike = unit != "mixed" and bool(measured)
    sided = [row for row in rows if not math.isnan(row.twin_dice)]
    return MaskSummary(
        len(rows),
        fmean(row.iou for row in rows),
        by_patient(rows, lambda row: row.iou),
        fmean(row.dice for row in rows),
        by_patient(rows, lambda row: row.dice),
        fmean(shown_dice(row) for row in rows),
        median(row.hausdorff for row in measured) if alike else math.nan,
        median(row.hd95 for row in measured) if alike else math.nan,
        unit,
        fmean(not row.visible for row in rows),
        fmean(row.twin_dice > row.dice for row in sided) if sided else math.nan,
        len(sided),
    )


def by_patient(rows: Sequence[MaskRow], value: Callable[[MaskRow], float]) -> tuple[float, float]:
    """The 95 % interval of a mean, patients drawn; NaN for fewer than two patients."""
    patients = [row.patient for row in rows]
    if len(set(patients)) < 2:
        return math.nan, math.nan
    values = [value(row) for row in rows]
    if len(set(values)) == 1:
        return values[0], values[0]
    return bootstrap_interval(values, groups=patients, method="percentile", resamples=RESAMPLES)


def grouped(rows: Iterable[MaskRow], key: Callable[[MaskRow], str]) -> dict[str, list[MaskRow]]:
    """Rows by a text, in the order of the texts."""
    found: dict[str, list[MaskRow]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return dict(sorted(found.items()))


def wording_difference(rows: Sequence[MaskRow]) -> dict[str, Any] | None:
    """Dice in held-out wordings minus Dice in known ones, on the same masks; None without both."""
    known = {(row.image, row.target): row for row in rows if row.kind == "text"}
    held = {(row.image, row.target): row for row in rows if row.kind == "text_held_out"}
    both = sorted(known.keys() & held.keys())
    if not both:
        return None
    differences = {key: held[key].dice - known[key].dice for key in both}
    interval = by_patient([known[key] for key in both], lambda row: differences[row.image, row.target])
    return {"count": len(both), "difference": fmean(differences.values()), "interval": interval}


def alarm_figures(rows: Sequence[MaskRow]) -> dict[str, Any] | None:
    """False alarms on absent targets, and how well presence or else confidence tells them from shown ones, or None."""
    absent = [row for row in rows if row.kind == "absent"]
    if not absent:
        return None
    alarms = sum(row.visible for row in absent)
    found: dict[str, Any] = {
        "count": len(absent),
        "alarms": alarms / len(absent),
        "interval": wilson_interval(alarms, len(absent)),
    }
    shown = [row for row in rows if row.kind == "text"]
    if shown:
        found["missed"] = fmean(not row.visible for row in shown)
    scores = [row.presence for row in (*shown, *absent)]
    if np.isnan(scores).any():
        scores = [row.confidence for row in (*shown, *absent)]
    if shown and not np.isnan(scores).any():
        found["auroc"] = auroc(scores, [True] * len(shown) + [False] * len(absent))
    return found


def calibration_figures(rows: Sequence[MaskRow]) -> dict[str, Any] | None:
    """How far the confidence is from the IoU that follows; None for methods without confidence.

    The IoU of an absent target is 0.
    """
    told = [row for row in rows if not math.isnan(row.confidence)]
    if not told:
        return None
    confidence = np.clip([row.confidence for row in told], 0, 1)
    truth = [0.0 if row.kind == "absent" else row.iou for row in told]
    bins = reliability(confidence, truth, bins=10)
    return {
        "count": len(told),
        "error": expected_calibration_error(confidence, truth),
        "bias": float(confidence.mean() - np.mean(truth)),
        "bins": [one._asdict() for one in bins],
    }


def point_gains(rows: Sequence[MaskRow]) -> dict[str, list[float]]:
    """Mean Dice after each point, of chains that begin with a point and with words (their first number is no point)."""
    gains: dict[str, list[float]] = {}
    for kind in ("points", "text_points"):
        counts = sorted({row.points for row in rows if row.kind == kind})
        if not counts:
            continue
        means = [fmean(row.dice for row in rows if row.kind == kind and row.points == n) for n in counts]
        words = [row.dice for row in rows if row.kind == "text"]
        gains[kind] = ([fmean(words)] if kind == "text_points" and words else [0.0]) + means
    return gains


def plain(summary: MaskSummary) -> Mapping[str, Any]:
    """For JSON."""
    return {name: getattr(summary, name) for name in summary.__dataclass_fields__}
