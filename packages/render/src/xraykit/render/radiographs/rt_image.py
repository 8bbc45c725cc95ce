"""Where an RT image lies in the gantry of its machine: receptor translation and angle, image orientation and position.

IEC 61217: gantry x and y lie across the beam, z points from the isocentre to the source. The receptor's axes stand at
the translation t and are turned about z by the angle psi, so that p_gantry = t + Rz(psi) p_receptor. The image's rows
run along e1 and its columns along e2 of the receptor, from the centre of the first pixel, s. The beam's axis is
x = y = 0 of the gantry and meets the image at column (f - s) . e1 / spacing and row (f - s) . e2 / spacing with
f = Rz(-psi) (-t).

Source: DICOM PS3.3 C.8.8.2 (RT Image), IEC 61217.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from pydicom.dataset import Dataset

from ..storage.dicom_tags import number, numbers, tag_name, text
from ..storage.provenance import ASSUMED, DOUBT, Found, Origin

DEFAULT_ORIENTATION = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
PlaneVector = tuple[float, float]


class ReceptorPlane(NamedTuple):
    """How an image lies on its receptor, and that in the gantry.

    Args:
        first: Centre of the first pixel, in receptor x and y [mm].
        along_row: Unit vector towards the right of the image, in receptor x and y.
        along_column: Unit vector towards its bottom.
        angle: psi [degrees].
        origin: Of the receptor's axes, in gantry x and y [mm].
    """

    first: PlaneVector
    along_row: PlaneVector
    along_column: PlaneVector
    angle: float
    origin: PlaneVector

    def principal_point(self, spacing: PlaneVector) -> PlaneVector:
        """Where the beam's axis meets the image, (x, y) [px] from its upper left corner; spacing is (row, column)."""
        x, y = turned((-self.origin[0], -self.origin[1]), -self.angle)
        x, y = x - self.first[0], y - self.first[1]
        column = (x * self.along_row[0] + y * self.along_row[1]) / spacing[1]
        row = (x * self.along_column[0] + y * self.along_column[1]) / spacing[0]
        return column + 0.5, row + 0.5

    @property
    def axes(self) -> tuple[float, float, float, float]:
        """Where rows and columns run in gantry x and y, (row x, row y, column x, column y)."""
        return (*turned(self.along_row, self.angle), *turned(self.along_column, self.angle))


def receptor_plane(dataset: Dataset, facts: Found, *, frame: int = 0) -> ReceptorPlane | None:
    """The plane that an RT image states; None where it states no RT Image Position.

    Facts that are added: `receptor_angle`, `receptor_translation`, `receptor_axes`, and as doubts an image that is
    tilted against the beam, axes that are not square, and a distance that contradicts the translation.

    Args:
        dataset: The parsed file.
        facts: Taken further.
        frame: Counted from 0.
    """
    first = numbers(dataset, "RTImagePosition", 2, frame=frame)
    if first is None:
        return None
    stated = numbers(dataset, "RTImageOrientation", 6, frame=frame)
    axes = DEFAULT_ORIENTATION if stated is None else stated[0]
    if not _is_square(axes):
        facts["oblique beam"] = Origin(
            None, DOUBT, f"{tag_name('RTImageOrientation')} is tilted or no pair of unit axes"
        )
        return None
    plane = text(dataset, "RTImagePlane", frame=frame)
    if plane is not None and plane[0].upper() == "NON_NORMAL":
        note = f"{plane[1]} says that the image is not perpendicular to the beam, which no camera here can be"
        facts["oblique beam"] = Origin(None, DOUBT, note)
    angle = number(dataset, "XRayImageReceptorAngle", frame=frame)
    moved = numbers(dataset, "XRayImageReceptorTranslation", 3, frame=frame)
    found = ReceptorPlane(
        first=(first[0][0], first[0][1]),
        along_row=(axes[0], axes[1]),
        along_column=(axes[3], axes[4]),
        angle=0.0 if angle is None else angle[0],
        origin=(0.0, 0.0) if moved is None else (moved[0][0], moved[0][1]),
    )
    if angle is not None:
        facts["receptor_angle"] = Origin(angle[0], angle[1], "degrees about the beam, IEC 61217")
    if moved is not None:
        facts["receptor_translation"] = Origin(moved[0], moved[1], "mm in the gantry, IEC 61217")
        _check_distance(dataset, facts, moved[0][2], moved[1], frame)
    if stated is not None or angle is not None:
        tag = stated[1] if stated is not None else angle[1]  # type: ignore[index]
        facts["receptor_axes"] = Origin(found.axes, tag, "rows and columns of the image in gantry x and y")
    return found


def distance_of_receptor(dataset: Dataset, *, frame: int = 0) -> Origin | None:
    """Source to detector [mm] by the machine's SAD and the receptor's height; None where a tag is missing."""
    axis = number(dataset, "RadiationMachineSAD", frame=frame)
    moved = numbers(dataset, "XRayImageReceptorTranslation", 3, frame=frame)
    if axis is None or moved is None or not axis[0] > 0 or not axis[0] - moved[0][2] > 0:
        return None
    return Origin(axis[0] - moved[0][2], ASSUMED, f"mm; {axis[1]} and the height of {moved[1]}")


def turned(vector: PlaneVector, degrees: float) -> PlaneVector:
    """A vector turned from x towards y; exact for quarter turns."""
    quarter = (degrees / 90) % 4
    if quarter == int(quarter):
        cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[int(quarter)]
    else:
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return cos * vector[0] - sin * vector[1], sin * vector[0] + cos * vector[1]


def _is_square(axes: tuple[float, ...]) -> bool:
    """Whether rows and columns are unit vectors at right angles in the receptor's plane."""
    x1, y1, z1, x2, y2, z2 = axes
    lengths = abs(math.hypot(x1, y1) - 1) + abs(math.hypot(x2, y2) - 1)
    return lengths + abs(x1 * x2 + y1 * y2) + abs(z1) + abs(z2) < 1e-3


def _check_distance(dataset: Dataset, facts: Found, height: float, tag: str, frame: int) -> None:
    axis, image = (number(dataset, name, frame=frame) for name in ("RadiationMachineSAD", "RTImageSID"))
    if axis is None or image is None or abs(axis[0] - height - image[0]) <= 0.01 * abs(image[0]):
        return
    note = f"mm; {image[1]} is {image[0]:g} and is used, {axis[1]} and {tag} put the receptor elsewhere"
    facts["receptor distance"] = Origin(axis[0] - height, DOUBT, note)
