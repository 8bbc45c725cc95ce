"""Which pixels saw the beam: inside the collimator or the round image intensifier, and not under burnt-in text."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ..errors import InputError
from .density import relative_line_integrals
from .field_blades import blades
from .field_border import blanked_border, outside, round_border
from .radiograph import Radiograph

LONGEST = 192  # [px] of the image in which the border is looked for
MOST_TEXT = 0.05  # of the image: more is no text


def exposed_field(xray: Radiograph | Tensor | NDArray, *, file: str | Path | None = None) -> Tensor:
    """Where an X-ray was exposed: true inside the collimator's opening or the round field, false beyond.

    Found are: a surround of one extreme value (blanked by software) around any convex field, a round field about the
    image's middle, and straight blades at any angle and in any number; see field_border.py and field_blades.py. What
    DICOM files declare as shutters, `file` adds. Nothing is found in a smooth or tiny image, and then all of it counts
    as exposed.

    Args:
        xray: A radiograph, several frames of one field together; or (H, W) line integrals or other values that grow
            with density, finite.
        file: DICOM file of the image as stored (neither cropped nor mirrored since), whose declared shutters close
            pixels too; None is the image alone. `radiograph.source` is one.

    Returns:
        (H, W) bool on the CPU; all true where no border is found.

    Raises:
        InputError: The image is not (H, W) or not finite, or the file's shutters are those of an image of another size.
        FileError: The file cannot be read.

    Example:
        xray = read_radiograph("xray.dcm"); seen = exposed_field(xray, file=xray.source)
    """
    image = _densities(xray)
    field = _found_field(image)
    if file is not None:
        from .shutter_tags import shutter_field  # reads DICOM, which images alone do not need

        field = field & shutter_field(Path(file), height=image.shape[0], width=image.shape[1])
    return field


def burnt_in(image: Tensor, valid: Tensor) -> Tensor:
    """Where thin marks at the very brightest or darkest value lie, such as text burnt into the image.

    A few pixels around them are included. Where that would be more than 5 % of the image it is no text, and nothing is
    marked.

    Args:
        image: (H, W), finite.
        valid: (H, W) bool, where to look, such as `exposed_field`; true somewhere.

    Returns:
        (H, W) bool.
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


def _densities(xray: Radiograph | Tensor | NDArray) -> Tensor:
    """One finite image (H, W) on the CPU that grows with density."""
    if isinstance(xray, Radiograph):
        return relative_line_integrals(xray).pixels.detach().cpu().mean(0)
    image = torch.as_tensor(xray).detach().cpu()
    if image.ndim != 2 or 0 in image.shape or not bool(torch.isfinite(image).all()):
        raise InputError(f"an exposed field is found in a finite (H, W) image, got shape {tuple(image.shape)}.")
    return image


def _found_field(image: Tensor) -> Tensor:
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


def _dilated(image: Tensor, side: int) -> Tensor:
    """The largest value within side x side pixels (side odd)."""
    half = side // 2
    return F.max_pool2d(F.max_pool2d(image[None], (side, 1), 1, (half, 0)), (1, side), 1, (0, half))[0]
