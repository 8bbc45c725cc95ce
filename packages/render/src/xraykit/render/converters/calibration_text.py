"""The text of a calibration file: small, and cut into headings and numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

from ..errors import FileError
from ..storage.brief import brief
from ..storage.decoded_text import text_of

LARGEST = 8 << 20  # bytes; ten thousand projections with their matrices
_SEPARATORS = re.compile(r"[\s,;\[\]()]+")
_HEADING = re.compile(r"([A-Za-z][A-Za-z _]*?)\s*(?:[:=]\s*|\s+(?=[-+.\d\[(])|$)")


def read_calibration_text(path: str | Path) -> str:
    """The text of a calibration file.

    Raises:
        FileError: It is missing, larger than 8 MiB, or no text.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except (OSError, ValueError) as error:
        said = brief(getattr(error, "strerror", None) or error)
        raise FileError(f"a camera file was expected at {brief(path)}, got {said}; check the path.") from error
    if size > LARGEST:
        raise FileError(f"{path} must be a camera file of at most {LARGEST >> 20} MiB, got {size} bytes.")
    try:
        text = text_of(data)
    except UnicodeDecodeError as error:
        raise FileError(f"{path} must be a camera file, got bytes that are no text.") from error
    if "\0" in text:
        raise FileError(f"{path} must be a camera file, got bytes that are no text.")
    return text


def numbers_in(path: str | Path, text: str, *, count: int | None = None, what: str = "numbers") -> list[float]:
    """The numbers of a text, between commas, semicolons, brackets and white space; # begins a comment.

    Raises:
        FileError: Another word, a number that is not finite, or not `count` of them.
    """
    words = [word for line in text.splitlines() for word in _SEPARATORS.split(line.partition("#")[0]) if word]
    found = []
    for word in words:
        try:
            number = float(word)
        except ValueError as error:
            raise FileError(f"{path} must give numbers for {what}, got {brief(word, limit=40)!r}.") from error
        if not math.isfinite(number):
            raise FileError(f"{path} must give finite numbers for {what}, got {brief(word, limit=40)!r}.")
        found.append(number)
    if count is not None and len(found) != count:
        raise FileError(f"{path} must give {count} numbers for {what}, got {len(found)}.")
    return found


def sections_of(path: str | Path, text: str, known: Mapping[str, str]) -> dict[str, str]:
    """The text under each heading, by what `known` makes of the heading in lower case; "" is what has none.

    A heading stands on a line of its own, or before numbers: `K = [...]`, `rotation:`.

    Raises:
        FileError: An unknown heading, or one given twice.
    """
    found: dict[str, str] = {}
    current = ""
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        heading = _HEADING.match(line)
        if heading:
            said = " ".join(heading.group(1).lower().replace("_", " ").split())
            if said not in known:
                options = ", ".join(dict.fromkeys(known.values()))
                raise FileError(f"{path} may have the headings {options}, got {brief(said, limit=40)!r}.")
            current, line = known[said], line[heading.end() :]
            if current in found:
                raise FileError(f"{path} gives {current} twice; leave one out.")
            found[current] = ""
        if line:
            found[current] = f"{found.get(current, '')}\n{line}"
    return found


def check_image_size(
    path: str | Path, stated: tuple[int, int] | None, height: int | None, width: int | None
) -> tuple[int, int]:
    """Rows and columns of the image that a camera file is for.

    Args:
        path: The file, for messages.
        stated: (width, height) in it, or None.
        height: What the caller knows, or None.
        width: The same.

    Raises:
        FileError: Nobody says, or both say something else.
    """
    if stated is None and (height is None or width is None):
        raise FileError(
            f"{path} does not state the size of its image, and nobody else does; give "
            "rows and columns (--size, --image-size)."
        )
    given = (width, height) if height is not None and width is not None else stated
    if stated is not None and given != stated:
        raise FileError(
            f"{path} is of an image of {stated[1]} rows x {stated[0]} columns, got one of {height} x {width}; "
            "is it the camera of another image, or was the image resized or cropped?"
        )
    columns, rows = given  # type: ignore[misc]
    return int(rows), int(columns)  # type: ignore[arg-type]
