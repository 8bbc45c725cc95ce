"""Matrices of pairs in tar shards beside the images: written whole or not at all, read back without trusting them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from xraykit.render import FileError
from xraykit.render.storage import parse_json_object, write_atomically

from ..ground_truth.packed import pack_matrix, unpack_matrix

MATRIX, RECORD = "matrix.bin", "json"
MOST_RECORD, MOST_GRID = 1 << 16, 128
Storage = Literal["bits", "uint8"]
"""How matrices are stored: one bit for each entry (more than one half), or its 255ths."""
_NAME = re.compile(r"([A-Za-z0-9_-]+)\.(json|matrix\.bin)")


class PairEntry(NamedTuple):
    """A pair in a shard: its key, and where its members lie, as (offset, length) [bytes]."""

    key: str
    record: tuple[int, int]
    matrix: tuple[int, int]


@dataclass(frozen=True)
class PairShardRecord:
    """A finished shard of pairs: its file, split, SHA-256 [hex], size [bytes], and how many pairs it holds."""

    name: str
    split: str
    sha256: str
    bytes: int
    pairs: int


def matrix_bytes(matrix: Tensor, storage: Storage) -> bytes:
    """A matrix (L, L) in [0, 1] as zlib of its bits or bytes."""
    bits = storage == "bits"
    packed = pack_matrix((matrix > 0.5).to(matrix.dtype) if bits else matrix, bits=bits)
    return zlib.compress(packed.numpy().tobytes(), 6)


def decode_matrix(content: bytes, grid: int, storage: str, name: str) -> Tensor:
    """The matrix (L, L) float32 of `matrix_bytes`.

    Raises:
        FileError: The content is no matrix of this grid and storage; no memory is taken before that is known.
    """
    if type(grid) is not int or not 1 <= grid <= MOST_GRID or storage not in ("bits", "uint8"):
        raise FileError(f"{name} must have a grid of 1 to {MOST_GRID} and bits or uint8, got {grid!r}, {storage!r}.")
    patches, bits = grid**2, storage == "bits"
    width = -(-patches // 8) if bits else patches
    unpacker = zlib.decompressobj()
    try:
        packed = unpacker.decompress(content, patches * width + 1)
    except zlib.error as error:
        raise FileError(f"{name} must be packed by zlib, got something else ({error}); make it again.") from error
    if len(packed) != patches * width or not unpacker.eof:
        raise FileError(f"{name} must hold a matrix of {patches} x {patches}, got another size; make it again.")
    values = np.frombuffer(packed, dtype=np.uint8).reshape(patches, width).copy()
    return unpack_matrix(torch.from_numpy(values), bits=bits)


def write_pair_shard(path: Path, split: str, pairs: Iterable[tuple[str, dict[str, Any], bytes]]) -> PairShardRecord:
    """Write (key, record, matrix) in ascending order of keys as a tar file.

    Raises:
        OutputError: The disk refused; nothing is left.
    """
    counted, content = 0, io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for key, record, matrix in pairs:
            text = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
            for extension, member in ((RECORD, text), (MATRIX, matrix)):
                header = tarfile.TarInfo(f"{key}.{extension}")
                header.size, header.mode = len(member), 0o644
                archive.addfile(header, io.BytesIO(member))
            counted += 1
    write_atomically(path, lambda file: file.write(content.getbuffer()))
    digest = hashlib.sha256(content.getbuffer()).hexdigest()
    return PairShardRecord(path.name, split, digest, len(content.getbuffer()), counted)


def shard_entries(path: Path) -> Iterator[PairEntry]:
    """The pairs of a shard.

    Raises:
        FileError: The file is missing, no tar archive, or holds other members.
    """
    found: dict[str, dict[str, tuple[int, int]]] = {}
    try:
        with tarfile.open(path, mode="r:") as archive:
            for member in archive:
                match = _NAME.fullmatch(member.name)
                if match is None or not member.isreg():
                    raise FileError(f"{path} must hold pairs alone, got {member.name[:80]!r}; do not use this file.")
                found.setdefault(match[1], {})[match[2]] = member.offset_data, member.size
    except (OSError, tarfile.TarError) as error:
        raise FileError(f"{path} must be a shard of pairs, got: {error}; make it again.") from error
    for key, members in found.items():
        if set(members) != {RECORD, MATRIX} or members[RECORD][1] > MOST_RECORD:
            raise FileError(f"{path}: {key} must have a record and a matrix, got {sorted(members)}; make it again.")
        yield PairEntry(key, members[RECORD], members[MATRIX])


def read_pair(path: Path, entry: PairEntry) -> tuple[dict[str, Any], Tensor]:
    """Record and matrix of a pair.

    Raises:
        FileError: One of them is damaged.
    """
    name = f"{path}: {entry.key}"
    try:
        with path.open("rb") as file:
            parts = []
            for offset, length in (entry.record, entry.matrix):
                file.seek(offset)
                parts.append(file.read(length))
    except OSError as error:
        raise FileError(f"{path} could not be read ({error.strerror or error}).") from error
    record = parse_json_object(parts[0], place=f"{name}.{RECORD}")
    grid, storage = record.get("grid"), str(record.get("storage"))
    return record, decode_matrix(parts[1], grid, storage, f"{name}.{MATRIX}")  # type: ignore[arg-type]
