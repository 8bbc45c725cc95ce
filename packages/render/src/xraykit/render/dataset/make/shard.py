"""One tar file of samples: the same members give the same bytes, and the file is there whole or not at all."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...errors import InputError
from ...storage.atomic_write import write_atomically

Member = tuple[str, bytes]


@dataclass(frozen=True)
class ShardFile:
    """What was written: SHA-256 of the file [hex], its size [bytes], and how many samples it holds."""

    sha256: str
    bytes: int
    samples: int


def write_shard(path: str | Path, members: Iterable[Member]) -> ShardFile:
    """Write members as a POSIX ustar archive with nothing in its headers but names and sizes.

    Times, owners and modes are constants (0, 0, 0644). Members arrive in the order in which they shall stand, all of
    one key (the name up to its first dot) together and keys ascending, so that the archive can be read as a stream.
    The file carries a hidden temporary name until it is complete and on the disk.

    Args:
        path: Where to; an older file is replaced.
        members: (name, content); consumed one by one.

    Raises:
        InputError: Names out of order, or not plain file names.
        OutputError: The disk refused; nothing is left.
    """
    written: list[ShardFile] = []
    write_atomically(path, lambda file: written.append(_write(file, members)))
    return written[0]


class _Hashed(io.RawIOBase):
    """Counts and hashes what goes through to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self.digest.update(content)
        self.size += len(content)
        return self.file.write(content)


def _write(file: BinaryIO, members: Iterable[Member]) -> ShardFile:
    hashed, keys, last = _Hashed(file), 0, ("", "")
    with tarfile.open(fileobj=hashed, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            key, dot, rest = name.partition(".")
            if not (key and dot and rest) or "/" in name or (key, rest) <= last:
                raise InputError(f"members must be named KEY.ext in ascending order, got {name!r} after {last}.")
            keys += key != last[0]
            last = (key, rest)
            header = tarfile.TarInfo(name)
            header.size, header.mode = len(content), 0o644
            archive.addfile(header, io.BytesIO(content))
    return ShardFile(hashed.digest.hexdigest(), hashed.size, keys)
