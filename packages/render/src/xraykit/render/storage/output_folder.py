"""The folder that results are written in."""

from __future__ import annotations

from pathlib import Path

from ..errors import OutputError
from .atomic_write import check_folder


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
