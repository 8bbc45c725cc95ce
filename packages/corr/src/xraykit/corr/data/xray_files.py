"""X-rays as they are named on a command line: files, and folders that stand for the X-rays in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xraykit.render.radiographs import xrays_in_folder
from xraykit.render.storage import kind_at


def xray_files(named: Sequence[Path], *, without: Path | None = None) -> list[Path]:
    """The files, in the order given, with the X-rays of a folder in its place, IM2 before IM10; see `xrays_in_folder`.

    Args:
        named: Files and folders; what does not exist is left for the reader to refuse.
        without: A folder whose files do not count, as that of results.

    Raises:
        FileError: A folder without X-rays.
    """
    return [
        file
        for path in named
        for file in (xrays_in_folder(path, without=without) if kind_at(path) == "folder" else (path,))
    ]
