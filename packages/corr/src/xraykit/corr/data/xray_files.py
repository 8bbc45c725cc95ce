"""X-rays read from files, whatever their names are."""

from __future__ import annotations

from pathlib import Path

from xraykit.render import FileError, Radiograph, XraykitError, read_radiograph
from xraykit.render.radiographs import Colour, Polarity

from .json_fields import shown


def opened_xray(path: str | Path, *, polarity: Polarity | None = None, colour: Colour = None) -> Radiograph:
    """The X-ray of a file, as `read_radiograph` gives it.

    Raises:
        FileError: It is missing, damaged or no X-ray, or the system takes no such name.
    """
    try:
        return read_radiograph(path, polarity=polarity, colour=colour)
    except (OSError, ValueError) as error:
        if isinstance(error, XraykitError):
            raise
        reason = getattr(error, "strerror", None) or error
        name = shown(Path(path).name)
        raise FileError(f"an X-ray must be a file, got {name}, which cannot be read ({reason}).") from error
