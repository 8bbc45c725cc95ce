"""The data file that a detached header names, kept inside the header's own folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from ..errors import FileError

_STORES = ("/.git/annex/objects/", "/.dvc/cache/", "/files/md5/", "/blobs/")
"""Where programs that manage data keep the content that links stand for: git-annex, DVC, model and data hubs."""


def confined_path(header: Path, name: str) -> Path:
    """The file `name` beside `header`.

    Raises:
        FileError: The name is absolute, climbs out with "..", leads out through a link (unless into the store of a
            program that manages data), or no such file exists.
    """
    climbs = ".." in PurePosixPath(name).parts or ".." in PureWindowsPath(name).parts
    absolute = PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor != ""
    if climbs or absolute or not name or "\0" in name:
        raise FileError(
            f"{header} must name a data file inside its own folder, it names {name!r}; move the data beside the header."
        )
    folder = header.absolute().parent
    try:
        target = (folder / name).resolve()
    except UnicodeEncodeError as error:  # half of a character that takes two
        raise FileError(f"{header} must name a data file in legal text, it names {name!r:.200}; rename it.") from error
    inside = any(target.is_relative_to(place) for place in (folder.resolve(), header.resolve().parent))
    if not inside and not any(store in target.as_posix() for store in _STORES):
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
