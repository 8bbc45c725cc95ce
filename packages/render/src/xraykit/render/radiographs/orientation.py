"""Whether a stored X-ray is mirrored or turned against what the tube sees, by its orientation tags and angles."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..geometry.carm import carm_pose
from .radiograph import Radiograph

_DIRECTIONS = {"R": (0, 1.0), "L": (0, -1.0), "A": (1, 1.0), "P": (1, -1.0), "H": (2, 1.0), "F": (2, -1.0)}
_CLEAR = 0.5  # of 1: below this the letters say too little about the beam


def is_stored_mirrored(radiograph: Radiograph) -> bool | None:
    """Whether no camera can have taken this image as it is stored, None where the tags do not say.

    Patient Orientation names the patient directions c of the columns and r of the rows. Seen from the tube c x r runs
    along the beam, whose direction the positioner angles give; mirrored images have it run backwards. Where one of
    the two is missing, Field of View Horizontal Flip decides, else how an RT image lies on its receptor.

    Args:
        radiograph: As read; its provenance holds the tags.

    Source: DICOM PS3.3 C.7.6.1.1.1 (Patient Orientation).
    """
    across, beam = _image_axes(radiograph), _beam(radiograph)
    if across is not None and beam is not None:
        forward = float(torch.linalg.cross(*across) @ beam[:, 2])
        if abs(forward) > _CLEAR:
            return forward < 0
    flip, receptor = radiograph.provenance.get("field_of_view_flip"), _receptor_axes(radiograph)
    if flip is None and receptor is not None:
        return receptor[0] * receptor[3] - receptor[1] * receptor[2] > 0  # the source looks against gantry z
    return None if flip is None else str(flip.value).upper() == "YES"


def stored_roll(radiograph: Radiograph, *, mirrored: bool) -> float:
    """By how much [degrees, -180 to 180] the image is turned, as `carm_pose` counts roll.

    Patient Orientation says it to a quarter turn; where it does not, Field of View Rotation does: an image that was
    turned clockwise by an angle is what a camera sees that is turned by it the other way. An RT image says how it lies
    on its receptor, and this in the gantry, whose x is to the right of an image that is not turned and y to its top.

    Args:
        radiograph: As read; its provenance holds the tags.
        mirrored: The image's columns were reversed since it was stored.

    Returns:
        The turn; 0 where the tags do not say.

    Source: DICOM PS3.3 C.7.6.1.1.1 (Patient Orientation), C.8.7.5 (Field of View Rotation, before the flip).
    """
    across, beam = _image_axes(radiograph), _beam(radiograph)
    if across is None or beam is None:
        turned, receptor = radiograph.provenance.get("field_of_view_rotation"), _receptor_axes(radiograph)
        if turned is None and receptor is not None:
            sign = -1.0 if mirrored else 1.0
            return math.degrees(math.atan2(-sign * receptor[1], sign * receptor[0]))
        clockwise = 0.0 if turned is None else float(str(turned.value)) % 360
        return 360 - clockwise if clockwise > 180 else -clockwise
    columns = -across[0] if mirrored else across[0]
    angle = torch.rad2deg(torch.atan2(columns @ beam[:, 1], columns @ beam[:, 0]))
    return float((angle / 90).round() * 90)


def _receptor_axes(radiograph: Radiograph) -> tuple[float, ...] | None:
    """Where rows and columns of an RT image run in gantry x and y."""
    said = radiograph.provenance.get("receptor_axes")
    return said.value if said is not None and isinstance(said.value, tuple) else None  # type: ignore[return-value]


def _image_axes(radiograph: Radiograph) -> tuple[Tensor, Tensor] | None:
    """The patient directions (RAS) towards the right and the bottom of the stored image."""
    said = radiograph.provenance.get("patient_orientation")
    letters = [] if said is None else str(said.value).upper().split("\\")
    if len(letters) != 2 or not all(part and part[0] in _DIRECTIONS for part in letters):
        return None
    axes = torch.zeros(2, 3, dtype=torch.float64)
    for row, part in zip(axes, letters, strict=True):
        axis, sign = _DIRECTIONS[part[0]]
        row[axis] = sign
    return axes[0], axes[1]


def _beam(radiograph: Radiograph) -> Tensor | None:
    """The camera's axes (3, 3) as columns, without roll, by the positioner angles."""
    angles = [radiograph.provenance.get(name) for name in ("lao_rao", "cra_cau")]
    if angles[0] is None or angles[1] is None:
        return None
    lao_rao, cra_cau = (torch.tensor(float(str(angle.value)), dtype=torch.float64) for angle in angles if angle)
    return carm_pose(lao_rao=lao_rao, cra_cau=cra_cau, sod=1.0)[0, :3, :3]
