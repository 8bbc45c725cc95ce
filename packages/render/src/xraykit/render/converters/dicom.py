"""DICOM positioner tags of an X-ray: the C-arm's two angles and its distances."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from pydicom.dataset import Dataset
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera
from ..geometry.carm import carm_parameters, carm_pose
from ..geometry.frames import Vector
from ..geometry.torch_modes import full_precision
from ..storage.dicom_tags import find, unread
from .pinhole import unsettle
from .positioner_tags import DISTANCES, WHICH, is_moving, positioner_angle, source_to_isocenter

_NUMBERS = ("PositionerPrimaryAngle", "PositionerSecondaryAngle", "DistanceSourceToPatient", "DistanceSourceToDetector")
_SIZES = ("Rows", "Columns")
_SPACING = "ImagerPixelSpacing"
_TILTED = ("DetectorPrimaryAngle", "DetectorSecondaryAngle")
_ROTATION = "FieldOfViewRotation"
_FLIP = "FieldOfViewHorizontalFlip"
_MOVING = ("PositionerPrimaryAngleIncrement", "PositionerSecondaryAngleIncrement")


class _Tags(Protocol):
    def get(self, key: str, /) -> Any: ...


@full_precision
def from_dicom_tags(
    tags: _Tags | Mapping[str, Any], *, isocenter: Vector, frame: int | None = None
) -> tuple[Camera, Tensor]:
    """The camera and pose that an X-ray's tags describe.

    pose = carm_pose(lao_rao=PositionerPrimaryAngle, cra_cau=PositionerSecondaryAngle, sod=DistanceSourceToPatient,
    roll=-FieldOfViewRotation). Of a pydicom Dataset the values of the frame count, from its functional groups and the
    increments of a run. The tags do not know where the patient lies: the principal point is the image's centre, and the
    isocenter must come from elsewhere. All seven tags must be there; none is guessed. The image is taken as
    the detector seen from the source; compare Patient Orientation, since some systems store it mirrored.

    Args:
        tags: A pydicom Dataset, or a mapping from DICOM keywords to plain values.
        isocenter: The point that the C-arm turns about [mm, RAS], for instance `volume.center`.
        frame: Which frame of a Dataset, counted from 0; None for files whose frames were taken from one place.

    Returns:
        camera with float fields, pose (1, 4, 4) float64.

    Raises:
        GeometryError: Tags are missing or empty (all are named), are no numbers, change from frame to frame where none
            is chosen, say that the detector is tilted or the image mirrored, or describe no set-up (source
            to patient not below source to detector).

    Source: DICOM PS3.3 C.8.7.5 (XA Positioner), C.8.7.1 (ImagerPixelSpacing is (row, column), at the receptor).
    """
    if isinstance(tags, Dataset):
        tags = _of_frame(tags, frame)
    needed = (*_NUMBERS, _SPACING, *_SIZES)
    missing = [name for name in needed if _empty(tags.get(name))]
    if missing:
        raise GeometryError(
            f"a pose needs the tags {', '.join(needed)}, got no value for {', '.join(missing)}; "
            "supply the missing values in a mapping."
        )
    for name in _MOVING:
        steps = tags.get(name)
        if not _empty(steps) and any(_number(step, name) for step in _sequence(steps)):
            raise GeometryError(
                f"{name} says that the angles change from frame to frame; pass one frame's own angles in a mapping."
            )
    for name in _TILTED:
        if not _empty(tags.get(name)) and _number(tags.get(name), name) != 0:
            raise GeometryError(f"{name} must be 0 or absent, got {tags.get(name)}; the detector is tilted.")
    if str(tags.get(_FLIP)).upper() == "YES":
        raise GeometryError(f"{_FLIP} must be NO or absent, got YES; mirror the image back first.")
    primary, secondary, sod, sdd = (_number(tags.get(name), name) for name in _NUMBERS)
    spacing = [_number(value, _SPACING) for value in _sequence(tags.get(_SPACING))]
    if len(spacing) != 2:
        raise GeometryError(f"{_SPACING} must hold two numbers (row, column) in mm, got {spacing}.")
    if not 0 < sod < sdd:
        raise GeometryError(
            f"DistanceSourceToPatient must lie between 0 and DistanceSourceToDetector, got {sod} mm and {sdd} mm."
        )
    rows, columns = (_whole(tags.get(name), name) for name in _SIZES)
    camera = Camera(sdd, rows, columns, pixel_spacing=(spacing[0], spacing[1]))
    where = torch.as_tensor(isocenter, dtype=torch.float64)
    angles = torch.tensor([primary, secondary], dtype=torch.float64)
    roll = 0.0 if _empty(tags.get(_ROTATION)) else -_number(tags.get(_ROTATION), _ROTATION)
    return camera, carm_pose(lao_rao=angles[0], cra_cau=angles[1], roll=roll, sod=sod, isocenter=where)


@full_precision
def to_dicom_tags(camera: Camera, pose: Tensor, *, isocenter: Vector) -> dict[str, Any]:
    """The positioner tags of a view; the inverse of `from_dicom_tags`.

    Args:
        camera: Intrinsics of one view.
        pose: Camera to world RAS, (1, 4, 4) or (4, 4).
        isocenter: The point that the C-arm turns about [mm, RAS].

    Returns:
        DICOM keyword to plain value: angles [degrees], distances [mm], ImagerPixelSpacing [row, column] [mm],
        Rows, Columns.

    Raises:
        GeometryError: The tags cannot say it: several views, roll beyond 0.01 degrees, a central ray that misses the
            isocenter by more than 0.01 mm, or a principal point more than 0.01 px off the image's centre.
    """
    axes, camera = unsettle(camera, pose.detach().cpu().double())
    if len(axes) != 1:
        raise GeometryError(f"positioner tags describe one view, got {len(axes)}; convert them one by one.")
    sdd, spacing, centre = (t.detach() for t in camera.tensors(dtype=axes.dtype, device=axes.device))
    stand = carm_parameters(axes, isocenter=torch.as_tensor(isocenter).to(axes))
    primary, secondary, roll, sod = (float(stand[name]) for name in ("lao_rao", "cra_cau", "roll", "sod"))
    across = float(stand["offset"].norm())
    off = float((centre[0] - centre.new_tensor([camera.width / 2, camera.height / 2])).abs().max())
    if abs(roll) > 0.01 or across > 0.01 or off > 0.01:
        raise GeometryError(
            "positioner tags hold no roll, no offset from the isocenter and no shifted principal point, got "
            f"roll={roll:.4g} degrees, offset={across:.4g} mm, shift={off:.4g} px; keep this view in pose.json."
        )
    if not sod < float(sdd[0]):
        raise GeometryError(f"the isocenter must lie between source and detector, got sod={sod} mm, sdd={sdd[0]} mm.")
    return {
        "PositionerPrimaryAngle": primary,
        "PositionerSecondaryAngle": secondary,
        "DistanceSourceToPatient": sod,
        "DistanceSourceToDetector": float(sdd[0]),
        _SPACING: spacing[0].tolist(),
        "Rows": camera.height,
        "Columns": camera.width,
    }


def _of_frame(dataset: Dataset, frame: int | None) -> dict[str, Any]:
    """The tags of one frame by keyword, its own angles among them."""
    if frame is None and is_moving(dataset):
        raise GeometryError("the angles change from frame to frame (rotational run); choose one with frame=.")
    n = frame or 0
    counts = {**dict.fromkeys((*_NUMBERS, *DISTANCES, *_TILTED, _ROTATION), 1), _SPACING: 2}
    wrong = [why for name, count in counts.items() if (why := unread(dataset, name, count, frame=n))]
    if wrong:
        raise GeometryError(f"a pose needs numbers, but {', '.join(wrong)}; supply the right values in a mapping.")
    found = {
        name: find(dataset, name, frame=n) for name in (*_NUMBERS[2:], _SPACING, *_SIZES, *_TILTED, _ROTATION, _FLIP)
    }
    tags = {name: one.value for name, one in found.items() if one is not None}
    distance = source_to_isocenter(dataset, frame=n)
    if distance is not None:
        tags[_NUMBERS[2]] = distance[0]
    for name, which in zip(_NUMBERS[:2], WHICH, strict=True):
        angle = positioner_angle(dataset, which, frame=n)
        if angle is not None:
            tags[name] = angle.degrees
    return tags


def _empty(value: object) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0)  # type: ignore[arg-type]


def _sequence(value: Any) -> list[Any]:
    return [value] if isinstance(value, (str, int, float)) else list(value)


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise GeometryError(f"{name} must be a number, got {value!r}.") from error
    if not math.isfinite(number):
        raise GeometryError(f"{name} must be finite, got {number}.")
    return number


def _whole(value: Any, name: str) -> int:
    number = _number(value, name)
    if number != int(number):
        raise GeometryError(f"{name} must be a whole number of pixels, got {number}.")
    return int(number)
