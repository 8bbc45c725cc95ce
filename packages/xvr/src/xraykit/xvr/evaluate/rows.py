"""From poses to errors: two rows for each registration, as they stand in errors.csv."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch

from .metrics import pose_errors
from .pose_rows import PoseRow

METRICS = ("mpe", "mrpe", "mtre_c2w", "true_tre", "dgeo")


@dataclass(frozen=True)
class ErrorRow:
    """A pose of one structure in one X-ray, before or after refinement, and how wrong it is.

    Args:
        method: What registered.
        dataset: Where the X-ray is from.
        subject: Whose it is.
        xray: Its name.
        structure: The rigid structure; "" is the whole patient.
        level: Of the start errors drawn, NaN where the start came from elsewhere.
        estimate: "initial" is the start, "final" what refinement made of it.
        similarity: At the end, NaN for initial ones and where nothing was refined.
        seconds: Of the registration, 0 for initial ones.
        mpe: See metrics.py, as for the next four [mm]; infinity where the pose looks away.
        mrpe: [mm]
        mtre_c2w: [mm]
        true_tre: [mm]
        dgeo: [mm]
    """

    method: str
    dataset: str
    subject: str
    xray: str
    structure: str
    level: float
    estimate: Literal["initial", "final"]
    similarity: float
    seconds: float
    mpe: float
    mrpe: float
    mtre_c2w: float
    true_tre: float
    dgeo: float

    @property
    def registration(self) -> tuple[object, ...]:
        """What the initial and the final row of one registration share."""
        level = None if math.isnan(self.level) else self.level
        return self.method, self.dataset, self.subject, self.xray, self.structure, level


def score_poses(rows: Iterable[PoseRow]) -> list[ErrorRow]:
    """The errors of registrations, from their rows alone.

    Args:
        rows: What was found, as run or as read back from poses.json.

    Returns:
        Two rows for each: the start's and the result's.

    Raises:
        GeometryError: A pose that is not rigid, or a camera that is none.
    """
    return [error for row in rows for error in (_scored(row, "initial"), _scored(row, "final"))]


def _scored(row: PoseRow, estimate: Literal["initial", "final"]) -> ErrorRow:
    last = estimate == "final"
    pose, truth = (
        torch.tensor(numbers, dtype=torch.float64).reshape(1, 4, 4)
        for numbers in (row.found if last else row.start, row.truth)
    )
    errors = pose_errors(
        pose,
        truth,
        camera=row.intrinsics(),
        fiducials=torch.tensor(row.fiducials, dtype=torch.float64).reshape(-1, 3),
        center=torch.tensor(row.center, dtype=torch.float64),
    )
    return ErrorRow(
        method=row.method,
        dataset=row.dataset,
        subject=row.subject,
        xray=row.xray,
        structure=row.structure,
        level=row.level,
        estimate=estimate,
        similarity=row.similarity if last else math.nan,
        seconds=row.seconds if last else 0.0,
        **{name: float(getattr(errors, name)) for name in METRICS},
    )
