"""The members of a shard, one sample after another: plain files of a POSIX tar archive, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import BinaryIO, NamedTuple

from ...errors import FileError

BLOCK = 512
_NAME = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_.-]+)")
_OCTAL = re.compile(rb" *([0-7]+)[ \0]*")
_KINDS = {b"1": "a link", b"2": "a link", b"3": "a device", b"4": "a device", b"5": "a folder", b"6": "a pipe"}


class RawSample(NamedTuple):
    """The undecoded members of one sample: its place in the shard, its key, and {extension: content}."""

    index: int
    key: str
    members: dict[str, bytes]


def raw_samples(
    file: BinaryIO,
    size: int,
    *,
    where: str,
    wanted: Collection[int] | None = None,
    extensions: Collection[str] | None = None,
) -> Iterator[RawSample]:
    """Walk through a shard from its beginning.

    Nothing is ever unpacked to a disk, and no memory is taken before the file is known to be long enough for it.

    Args:
        file: The shard, which can seek.
        size: Its length [bytes].
        where: Its name, for messages.
        wanted: Which samples, by place; the others are skipped over, and reading ends with the last. None: all.
        extensions: Which members of them. None: all.

    Raises:
        FileError: A member that is not a plain file, whose name is a path, or that the file is too short for; samples
            that are not in ascending order of their keys, each once; an archive without its end.
    """
    last = None if wanted is None else max(wanted, default=-1)
    index, key, extension, members = -1, "", "", {}
    for name, length, place in _headers(file, size, where):
        found, found_extension = _parts(name, where)
        if found != key:
            if index >= 0 and (wanted is None or index in wanted):
                yield RawSample(index, key, members)
            if index == last:
                return
            _check_order(found, key, where)
            index, key, extension, members = index + 1, found, "", {}
        if found_extension <= extension:
            raise FileError(f"{where} must hold the members of a sample once and in order, {name} comes again or late.")
        extension = found_extension
        if (wanted is None or index in wanted) and (extensions is None or extension in extensions):
            file.seek(place)
            members[extension] = file.read(length)
    if index >= 0 and (wanted is None or index in wanted):
        yield RawSample(index, key, members)
    if last is not None and index < last:
        raise FileError(
            f"{where} must hold more than {last} samples, as the manifest says, got {index + 1}; make it again."
        )


def _headers(file: BinaryIO, size: int, where: str) -> Iterator[tuple[str, int, int]]:
    """Name, length and place of every member; the file may be moved about in between."""
    place, name = 0, "its beginning"
    while place + BLOCK <= size:
        file.seek(place)
        block = file.read(BLOCK)
        if block == bytes(BLOCK):
            return
        name, length = _header(block, where)
        place += BLOCK
        if length > size - place:
            raise FileError(f"{where} ends inside its member {name}: it was cut off; copy it again or make it again.")
        yield name, length, place
        place += -(-length // BLOCK) * BLOCK
    raise FileError(f"{where} ends after {name} without the mark of an archive's end: it was cut off; make it again.")


def _header(block: bytes, where: str) -> tuple[str, int]:
    if block[257:263] != b"ustar\0":
        raise FileError(f"{where} must be a POSIX tar archive (ustar), got something else; make it again.")
    stated, length = _OCTAL.fullmatch(block[148:156]), _OCTAL.fullmatch(block[124:136])
    if stated is None or length is None or int(stated[1], 8) != sum(block) - sum(block[148:156]) + 256:
        raise FileError(f"{where} has a header with a wrong checksum: it is damaged; copy it again or make it again.")
    name = (block[345:500].rstrip(b"\0") + b"/" if block[345] else b"") + block[:100].rstrip(b"\0")
    shown = name.decode("ascii", errors="backslashreplace")
    kind = block[156:157]
    if kind not in (b"0", b"\0"):
        raise FileError(
            f"{where} must hold plain files only, its member {shown!r} is {_KINDS.get(kind, 'of another kind')}; "
            "do not use this file."
        )
    return shown, int(length[1], 8)


def _parts(name: str, where: str) -> tuple[str, str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise FileError(
            f"{where} must hold members named KEY.extension, got {name[:120]!r}, which is a path or no plain name; "
            "do not use this file."
        )
    return match[1], match[2]


def _check_order(found: str, key: str, where: str) -> None:
    if found <= key:
        raise FileError(f"{where} must hold every key once and in ascending order, {found} comes after {key}.")
