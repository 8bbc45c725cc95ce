"""Which X-rays files and folders hold, with a name for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xraykit.render import FileError
from xraykit.render.radiographs import xrays_in_folder

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

    Of a folder's files those count that end or begin as X-rays do, see `xrays_in_folder`; hidden ones do not.

    Raises:
        FileError: Nothing at a path, or a folder without X-rays.
    """
    listed: list[ListedXray] = []
    taken: set[str] = set()
    seen: set[Path] = set()
    for path in paths:
        folder = _is_folder(path)
        found = xrays_in_folder(path) if folder else [path]
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


def _name(path: Path, taken: set[str]) -> str:
    """The file's name without ending, with a number where another has it, whatever its case."""
    stem = path.stem[:MOST_LETTERS] or "xray"
    name, number = stem, 1
    while name.lower() in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name.lower())
    return name
