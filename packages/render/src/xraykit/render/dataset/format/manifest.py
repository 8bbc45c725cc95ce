"""manifest.json: what a data set consists of, shard by shard; and the receipt that each finished shard leaves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...cpu_type import UNKNOWN
from ...errors import FileError
from ...storage.atomic_write import write_atomically
from ...storage.json_object import read_json_object
from ..plan.plan import FORMAT

MANIFEST, RECEIPTS = "manifest.json", "log/receipts"
_LIMIT = 1 << 30


@dataclass(frozen=True)
class Skipped:
    """A patient that was left out, and why."""

    patient: int
    reason: str


@dataclass(frozen=True)
class AsRead:
    """What was assumed of a patient's file, and what is doubtful about it, one sentence each."""

    patient: int
    assumptions: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShardRecord:
    """A finished shard.

    Args:
        name: Its file.
        split: Of all its samples.
        sha256: Of the file [hex].
        bytes: Size of the file.
        samples: How many it holds.
        patients: Those in it.
        skipped: Those left out of it.
        cpu_type: Of the process that made it, see `cpu_type.cpu_type`; its bytes are promised on that type alone.
        as_read: Patients whose files made assumptions necessary, or doubts.
    """

    name: str
    split: str
    sha256: str
    bytes: int
    samples: int
    patients: tuple[int, ...]
    skipped: tuple[Skipped, ...] = ()
    cpu_type: str = UNKNOWN
    as_read: tuple[AsRead, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What manifest.json says.

    Args:
        config_sha256: See `DatasetPlan`.
        versions: Programs that made it.
        complete: Whether every planned shard is there.
        shards: The finished ones, in the order of the plan.
    """

    config_sha256: str
    versions: Mapping[str, str]
    complete: bool
    shards: tuple[ShardRecord, ...]


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write manifest.json, whole or not at all.

    Raises:
        OutputError: The disk refused.
    """
    return _write_json(folder / MANIFEST, {"format": FORMAT, **asdict(manifest)})


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, None where there is none.

    Raises:
        FileError: It is no manifest of this format.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    content = read_json_object(path, what="a manifest", most_bytes=_LIMIT)
    try:
        if content["format"] != FORMAT:
            raise FileError(f"{path} must be of format {FORMAT}, got {content['format']!r}.")
        shards = tuple(_record(entry) for entry in content["shards"])
        return Manifest(content["config_sha256"], content["versions"], content["complete"], shards)
    except (KeyError, TypeError) as error:
        raise FileError(f"{path} must be the manifest of a data set, got a file without {error}.") from error


def write_receipt(folder: Path, config_sha256: str, versions: Mapping[str, str], record: ShardRecord) -> Path:
    """Note beside the shards that one of them is finished; parallel jobs need no common file for that.

    Raises:
        OutputError: The disk refused.
    """
    content = {"config_sha256": config_sha256, "versions": dict(versions), "shard": asdict(record)}
    return _write_json(folder / RECEIPTS / f"{record.name}.json", content)


def read_receipts(folder: Path, config_sha256: str, versions: Mapping[str, str]) -> Iterable[ShardRecord]:
    """The shards that receipts call finished, for this configuration and made by these programs.

    Raises:
        FileError: A receipt is damaged.
    """
    for path in sorted((folder / RECEIPTS).glob("*.json")):
        content = read_json_object(path, what="a receipt", most_bytes=_LIMIT)
        try:
            if content["config_sha256"] == config_sha256 and content["versions"] == dict(versions):
                yield _record(content["shard"])
        except (KeyError, TypeError) as error:
            raise FileError(f"{path} must be the receipt of a shard, got a file without {error}; delete it.") from error


def _record(content: Mapping[str, Any]) -> ShardRecord:
    skipped = tuple(Skipped(**entry) for entry in content["skipped"])
    as_read = tuple(
        AsRead(entry["patient"], tuple(entry["assumptions"]), tuple(entry["doubts"]))
        for entry in content.get("as_read", ())
    )
    return ShardRecord(**{**content, "patients": tuple(content["patients"]), "skipped": skipped, "as_read": as_read})


def _write_json(path: Path, content: object) -> Path:
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return write_atomically(path, lambda file: file.write(text.encode()))
