"""One job at a time in a folder of results: a lock that the system takes back from a process that dies."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..errors import OutputError

LOCK = ".lock"
_held: dict[Path, BinaryIO] = {}


def hold_folder(folder: str | Path) -> bool:
    """Keep a folder for this process until `release_folder`, or until the process ends.

    A disk or a system that knows no such locks refuses nobody.

    Returns:
        Whether it is newly held; this process may have had it before.

    Raises:
        OutputError: Another process has it.
    """
    folder = Path(folder).absolute()
    if folder in _held or not (file := _locked(folder, first=0, count=0)):
        return False
    if not _held:
        atexit.register(_release_all, os.getpid())
    _held[folder] = file
    return True


def release_folder(folder: str | Path) -> None:
    """Let others have it; nothing where this process does not."""
    folder = Path(folder).absolute()
    if file := _held.pop(folder, None):
        with file, contextlib.suppress(OSError):
            (folder / LOCK).unlink()


def move_held_folder(folder: str | Path, target: str | Path) -> None:
    """Give a folder that this process holds its last name, and let others have it there.

    Nobody can take it in between, as could who waited for its release.

    Raises:
        OSError: The system refuses; the folder is held as before.
    """
    folder, target = Path(folder).absolute(), Path(target)
    folder.replace(target)
    if file := _held.pop(folder, None):
        with file, contextlib.suppress(OSError):
            (target / LOCK).unlink()


def is_abandoned(folder: str | Path) -> bool:
    """Whether a process that held the folder is gone and has not released it."""
    folder = Path(folder).absolute()
    if folder in _held or not (folder / LOCK).is_file():
        return False
    try:
        file = _locked(folder, first=0, count=0)
    except OutputError:
        return False
    if file is not None:
        file.close()
    return file is not None


def _release_all(process: int) -> None:
    """At the end of the process that has them; a forked one has inherited the list and not the locks."""
    for folder in list(_held) if os.getpid() == process else ():
        release_folder(folder)


@contextmanager
def folder_parts(folder: str | Path, *, first: int = 0, count: int = 0) -> Iterator[None]:
    """Keep numbered parts of a folder for this process within the block; count 0 is all from `first` on.

    Raises:
        OutputError: Another process has one of them.
    """
    file = _locked(Path(folder), first=first, count=count)
    with file or contextlib.nullcontext():
        try:
            yield
        finally:
            if file and count == 0:
                with contextlib.suppress(OSError):
                    (Path(folder) / LOCK).unlink()


def _locked(folder: Path, *, first: int, count: int) -> BinaryIO | None:
    """The lock file, of which so many bytes are this process's now; None where there are no such locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        file = (folder / LOCK).open("ab")
    except OSError:  # a folder that is missing or cannot be written is refused elsewhere, with its own sentence
        return None
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, count, first)
        if os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat()):
            return file
    except FileNotFoundError:
        pass
    except OSError as error:
        file.close()
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise OutputError(
                f"{folder} must be free, got another job that writes there; wait for it, or choose another folder."
            ) from error
        return None
    file.close()
    return _locked(folder, first=first, count=count)  # its last holder has removed the file meanwhile
