"""The display shutters that a DICOM file declares, as the pixels that they leave open; what is none is doubted."""

from __future__ import annotations

from pathlib import Path

import torch
from pydicom.dataset import Dataset
from torch import Tensor

from ..errors import FileError, InputError
from ..geometry.detector_plane import pixel_axes
from ..storage.dicom_header import read_dicom
from ..storage.dicom_sniff import is_dicom
from ..storage.dicom_tags import number, numbers, tag_name, text
from ..storage.provenance import DOUBT, Found, Origin
from .shutters import CircularShutter, PolygonalShutter, RectangularShutter, Shutter

_EDGES = ("LeftVertical", "RightVertical", "UpperHorizontal", "LowerHorizontal")
_SHAPES = ("RECTANGULAR", "CIRCULAR", "POLYGONAL", "BITMAP", "")


def shutter_field(path: Path, *, height: int, width: int) -> Tensor:
    """Where the shutters that a DICOM file declares are open.

    Args:
        path: Any file.
        height: Rows of the image as stored.
        width: Columns of the image as stored.

    Returns:
        (height, width) bool; all true for a file that is no DICOM, declares none, or no opening in the image.

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
    shutters = [shutter for shutter in _declared(header)[0] if _meets(shutter, height, width)]
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


def shutter_doubts(header: Dataset, *, height: int, width: int) -> Found:
    """A doubt for shutters and one for collimators whose tags describe no opening in the image, by the shape's keyword.

    What the tags hold is not said: text may name the patient.

    Args:
        header: The parsed file.
        height: Rows of the image as stored.
        width: Columns of the image as stored.
    """
    found: Found = {}
    for kind in ("Shutter", "Collimator"):
        shutters, why = _declared(header, kind)
        if not all(_meets(shutter, height, width) for shutter in shutters):
            why = "its opening lies outside the image"
        if why is not None:
            found[f"{kind}Shape"] = Origin(None, DOUBT, f"{why}; it is left out")
    return found


def _declared(header: Dataset, kind: str = "Shutter") -> tuple[list[Shutter], str | None]:
    """The shutters or collimators of a header; a declaration that describes no opening is none, and why."""
    said = text(header, f"{kind}Shape")
    shapes = () if said is None else [shape.strip().upper() for shape in said[0].split("\\")]
    found: list[Shutter] = []
    try:
        if "RECTANGULAR" in shapes:
            left, right, top, bottom = (_one(header, f"{kind}{edge}Edge") for edge in _EDGES)
            found.append(RectangularShutter(left, top, right - 1, bottom - 1))
        if "CIRCULAR" in shapes:
            row, column = (value - 0.5 for value in _all(header, f"CenterOfCircular{kind}", 2))
            found.append(CircularShutter(column, row, _one(header, f"RadiusOfCircular{kind}")))
        if "POLYGONAL" in shapes:
            corners = [value - 0.5 for value in _all(header, f"VerticesOfThePolygonal{kind}", None)]
            found.append(PolygonalShutter(tuple(zip(corners[1::2], corners[::2], strict=True))))
    except InputError:
        return [], "its edges describe no opening"
    except ValueError as error:
        return [], str(error)
    if set(shapes).difference(_SHAPES):
        return found, "it has a shape that there is not"
    return found, None


def _meets(shutter: Shutter, height: int, width: int) -> bool:
    """Whether the box around an opening has a part in the image."""
    if isinstance(shutter, RectangularShutter):
        left, top, right, bottom = shutter.left, shutter.top, shutter.right, shutter.bottom
    elif isinstance(shutter, CircularShutter):
        left, right = shutter.x - shutter.radius, shutter.x + shutter.radius
        top, bottom = shutter.y - shutter.radius, shutter.y + shutter.radius
    else:
        across, down = zip(*shutter.corners, strict=True)
        left, top, right, bottom = min(across), min(down), max(across), max(down)
    return left < width and right > 0 and top < height and bottom > 0


def _all(header: Dataset, keyword: str, count: int | None) -> tuple[float, ...]:
    said = numbers(header, keyword, count)
    if said is None or (len(said[0]) % 2 and count is None):
        raise ValueError(f"{tag_name(keyword)} is missing or does not hold its numbers")
    return said[0]


def _one(header: Dataset, keyword: str) -> float:
    return _all(header, keyword, 1)[0]
