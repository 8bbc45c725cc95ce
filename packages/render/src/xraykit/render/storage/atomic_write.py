"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import OutputError


def write_atomically(path: str | Path, write: Callable[[BinaryIO], object]) -> Path:
    """Let `write` fill a temporary file beside `path`, then rename it to `path`; on any failure nothing is left.

    Args:
        path: The file to make or replace.
        write: Gets the open binary file.

    Returns:
        The path.

    Raises:
        OutputError: The folder is missing or not writable, the path is a folder, or the disk refused.
    """
    path = Path(path)
    temporary = _beside(path)
    try:
        with _created(path, temporary) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"{path} could not be written ({error.strerror or error}); nothing was left there."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def check_folder(path: Path) -> None:
    """Raise OutputError unless a file can be made at `path`, by making and removing one beside it."""
    temporary = _beside(path)
    _created(path, temporary).close()
    temporary.unlink()


def check_result_folder(path: Path) -> Path:
    """Raise OutputError unless `path` is, or could be made, a folder to write in; nothing is made yet.

    Returns:
        The nearest folder on the way there that exists: temporary files in it can be renamed into `path`.
    """
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not existing.is_dir():
        raise OutputError(f"{path} must be a folder that can be made, got the file {existing} in its place.")
    check_folder(existing / "results")
    return existing


def _created(path: Path, temporary: Path) -> BinaryIO:
    try:
        if path.is_dir():
            raise OutputError(f"{path} must be a file to write, got a folder; add a file name.")
        if not path.parent.is_dir():
            raise OutputError(f"{path} must lie in an existing folder, got {path.parent}; make it first.")
        return temporary.open("xb")
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path} must lie in a writable folder, got {error.strerror}; choose another.") from error


def _beside(path: Path) -> Path:
    return path.parent / f".{path.name[:100]}.{secrets.token_hex(4)}.part"
