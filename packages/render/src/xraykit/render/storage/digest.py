"""SHA-256 of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import FileError


def file_sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, 64 hexadecimal digits.

    Raises:
        FileError: It cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"{path} must be a file that can be read, got {error.strerror or error}.") from error
