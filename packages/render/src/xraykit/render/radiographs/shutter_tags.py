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
from .shutters import CircularShutter, PolygonalShutter, RectangularShutter, Shutter


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
    stored = header.get("Rows"), header.get("Columns")
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
    shapes = header.get("ShutterShape") or ()
    shapes = [shapes] if isinstance(shapes, str) else list(shapes)
    found: list[Shutter] = []
    try:
        if "RECTANGULAR" in shapes:
            left, right = (float(header[f"Shutter{side}VerticalEdge"].value) for side in ("Left", "Right"))
            top, bottom = (float(header[f"Shutter{side}HorizontalEdge"].value) for side in ("Upper", "Lower"))
            found.append(RectangularShutter(left, top, right - 1, bottom - 1))
        if "CIRCULAR" in shapes:
            row, column = (float(value) - 0.5 for value in header.CenterOfCircularShutter)
            found.append(CircularShutter(column, row, float(header.RadiusOfCircularShutter)))
        if "POLYGONAL" in shapes:
            numbers = [float(value) - 0.5 for value in header.VerticesOfThePolygonalShutter]
            found.append(PolygonalShutter(tuple(zip(numbers[1::2], numbers[::2], strict=True))))
    except (KeyError, AttributeError, TypeError, ValueError, InputError):
        return []
    return found
