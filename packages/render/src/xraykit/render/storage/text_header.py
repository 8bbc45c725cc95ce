"""The readable header in front of NRRD and MetaImage voxels, within a bound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import FileError
from .declared_grid import MAX_LENGTH

_MAX_BYTES = 4 << 20
_MAX_LINE = 1 << 16


def read_text_header(path: Path, *, is_last: Callable[[str], bool]) -> tuple[list[str], int]:
    """Lines up to and with the one that `is_last` recognises (or the end), and the bytes they take.

    Raises:
        FileError: A line or the whole header is longer than any real one.
    """
    lines, used = [], 0
    with path.open("rb") as file:
        while used < _MAX_BYTES:
            raw = file.readline(_MAX_LINE)
            used += len(raw)
            if len(raw) == _MAX_LINE:
                break
            line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
            lines.append(line)
            if not raw or is_last(line):
                return lines, used
    raise FileError(f"{path} must have a text header of at most {_MAX_BYTES} bytes, it has more; it is damaged.")


def to_float(path: Path, name: str, text: str) -> float:
    """A number of the header, or FileError naming its field."""
    try:
        number = float(text)
    except ValueError as error:
        raise FileError(f"{path} must give numbers in its field {name!r}, got {text[:40]!r}.") from error
    if not abs(number) < MAX_LENGTH:
        raise FileError(f"{path} must give finite numbers in its field {name!r}, got {text[:40]!r}.")
    return number


def to_ints(path: Path, name: str, text: str) -> list[int]:
    """Whole numbers of the header, or FileError naming their field."""
    try:
        return [int(part) for part in text.split()] or [0]
    except ValueError as error:
        raise FileError(f"{path} must give whole numbers in its field {name!r}, got {text[:40]!r}.") from error
