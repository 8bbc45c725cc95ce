"""The display shutters that a DICOM file declares, as the pixels that they leave open."""

from __future__ import annotations

from pathlib import Path

import torch
from pydicom.dataset import Dataset
from torch import Tensor

from ..errors import FileError, InputError
from ..geometry.detector_plane import pixel_axes
from ..storage.dicom_header import read_dicom
from ..storage.dicom_sniff import is_dicom
from ..storage.dicom_tags import number, numbers, text
from .shutters import CircularShutter, PolygonalShutter, RectangularShutter, Shutter

_EDGES = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")


def shutter_field(path: Path, *, height: int, width: int) -> Tensor:
    """Where the shutters that a DICOM file declares are open.

    Args:
        path: Any file.
        height: Rows of the image as stored.
        width: Columns of the image as stored.

    Returns:
        (height, width) bool; all true for a file that is no DICOM, declares none, or declares no opening.

    Raises:
        FileError: There is no such file.
        InputError: It declares shutters for an image of another size.

    Source: DICOM PS3.3 C.7.6.11 (Display Shutter), which counts rows and columns from 1.
    """
    field = torch.ones(height, width, dtype=torch.bool)
    try:
        if not is_dicom(path):
            return field
    except OSError as error:
        raise FileError(f"{path} must be a file that can be read, the system says: {error.strerror}.") from error
    header = read_dicom(path)
    shutters = _declared(header)
    stored = tuple(int(side[0]) if side else None for side in (number(header, "Rows"), number(header, "Columns")))
    if shutters and stored != (height, width):
        raise InputError(
            f"the shutters of {path} are those of {stored[0]}x{stored[1]} px, got an image of {height}x{width}; give "
            "the image as stored."
        )
    u, v = pixel_axes(height, width, dtype=torch.float32, device="cpu")
    for shutter in shutters:
        field &= shutter.outside(u, v[:, None]) < 0
    return field


def _declared(header: Dataset) -> list[Shutter]:
    """The display shutters of a header; a declaration that describes no opening counts as none."""
    said = text(header, "ShutterShape")
    shapes = () if said is None else said[0].split("\\")
    found: list[Shutter] = []
    try:
        if "RECTANGULAR" in shapes:
            left, right, top, bottom = (_one(header, f"Shutter{edge}Edge") for edge in _EDGES)
            found.append(RectangularShutter(left, top, right - 1, bottom - 1))
        if "CIRCULAR" in shapes:
            row, column = (value - 0.5 for value in _all(header, "CenterOfCircularShutter", 2))
            found.append(CircularShutter(column, row, _one(header, "RadiusOfCircularShutter")))
        if "POLYGONAL" in shapes:
            corners = [value - 0.5 for value in _all(header, "VerticesOfThePolygonalShutter", None)]
            found.append(PolygonalShutter(tuple(zip(corners[1::2], corners[::2], strict=True))))
    except (ValueError, InputError):
        return []
    return found


def _all(header: Dataset, keyword: str, count: int | None) -> tuple[float, ...]:
    said = numbers(header, keyword, count)
    if said is None:
        raise ValueError(keyword)
    return said[0]


def _one(header: Dataset, keyword: str) -> float:
    return _all(header, keyword, 1)[0]
