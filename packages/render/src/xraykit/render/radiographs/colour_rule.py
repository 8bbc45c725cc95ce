"""What a colour picture must be to become one of grey values: opaque, and grey unless its brightness is asked for."""

from __future__ import annotations

from pathlib import Path

from ..errors import FileError
from .options import Colour

GREY_TOLERANCE = 8  # of 255: chroma noise of JPEG and of colour-managed grey pictures stays below


def check_grey(path: Path, spread: int, colour: Colour) -> None:
    """Refuse a picture whose red, green and blue differ by up to `spread` of 255, unless `colour` = "luma".

    Raises:
        FileError: It shows colours.
    """
    if spread > GREY_TOLERANCE and colour != "luma":
        raise FileError(
            f"{path} must be grey, got colours (red, green and blue differ by up to {spread} of 255);"
            " --colour luma (colour='luma') takes its brightness."
        )


def check_opaque(path: Path, is_opaque: bool) -> None:
    """Refuse a picture that something would shine through.

    Raises:
        FileError: It is not opaque.
    """
    if not is_opaque:
        raise FileError(f"{path} must be opaque, got transparent pixels; flatten it on a background first.")
