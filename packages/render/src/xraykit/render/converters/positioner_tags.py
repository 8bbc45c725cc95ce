"""Where a C-arm stood in one frame of a run: its angles and its distance, from every place that DICOM keeps them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydicom.dataset import Dataset

from ..storage.dicom_tags import PER_FRAME, number, numbers

WHICH: tuple[Literal["Primary", "Secondary"], ...] = ("Primary", "Secondary")
INCREMENTS = tuple(f"Positioner{which}AngleIncrement" for which in WHICH)
DISTANCES = ("DistanceSourceToPatient", "DistanceSourceToIsocenter", "RadiationMachineSAD")
"""Source to isocentre [mm] as XA, Enhanced XA and RT Image call it."""


class PositionerAngle(NamedTuple):
    """An angle [degrees], the tag that gave it, what was done to it (begins with "; ", or is empty), and its doubt."""

    degrees: float
    tag: str
    note: str = ""
    doubt: str = ""


def source_to_isocenter(dataset: Dataset, *, frame: int = 0) -> tuple[float, str] | None:
    """The distance [mm] and its tag; None where no tag states a positive one."""
    found = (number(dataset, keyword, frame=frame) for keyword in DISTANCES)
    return next((one for one in found if one is not None and one[0] > 0), None)


def positioner_angle(
    dataset: Dataset, which: Literal["Primary", "Secondary"], *, frame: int = 0
) -> PositionerAngle | None:
    """The primary or secondary angle of one frame; None where no tag states it.

    angle(n) = Positioner Angle + Positioner Angle Increment(n) for a run that moves. A single increment, and increments
    that are all the same, are taken as steps from frame to frame, since a run that moves once does not rotate.

    Args:
        dataset: The parsed file.
        which: Of the two.
        frame: Counted from 0.

    Source: DICOM PS3.3 C.8.7.5 (XA Positioner), C.8.19.6.10 (X-Ray Positioner macro of Enhanced XA).
    """
    names = (f"Positioner{which}Angle", f"PositionerIsocenter{which}Angle")
    stated = next((one for one in (number(dataset, name, frame=frame) for name in names) if one is not None), None)
    if stated is None:
        return None
    said = numbers(dataset, f"Positioner{which}AngleIncrement", None)
    if said is None or not any(said[0]):
        return PositionerAngle(*stated)
    turn = _turn(said[0], frame, int((number(dataset, "NumberOfFrames") or (1.0, ""))[0]))
    if turn is None:
        why = f"{said[1]} holds {len(said[0])} increments, which do not fit the frames and are left out"
        return PositionerAngle(*stated, doubt=why)
    return PositionerAngle(stated[0] + turn, stated[1], f"; {turn:+g} by the increment of frame {frame + 1}")


def is_moving(dataset: Dataset) -> bool:
    """Whether the angles change from frame to frame."""
    frames = int((number(dataset, "NumberOfFrames") or (1.0, ""))[0])
    if frames < 2 or not (PER_FRAME in dataset or any(name in dataset for name in INCREMENTS)):
        return False
    angles = {tuple(positioner_angle(dataset, which, frame=n) or () for which in WHICH) for n in range(frames)}
    return len({tuple(angle[0] if angle else None for angle in both) for both in angles}) > 1


def _turn(steps: tuple[float, ...], frame: int, frames: int) -> float | None:
    """By how much a frame is turned against the stated angle; None where the increments are not of these frames."""
    if len(steps) == 1:
        return frame * steps[0]
    if len(steps) == frames - 1:
        steps = (0.0, *steps)
    if len(steps) != frames:
        return None
    is_step = frames > 2 and len(set(steps[1:])) == 1
    return frame * steps[1] if is_step else steps[frame]
