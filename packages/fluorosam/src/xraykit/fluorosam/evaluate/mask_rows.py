"""One row for each image, target and way of asking: what every figure of the report is computed from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .cases import SegmentationCase
from .mask_scores import border_distance, mask_overlap
from .methods import MaskAnswer
from .questions import AskedTarget
from .settings import AskKind

NAN = math.nan


@dataclass(frozen=True)
class MaskRow:
    """How one method answered one question."""

    method: str
    image: str
    patient: str
    view: str
    target: str
    kind: AskKind
    points: int
    """Points that the answer had seen"""
    text: str
    """The words, where there were any"""
    area: float
    """The true mask's share of the image; 0 where the target is absent"""
    iou: float
    """Of the mask as drawn, whether or not it was called visible; NaN where the target is absent"""
    dice: float
    hausdorff: float
    """NaN where it was not computed"""
    hd95: float
    unit: str
    """Of the two distances, mm on the detector or px"""
    confidence: float
    visible: bool
    """Whether the method says that the target is in the image"""
    twin_dice: float
    """Agreement with the same structure of the other side, where the image shows it; else NaN"""
    presence: float = NAN
    """Probability that the method gives to the target being in the image; NaN where it tells none"""


def score_answer(
    method: str,
    case: SegmentationCase,
    asked: AskedTarget,
    answer: MaskAnswer,
    *,
    kind: AskKind,
    points: int = 0,
    text: str = "",
    distances: bool = True,
) -> MaskRow:
    """The row of an answer.

    Args:
        method: Its name.
        case: The image.
        asked: What was asked for.
        answer: What came.
        kind: How it was asked for.
        points: How many points there were.
        text: The words.
        distances: Whether the borders' distances are computed, the slow part.
    """
    told = (method, case.name, case.patient, case.view, asked.target, kind, points, text)
    unit, spacing = ("px", (1.0, 1.0)) if case.spacing is None else ("mm", case.spacing)
    if asked.mask is None:
        return MaskRow(*told, 0.0, NAN, NAN, NAN, NAN, unit, answer.confidence, answer.visible, NAN, answer.presence)
    drawn = answer.mask.cpu()
    overlap = mask_overlap(drawn, asked.mask)
    borders = border_distance(drawn, asked.mask, spacing=spacing) if distances else (NAN, NAN)
    twin = NAN if asked.twin is None else mask_overlap(drawn, asked.twin).dice
    return MaskRow(
        *told, asked.area, *overlap, *borders, unit, answer.confidence, answer.visible, twin, answer.presence
    )


def shown_dice(row: MaskRow) -> float:
    """Dice of what a user gets: 0 where the method says that a target which is there is not visible."""
    return row.dice if row.visible else 0.0


def rows_of(rows: Sequence[MaskRow], *, kind: AskKind, points: int = 0) -> list[MaskRow]:
    """Rows of one way of asking."""
    return [row for row in rows if row.kind == kind and row.points == points]
