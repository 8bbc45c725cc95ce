"""The X-rays that files and folders name, in the order in which a person would go through them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from xraykit.render import FileError, InputError

SUFFIXES = (".dcm", ".dicom", ".ima", ".png", ".tif", ".tiff", ".jpg", ".jpeg")
MAGIC, MAGIC_AT = b"DICM", 128


def list_xrays(sources: Sequence[Path]) -> tuple[Path, ...]:
    """Files as they are named, and what looks like X-rays in folders and below them, each once.

    In a folder a file counts by its ending, or as DICOM by its content; hidden ones do not. Whether it can be read is
    seen when it is opened.

    Raises:
        InputError: Nothing is named, or a folder holds no X-ray.
        FileError: A file or folder does not exist, or a folder cannot be read.
    """
    found: dict[Path, Path] = {}
    for source in sources:
        for path in _of(source):
            found.setdefault(path.resolve(), path)
    if not found:
        raise InputError("an X-ray or a folder of X-rays must be named, got none.")
    return tuple(found.values())


def _of(source: Path) -> list[Path]:
    try:
        if source.is_file():
            return [source]
        if not source.is_dir():
            raise FileError(f"an X-ray must be a file or a folder, got {source}, which does not exist.")
        files = sorted((p for p in source.rglob("*") if _looks_like_an_xray(p, source)), key=_natural)
    except OSError as error:
        raise FileError(f"{source} must be readable, got {error.strerror or error}.") from error
    except ValueError as error:  # a zero byte in the name
        raise FileError(f"an X-ray must be a file or a folder, got {str(source)[:100]!r}: {error}.") from error
    if not files:
        legal = ", ".join(SUFFIXES)
        raise InputError(f"{source} must hold X-rays ({legal}, or DICOM without an ending), got none; choose another.")
    return files


def _looks_like_an_xray(path: Path, folder: Path) -> bool:
    inner = path.relative_to(folder).parts
    if any(part.startswith(".") for part in inner) or not path.is_file():
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    if path.suffix and not path.suffix[1:].isdigit():  # 1.2.840.113619 has an ending only to the eye
        return False
    try:
        with path.open("rb") as file:
            return file.read(MAGIC_AT + len(MAGIC))[MAGIC_AT:] == MAGIC
    except OSError:
        return False


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """2.png before 10.png."""
    parts = re.split(r"(\d+)", str(path).lower())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]
