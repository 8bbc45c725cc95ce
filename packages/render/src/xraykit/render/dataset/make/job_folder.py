"""The folder of a data set in the making: begun once, found again later, swept of what a killed process left."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from ...errors import OutputError
from ...storage.atomic_write import write_atomically
from ...storage.digest import file_sha256
from ...storage.output_folder import make_folder
from ..format.manifest import MANIFEST, RECEIPTS, Manifest, ShardRecord, read_manifest, read_receipts, write_manifest
from ..plan.config import DatasetConfig
from ..plan.config_file import config_text, read_dataset_config
from ..plan.plan import DatasetPlan, make_plan
from .sample import program_versions

CONFIG = "config.yaml"


def begin(config: DatasetConfig, folder: Path, *, resume: bool) -> DatasetPlan:
    """Make the folder with its config.yaml, or make sure that it is the same configuration's.

    Raises:
        OutputError: The folder cannot be made, holds a data set already and `resume` is not set, or holds one of
            another configuration or of other versions of the programs.
        FileError: The configuration points to files that are not there.
    """
    plan = make_plan(config)
    make_folder(folder / RECEIPTS)
    manifest = read_manifest(folder)
    if manifest is not None or (folder / CONFIG).exists():
        if not resume:
            raise OutputError(f"{folder} holds a data set already; add --resume to go on, or choose another folder.")
        _check_same(plan, folder, manifest)
    text = config_text(config).encode()
    if not (folder / CONFIG).exists() or (folder / CONFIG).read_bytes() != text:
        write_atomically(folder / CONFIG, lambda file: file.write(text))
    if manifest is None:
        save(plan, folder, {})
    return plan


@lru_cache(maxsize=1)
def opened(folder: Path, config_sha256: str) -> DatasetPlan:
    """The plan that a folder's own config.yaml gives; a process that makes shards needs no more than the folder.

    Raises:
        OutputError: This machine sees other files than the one that began: the plans differ.
    """
    plan = make_plan(read_dataset_config(folder / CONFIG))
    if plan.config_sha256 != config_sha256:
        raise OutputError(_differs(folder / CONFIG, plan.config_sha256, config_sha256))
    return plan


def finished(plan: DatasetPlan, folder: Path) -> dict[str, ShardRecord]:
    """The shards that are whole: manifest or receipt has them, and the file has the SHA-256 that it names."""
    manifest = read_manifest(folder)
    noted = [*(manifest.shards if manifest else ()), *read_receipts(folder, plan.config_sha256, program_versions())]
    records = {record.name: record for record in noted}
    planned = [records[shard.name] for shard in plan.shards if shard.name in records]
    return {record.name: record for record in planned if _is_whole(folder / record.name, record)}


def save(plan: DatasetPlan, folder: Path, records: dict[str, ShardRecord]) -> None:
    """Write the manifest as far as it goes."""
    shards = tuple(records[shard.name] for shard in plan.shards if shard.name in records)
    complete = len(shards) == len(plan.shards)
    write_manifest(folder, Manifest(plan.config_sha256, dict(program_versions()), complete, shards))


def sweep(folder: Path, names: Collection[str]) -> None:
    """Remove the temporary files of shards, their receipts and other files that nobody is writing any more."""
    known = {*names, *(f"{name}.json" for name in names)}
    for path in (*folder.glob(".*.part"), *(folder / RECEIPTS).glob(".*.part")):
        if path.name[1:].rsplit(".", 2)[0] in known:
            with contextlib.suppress(OSError):
                path.unlink()


def _check_same(plan: DatasetPlan, folder: Path, manifest: Manifest | None) -> None:
    if manifest is None:
        opened(folder, plan.config_sha256)
        return
    if manifest.config_sha256 != plan.config_sha256:
        raise OutputError(_differs(folder / MANIFEST, manifest.config_sha256, plan.config_sha256))
    if dict(manifest.versions) != dict(program_versions()):
        now = ", ".join(f"{name} {number}" for name, number in program_versions().items())
        then = ", ".join(f"{name} {number}" for name, number in manifest.versions.items())
        raise OutputError(
            f"{folder} was begun by other versions, whose bytes may differ: expected {then}, got {now}; use those, or "
            "choose another folder."
        )


def _differs(path: Path, there: str, wanted: str) -> str:
    return (
        f"{path} must belong to the same configuration, got config_sha256 {there} there and {wanted} wanted; choose "
        "another folder, or the configuration that began this one."
    )


def _is_whole(path: Path, record: ShardRecord) -> bool:
    if not path.is_file() or path.stat().st_size != record.bytes:
        return False
    return file_sha256(path) == record.sha256
