"""The data file that a detached header names, kept inside the header's own folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from ..errors import FileError


def confined_path(header: Path, name: str) -> Path:
    """The file `name` beside `header`.

    Raises:
        FileError: The name is absolute, climbs out with "..", leads out through a link, or no such file exists.
    """
    climbs = ".." in PurePosixPath(name).parts or ".." in PureWindowsPath(name).parts
    absolute = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor != ""
    if climbs or absolute or not name or "\0" in name:
        raise FileError(
            f"{header} must name a data file inside its own folder, it names {name!r}; move the data beside the header."
        )
    folder = header.resolve().parent
    target = (folder / name).resolve()
    if not target.is_relative_to(folder):
        raise FileError(
            f"{header} must name a data file inside its own folder, {name!r} links to a file outside; copy it there."
        )
    try:
        found = target.is_file()
    except OSError:  # longer than a name may be
        found = False
    if not found:
        raise FileError(
            f"{header} names the data file {name!r:.200}, which is not in its folder; put both side by side."
        )
    return target
