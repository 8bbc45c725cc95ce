"""One row for each pose that was judged, as it stands in errors.csv."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from .datasets.common import Subject, XrayWithTruth
from .metrics import pose_errors

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


def judged(
    subject: Subject,
    xray: XrayWithTruth,
    initial: Tensor,
    final: Tensor,
    *,
    method: str,
    dataset: str,
    similarity: float,
    seconds: float,
    structure: str = "",
    level: float = math.nan,
) -> tuple[ErrorRow, ErrorRow]:
    """The two rows of one registration.

    Args:
        subject: Whose fiducials and volume centre count.
        xray: The X-ray with its true pose; that of `structure` where it has one of its own.
        initial: Start, camera to world (4, 4).
        final: Result, camera to world (4, 4).
        method: As in `ErrorRow`, like the rest.
        dataset: See there.
        similarity: See there.
        seconds: See there.
        structure: See there.
        level: See there.
    """
    truth = xray.structure_poses.get(structure, xray.pose)[None]
    camera, center = xray.shot.camera, subject.volume.center

    def row(pose: Tensor, estimate: Literal["initial", "final"]) -> ErrorRow:
        errors = pose_errors(pose[None], truth, camera=camera, fiducials=subject.fiducials, center=center)
        last = estimate == "final"
        return ErrorRow(
            method=method,
            dataset=dataset,
            subject=subject.name,
            xray=xray.shot.name,
            structure=structure,
            level=level,
            estimate=estimate,
            similarity=similarity if last else math.nan,
            seconds=seconds if last else 0.0,
            **{name: float(getattr(errors, name)) for name in METRICS},
        )

    return row(initial, "initial"), row(final, "final")
