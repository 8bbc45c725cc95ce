"""The list of a data set's shards, read from any place without trusting it, and shards held against it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from ...cpu_type import UNKNOWN
from ...errors import FileError, InputError
from ...storage.brief import brief
from ...storage.json_object import parse_json_object
from ..format.manifest import MANIFEST, AsRead, Manifest, ShardRecord, Skipped
from ..plan.plan import FORMAT
from .store import ShardStore

_LIMIT = 1 << 28
MANY = 1 << 22
"""A list of more samples is believed only where the shards have the bytes that it says: order takes memory for each."""
_SHARD = re.compile(r"([a-z0-9_]{1,40})-\d{6}\.tar")
_CPU_TYPE = re.compile(r"[A-Za-z0-9_ ,.+-]{1,200}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def checked_manifest(store: ShardStore) -> Manifest:
    """Read and check manifest.json; the shards themselves are not looked at, unless it lists more than `MANY` samples.

    Raises:
        FileError: It is missing, no JSON, of another format, or says something impossible.
    """
    with store.open(MANIFEST) as (file, size):
        if size > _LIMIT:
            raise FileError(f"{store.address}/{MANIFEST} must be under 256 MiB, got {size} bytes.")
        text = file.read(_LIMIT)
    where = f"{store.address}/{MANIFEST}"
    content = parse_json_object(text, place=where)
    if content.get("format") != FORMAT:
        came = str(content.get("format"))[:80]
        raise FileError(f'{where} must say "format": "{FORMAT}", got {came!r}; read it with its own version.')
    shards = tuple(_entry(where, entry) for entry in _expect(where, content, "shards", list))
    names = set()
    for shard in shards:
        if shard.name in names:
            raise FileError(f"{where} must list every shard once, it lists {shard.name} again; make it again.")
        names.add(shard.name)
    if sum(shard.samples for shard in shards) > MANY:
        for shard in shards:
            with store.open(shard.name) as (_, size):
                check_size(store, shard, size)
    return Manifest(
        config_sha256=_expect(where, content, "config_sha256", str),
        versions=_expect(where, content, "versions", dict),
        complete=_expect(where, content, "complete", bool),
        shards=shards,
    )


def shards_of(manifest: Manifest, split: str | None) -> tuple[ShardRecord, ...]:
    """The shards of one split, or (None) all.

    Raises:
        InputError: There is no such split.
    """
    splits = dict.fromkeys(shard.split for shard in manifest.shards)
    if split is not None and split not in splits:
        raise InputError(f"split must be one of {', '.join(splits) or 'none'}, got {split!r}.")
    return tuple(shard for shard in manifest.shards if split in (None, shard.split))


def check_shard(store: ShardStore, entry: ShardRecord) -> None:
    """Compare a shard with what the manifest says of it.

    Raises:
        FileError: It is missing, or has another size or SHA-256.
    """
    digest = hashlib.sha256()
    with store.open(entry.name) as (file, size):
        check_size(store, entry, size)
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != entry.sha256:
        raise FileError(
            f"{store.address}/{entry.name} must have the SHA-256 {entry.sha256[:16]}... of the manifest, got "
            f"{digest.hexdigest()[:16]}...; copy it again, or delete it and resume the job."
        )


def whole_shards(
    store: ShardStore, shards: Sequence[ShardRecord]
) -> tuple[tuple[ShardRecord, ...], tuple[tuple[str, str], ...]]:
    """The shards that are as the manifest says, and name and sentence of each that is not; all are read once.

    Raises:
        FileError: None of them is whole.
    """
    whole, damaged = [], []
    for shard in shards:
        try:
            check_shard(store, shard)
            whole.append(shard)
        except FileError as error:
            damaged.append((shard.name, str(error)))
    if damaged and not whole:
        raise FileError(f"none of {len(damaged)} shards is whole; the first: {damaged[0][1]}")
    return tuple(whole), tuple(damaged)


def check_size(store: ShardStore, entry: ShardRecord, size: int) -> None:
    """Raise FileError unless the shard has the manifest's size."""
    if size != entry.bytes:
        raise FileError(
            f"{store.address}/{entry.name} must have the {entry.bytes} bytes of the manifest, got {size}; "
            "copy it again, or delete it and resume the job."
        )


def _entry(where: str, entry: Any) -> ShardRecord:
    if not isinstance(entry, dict):
        raise FileError(f"{where}: every shard must be an object, got {type(entry).__name__}.")
    name, split = _expect(where, entry, "name", str), _expect(where, entry, "split", str)
    match = _SHARD.fullmatch(name)
    if match is None or match[1] != split:
        raise FileError(f"{where}: a shard of split {split!r} must be named {split}-000000.tar, got {name[:80]!r}.")
    sha256 = _expect(where, entry, "sha256", str)
    if not _SHA256.fullmatch(sha256):
        raise FileError(f"{where}: the SHA-256 of {name} must be 64 hexadecimal digits, got {sha256[:80]!r}.")
    patients = _expect(where, entry, "patients", list)
    skipped = entry.get("skipped", [])
    if not all(type(patient) is int for patient in patients):
        raise FileError(f"{where}: the patients of {name} must be whole numbers, got {str(patients)[:80]}.")
    if not isinstance(skipped, list) or not all(isinstance(one, dict) and len(one) == 2 for one in skipped):
        raise FileError(f"{where}: what {name} skipped must be a list of patients with reasons.")
    size, samples = _expect(where, entry, "bytes", int), _expect(where, entry, "samples", int)
    if size < 0 or not 0 <= samples <= size // 512:
        raise FileError(f"{where}: {name} cannot hold {samples} samples in {size} bytes; make the manifest again.")
    reasons = tuple(Skipped(_expect(where, one, "patient", int), _expect(where, one, "reason", str)) for one in skipped)
    cpu_type = _expect(where, {"cpu_type": UNKNOWN, **entry}, "cpu_type", str)
    if not _CPU_TYPE.fullmatch(cpu_type):
        raise FileError(f"{where}: the cpu_type of {name} must be a short line of plain words, got {cpu_type[:80]!r}.")
    as_read = _as_read(f"{where}: {name}", entry.get("as_read", []))
    return ShardRecord(name, split, sha256, size, samples, tuple(patients), reasons, cpu_type, as_read)


def _as_read(where: str, entries: Any) -> tuple[AsRead, ...]:
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise FileError(f"{where} must say in a list of patients how their files were read.")
    found = []
    for one in entries:
        said = [
            [brief(line, limit=300) for line in _expect(where, one, key, list)] for key in ("assumptions", "doubts")
        ]
        found.append(AsRead(_expect(where, one, "patient", int), *map(tuple, said)))
    return tuple(found)


def _expect(where: str, content: dict[str, Any], key: str, kind: type) -> Any:
    value = content.get(key)
    if type(value) is not kind:
        raise FileError(f"{where}: {key} must be of type {kind.__name__}, got {str(value)[:80]!r}; make it again.")
    return value
