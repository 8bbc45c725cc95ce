"""Which X-rays files and folders hold, with a name for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xraykit.render import FileError

SUFFIXES = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".dcm", ".dicom"}
MOST_LETTERS = 80


@dataclass(frozen=True)
class ListedXray:
    """A file that is, or may be, an X-ray.

    Args:
        path: Of the file.
        name: Of what is written for it; no two are the same.
        found: Whether it was found in a folder, and not named.
    """

    path: Path
    name: str
    found: bool


def list_xrays(paths: Sequence[Path]) -> list[ListedXray]:
    """Files as they are named, and those of folders and of folders in them, in the order of their names.

    Of a folder's files those count that end as X-rays do, or that begin as DICOM files do; hidden ones do not.

    Raises:
        FileError: Nothing at a path, or a folder without X-rays.
    """
    listed: list[ListedXray] = []
    taken: set[str] = set()
    seen: set[Path] = set()
    for path in paths:
        folder = _is_folder(path)
        found = _in_folder(path) if folder else [path]
        for file in found:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                listed.append(ListedXray(file, _name(file, taken), folder))
    return listed


def _is_folder(path: Path) -> bool:
    try:
        if not path.exists():
            raise FileError(f"{path} does not exist; check the path.")
        return path.is_dir()
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"an X-ray must be a file or a folder, got {str(path)[:200]!r}.") from error


def _in_folder(folder: Path) -> list[Path]:
    inside = (path for path in folder.rglob("*") if not _hidden(path, folder))
    found = sorted(path for path in inside if path.is_file() and _may_be_xray(path))
    if not found:
        raise FileError(f"{folder} must hold X-rays (DICOM, PNG, TIFF, JPEG), got a folder without; name another.")
    return found


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _may_be_xray(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _name(path: Path, taken: set[str]) -> str:
    """The file's name without ending, with a number where another has it, whatever its case."""
    stem = path.stem[:MOST_LETTERS] or "xray"
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name.lower())
    return name
