"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import OutputError, XraykitError
from .atomic_write import check_result_folder
from .folder_lock import LOCK, hold_folder, is_abandoned, move_held_folder, release_folder

_STAGING = re.compile(r"\.[0-9a-f]{8}\.part")
_ASIDE = re.compile(r"\.(?P<name>.+)(?P<key>\.[0-9a-f]{8})\.old")


@contextmanager
def atomic_folder(folder: str | Path, *, owned: Collection[str] | None = None) -> Iterator[Path]:
    """An empty folder to fill; when the block ends, what is in it takes its place in `folder`.

    If the block raises, or the process is killed in it, `folder` is as it was. A killed process leaves its hidden
    `.XXXXXXXX.part` beside it, which the next one there removes; killed between its last two renames, it leaves the
    earlier folder as `.NAME.XXXXXXXX.old`, which the next one there puts back.

    Args:
        folder: Where the results belong; made if need be, with the folders on the way.
        owned: Names that files of this kind of result may have: in `folder` they are replaced, or removed where there
            is no new one, and everything else there stays. None replaces `folder` as a whole; make sure before that it
            holds nothing else.

    Yields:
        The folder to fill, on the same file system; a lock in it says that somebody does.

    Raises:
        OutputError: The folder cannot be made or written, or a folder stands where a file belongs.

    Example:
        with atomic_folder("out/first") as staging:
            write_pose(staging / "pose.json", camera, pose)
    """
    folder = Path(folder)
    staging = check_result_folder(folder.parent if owned is None else folder) / f".{secrets.token_hex(4)}.part"
    try:
        _put_back(staging.parent)
        _sweep(staging.parent)
        staging.mkdir()
        hold_folder(staging)
        yield staging
        if owned is None:
            _replace_whole(staging, folder)
        else:
            _replace_files(staging, folder, owned)
    except OSError as error:
        if isinstance(error, XraykitError):
            raise
        raise OutputError(f"{folder} could not be written ({error.strerror or error}).") from error
    finally:
        release_folder(staging)
        shutil.rmtree(staging, ignore_errors=True)


def _put_back(folder: Path) -> None:
    """Give a folder its name again that a process moved aside and was killed before the new one took its place."""
    for old in folder.glob(".*.old"):
        if (found := _ASIDE.fullmatch(old.name)) and is_abandoned(folder / f"{found['key']}.part"):
            with contextlib.suppress(OSError):  # something else stands there by now
                old.replace(folder / found["name"])


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed had begun to fill; what is being filled is held."""
    for path in folder.glob(".*.part"):
        if _STAGING.fullmatch(path.name) and path.is_dir() and is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)


def _replace_whole(staging: Path, folder: Path) -> None:
    """Move the filled folder into place; an earlier one makes room at the last moment, and returns if that fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = folder.parent / f".{folder.name}{staging.stem}.old"
    earlier = folder.exists()
    if earlier:
        folder.replace(old)
    try:
        move_held_folder(staging, folder)
    except OSError:
        if earlier:
            old.replace(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _replace_files(staging: Path, folder: Path, owned: Collection[str]) -> None:
    names = sorted(path.name for path in staging.iterdir() if path.name != LOCK)
    for name in {*names, *owned}:
        if (folder / name).is_dir():
            raise OutputError(f"{folder / name} must be a file to replace, got a folder; move it away.")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (staging / name).replace(folder / name)
    for name in set(owned).difference(names):
        (folder / name).unlink(missing_ok=True)
