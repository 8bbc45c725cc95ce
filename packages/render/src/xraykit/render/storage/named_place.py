"""What lies at a path that a person or a file named, whatever the name holds."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Literal

from ..errors import FileError

_NO_NAME = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


def from_home(path: Path) -> Path:
    """The path, with the user's home for a `~` at its start, as a shell has it; `~NAME` stays."""
    if path.parts[:1] != ("~",):
        return path
    try:
        return path.expanduser()
    except RuntimeError:  # nobody's home
        return path


def kind_at(path: str | Path) -> Literal["file", "folder"] | None:
    """Whether a path leads to a file or a folder, links followed; None: to neither, as a name does that none can have.

    Raises:
        FileError: The system does not let us see (no permission, a share that is gone).
    """
    try:
        mode = os.stat(path).st_mode
    except ValueError:  # NUL, or half a character
        return None
    except OSError as error:
        if error.errno in _NO_NAME:
            return None
        raise FileError(f"{path} must be readable, the system says: {error.strerror or error}.") from error
    return "folder" if stat.S_ISDIR(mode) else "file"
