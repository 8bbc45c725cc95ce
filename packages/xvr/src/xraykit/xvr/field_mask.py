"""Which pixels saw the beam: inside the collimator or the round image intensifier, and not under burnt-in text."""

from __future__ import annotations

import math
from pathlib import Path

import pydicom
import torch
from pydicom.dataset import Dataset
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError
from xraykit.render.physics import CircularShutter, PolygonalShutter, RectangularShutter

from .field_border import blades, blanked_border, outside, round_border

Shutter = RectangularShutter | CircularShutter | PolygonalShutter
LONGEST = 192  # [px] of the image in which the border is looked for
MOST_TEXT = 0.05  # of the image: more is no text


def shutter_field(path: Path, *, height: int, width: int) -> Tensor:
    """True where the shutters that a DICOM file declares are open, (H, W); all true for other files.

    Source: DICOM PS3.3 C.7.6.11 (Display Shutter), which counts rows and columns from 1.
    """
    field = torch.ones(height, width, dtype=torch.bool)
    with path.open("rb") as file:
        if file.read(132)[128:] != b"DICM":
            return field
    u, v = torch.arange(width) + 0.5, torch.arange(height)[:, None] + 0.5
    for shutter in _declared(pydicom.dcmread(path, stop_before_pixels=True)):
        field &= shutter.outside(u, v) < 0
    return field


def exposed_field(image: Tensor) -> Tensor:
    """True where the image was exposed, (H, W); all true where no border is found.

    Found are: a surround of one extreme value (blanked by software) around any convex field, a round field about the
    image's middle, and straight blades along rows and columns; see field_border.py. Blades that stand askew are not
    found; DICOM files declare them as polygons (`shutter_field`).

    Args:
        image: (H, W) line integrals or other values that grow with density, finite.
    """
    factor = max(1.0, max(image.shape) / LONGEST)
    size = tuple(max(1, round(n / factor)) for n in image.shape)
    coarse = F.interpolate(image[None, None].float(), size=size, mode="area")[0, 0]
    for find in (blanked_border, round_border, blades):
        corners = find(coarse)
        if corners is not None:
            break
    else:
        return torch.ones_like(image, dtype=torch.bool)
    return outside(corners * factor, image.shape, margin=3 * factor) < -1.5 * factor


def burnt_in(image: Tensor, valid: Tensor) -> Tensor:
    """True under thin marks at the very brightest or darkest value, a few pixels around them included, (H, W).

    Where that would be more than 5 % of the image it is no text, and nothing is marked.
    """
    inside = image[valid]
    low, high = float(inside.min()), float(inside.max())
    side = 2 * math.ceil(max(image.shape) / 170) + 1
    marks = torch.zeros_like(valid)
    for signed, extreme in ((image, high), (-image, -low)):
        without = _dilated(-_dilated(-signed, side), side)
        marks |= (signed - without > 0.3 * (high - low)) & (signed >= extreme) & valid
    marks = _dilated(marks.float(), 5) > 0
    return marks if float(marks.float().mean()) < MOST_TEXT else torch.zeros_like(marks)


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


def _dilated(image: Tensor, side: int) -> Tensor:
    """The largest value within side x side pixels (side odd)."""
    half = side // 2
    return F.max_pool2d(F.max_pool2d(image[None], (side, 1), 1, (half, 0)), (1, side), 1, (0, half))[0]
