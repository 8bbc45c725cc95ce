"""The folder that a command writes in."""

from __future__ import annotations

from pathlib import Path

from ..errors import OutputError
from ..storage.atomic_write import check_folder


def make_folder(path: Path) -> Path:
    """The folder, made if need be.

    Raises:
        OutputError: A file stands in the way, or the system refuses.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} must be a folder that can be made, the system says: {error.strerror}.") from error
    check_folder(path / "results")
    return path
