"""Shards of prepared frames while they are made: each appears whole, and an interrupted job goes on after the last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from xraykit.render import FileError, InputError
from xraykit.render.storage import read_json_object, write_atomically

from .frame_codes import CodedFrame
from .frame_pool import DamagedXray
from .frames import FORMAT, INDEX, MOST_BYTES, NUMBERS, SHARDS, shard_path

FrameRow = tuple[str, dict[str, str], tuple[str, ...], CodedFrame]
"""Name, labels, notes and codes of a frame."""
ROWS = ".json"


def write_shard(folder: Path, digest: str, number: int, rows: Iterable[FrameRow | DamagedXray]) -> None:
    """Write the codes of a shard's frames as they come, and then what is known of each.

    Raises:
        OutputError: The disk refuses. Also what the rows raise; nothing of the shard is left then.
    """
    path, known = shard_path(folder, digest, number), _Rows()
    write_atomically(path, lambda file: known.fill(file, rows))
    text = json.dumps(vars(known)).encode()
    write_atomically(path.with_suffix(ROWS), lambda file: file.write(text))


def is_whole(folder: Path, digest: str, number: int) -> bool:
    """Whether a shard was written to its end."""
    path = shard_path(folder, digest, number)
    return path.with_suffix(ROWS).is_file() and path.is_file()


def finish_store(folder: Path, digest: str, shards: int, *, longest: int) -> None:
    """Write the index of all shards, and remove what belongs to none of them.

    Raises:
        FileError: A shard is gone or damaged. InputError: There are no frames. OutputError: The disk refuses.
    """
    known, counts = _Rows(), []
    for number in range(shards):
        path = shard_path(folder, digest, number).with_suffix(ROWS)
        part = read_json_object(path, what="a part of an index of frames", most_bytes=MOST_BYTES)
        try:
            counts.append(known.extend(part))
        except (KeyError, TypeError) as error:
            raise FileError(f"{path} must say what frames there are, got damage ({error!r}); remove it.") from error
    if not known.frames["name"]:
        damaged = known.damaged
        raise InputError(f"at least one X-ray must be readable, all {len(damaged)} are not: {damaged[0][1]}")
    full = [(number, count) for number, count in enumerate(counts) if count]
    index = {"format": FORMAT, "digest": digest, "longest": longest, "shards": full, **vars(known)}
    text = json.dumps(index).encode()
    write_atomically(folder / INDEX, lambda file: file.write(text))
    kept = {shard_path(folder, digest, number) for number, _ in full}
    for path in folder.glob(SHARDS):
        if path not in kept:
            path.unlink(missing_ok=True)


class _Rows:
    """What an index says of frames."""

    def __init__(self) -> None:
        self.frames: dict[str, list[Any]] = {key: [] for key in ("name", "labels", "size", *NUMBERS)}
        self.notes: dict[str, int] = {}
        self.damaged: list[tuple[str, str]] = []

    def fill(self, file: BinaryIO, rows: Iterable[FrameRow | DamagedXray]) -> None:
        """Write codes one after another, and remember the rest."""
        for row in rows:
            if isinstance(row, DamagedXray):
                self.damaged.append((row.name, row.sentence))
                continue
            name, labels, notes, coded = row
            file.write(coded.codes.astype("<u2").tobytes())
            facts = {"name": name, "labels": labels, "size": list(coded.codes.shape)}
            for key, value in (facts | {key: getattr(coded, key) for key in NUMBERS}).items():
                self.frames[key].append(value)
            self._count(dict.fromkeys(notes, 1))

    def extend(self, part: Mapping[str, Any]) -> int:
        """Take in what a file says; the number of its frames."""
        for key, values in self.frames.items():
            values += part["frames"][key]
        self._count(part["notes"])
        self.damaged += part["damaged"]
        return len(part["frames"]["name"])

    def _count(self, notes: Mapping[str, int]) -> None:
        for note, count in notes.items():
            self.notes[note] = self.notes.get(note, 0) + count
