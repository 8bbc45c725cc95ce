"""The folder that results are written in."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError
from .atomic_write import check_folder
from .folder_lock import LOCK, hold_folder, release_folder

_PART = re.compile(r"\.(.+\.)?[0-9a-f]{8}\.part")


def make_folder(path: str | Path) -> Path:
    """The folder, made with those above it if need be.

    Raises:
        OutputError: A file stands in the way, nothing can be written there, or the system refuses.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} must be a folder that can be made, got: {error.strerror or error}.") from error
    check_folder(path / "results")
    return path


@contextmanager
def held_folder(folder: str | Path) -> Iterator[Path]:
    """A folder that is this process's within the block; made if need be, and gone again where nothing came into it.

    Raises:
        OutputError: Another process has it, or as `make_folder`.

    Example:
        with held_folder(output):  # for as long as the work takes
            rows = evaluate()
            with atomic_folder(output, owned=NAMES) as staging:
                write_rows(staging / "rows.csv", rows)
    """
    folder = Path(folder)
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    make_folder(folder)
    is_new = hold_folder(folder)
    try:
        yield folder
    finally:
        if is_new:
            release_folder(folder)
        for path in missing:
            with contextlib.suppress(OSError):  # something lies in it
                path.rmdir()


def check_unused(folder: str | Path, *, unfinished: Collection[str] = ()) -> None:
    """Refuse a folder in which there is something.

    Args:
        folder: It need not be there.
        unfinished: Names that do not count, nor do those that a killed job leaves of what it had not finished.

    Raises:
        OutputError: It is a file, or holds something else.
    """
    folder = Path(folder)
    if not folder.is_dir():
        if folder.exists():
            raise OutputError(f"{folder} must be a folder, got a file; choose another --output.")
        return
    if any(path.name not in (LOCK, *unfinished) and not _PART.fullmatch(path.name) for path in folder.iterdir()):
        raise OutputError(f"{folder} must be new or empty, got something in it; choose another --output.")
