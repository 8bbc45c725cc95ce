"""Numbers that an X-ray's geometry is read from and that its tags do not hold: text, too few, or beyond what can be."""

from __future__ import annotations

import math
from typing import NamedTuple

from pydicom.dataset import Dataset

from ..converters.positioner_tags import DISTANCES, INCREMENTS
from ..storage.dicom_tags import unread
from ..storage.provenance import DOUBT, Found, Origin


class Meant(NamedTuple):
    """What a tag should hold."""

    count: int | None = 1
    """How many numbers; None is any."""
    above: float = -math.inf
    """Each is larger than this."""


LENGTH, PITCH, ANGLE = Meant(above=0.0), Meant(2, above=0.0), Meant()
GEOMETRY = {
    **dict.fromkeys((*DISTANCES, "DistanceSourceToDetector", "RTImageSID"), LENGTH),
    **dict.fromkeys(("EstimatedRadiographicMagnificationFactor", "FrameTime"), LENGTH),
    **dict.fromkeys(("ImagerPixelSpacing", "ImagePlanePixelSpacing", "NominalScannedPixelSpacing"), PITCH),
    **dict.fromkeys(("PixelSpacing", "DetectorElementSpacing", "DetectorBinning"), PITCH),
    **dict.fromkeys(("PositionerPrimaryAngle", "PositionerSecondaryAngle", "FieldOfViewRotation"), ANGLE),
    **dict.fromkeys(("PositionerIsocenterPrimaryAngle", "PositionerIsocenterSecondaryAngle"), ANGLE),
    **dict.fromkeys(("DetectorPrimaryAngle", "DetectorSecondaryAngle", "ColumnAngulation"), ANGLE),
    **dict.fromkeys(("GantryAngle", "XRayImageReceptorAngle"), ANGLE),
    **dict.fromkeys((*INCREMENTS, "FrameTimeVector"), Meant(None)),
    "RTImagePosition": Meant(2),
    "RTImageOrientation": Meant(6),
    "XRayImageReceptorTranslation": Meant(3),
}
"""Every tag whose number makes a camera, a pose or a time; where it holds none, another tag or a default is taken."""


def unread_tags(dataset: Dataset, *, frame: int = 0) -> Found:
    """A doubt for each tag of `GEOMETRY` that is there and is not what it should hold, by the tag's keyword.

    What it holds is said only where it is a number: text may name the patient.

    Args:
        dataset: The parsed file.
        frame: Whose functional groups, counted from 0.
    """
    found: Found = {}
    for keyword, meant in GEOMETRY.items():
        why = unread(dataset, keyword, meant.count, above=meant.above, frame=frame)
        if why is not None:
            found[keyword] = Origin(None, DOUBT, f"{why}; it is left out, so another tag or a default stands for it")
    return found
