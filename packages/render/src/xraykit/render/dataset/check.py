"""Whether a data set is whole: manifest against files, archives against their format, samples against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cpu_type import several_cpu_types
from ..errors import FileError
from .format.manifest import Manifest, ShardRecord
from .read.shards import check_shard, checked_manifest
from .read.store import ShardStore
from .read.tar import raw_samples
from .read.xray_sample import IMAGE, LINES, MASKS, RECORD, TISSUE, XraySample, decode_sample


@dataclass(frozen=True)
class DatasetCheck:
    """What a check found.

    Args:
        shards: Shards in the manifest.
        samples: Samples that could be decoded.
        bytes: Size of the shards that the manifest tells.
        problems: One sentence each; empty if the data set is whole.
        warnings: What a whole data set may say and its reader should know: shards of several types of CPU.
    """

    shards: int
    samples: int
    bytes: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def check_dataset(
    address: str | Path,
    *,
    storage_options: Mapping[str, Any] | None = None,
    report: Callable[[int, int], None] | None = None,
) -> DatasetCheck:
    """Read a data set from end to end and say everything that is wrong with it; nothing is changed or unpacked.

    Checked are the manifest, the size and SHA-256 of every shard, that each is an archive of plain files whose names
    are no paths, complete to its end, with samples that decode; and over all of them, that no key or shard comes
    twice, that samples are of the split and patients that the manifest says, and that no patient is in two splits.

    Args:
        address: Folder, or fsspec address.
        storage_options: For fsspec.
        report: Told (shards checked, shards in all).

    Raises:
        BackendUnavailableError: fsspec or its plugin is missing.
    """
    store = ShardStore(str(address), dict(storage_options or {}))
    try:
        manifest = checked_manifest(store)
    except FileError as error:
        return DatasetCheck(0, 0, 0, (str(error),))
    problems, keys = [*_listing(store, manifest), *_twice(manifest), *_leaks(manifest)], {}
    for number, shard in enumerate(manifest.shards):
        if report is not None:
            report(number, len(manifest.shards))
        problems += dict.fromkeys(_shard(store, shard, keys))
    if report is not None:
        report(len(manifest.shards), len(manifest.shards))
    size = sum(shard.bytes for shard in manifest.shards)
    mixed = several_cpu_types(shard.cpu_type for shard in manifest.shards)
    return DatasetCheck(len(manifest.shards), len(keys), size, tuple(problems), (mixed,) if mixed else ())


def _listing(store: ShardStore, manifest: Manifest) -> Iterator[str]:
    if not manifest.complete:
        yield f"{store.address}: the manifest says that the job has not finished; run it again with --resume."
    known = {shard.name for shard in manifest.shards}
    for name in store.names():
        if name.endswith(".tar") and not name.startswith(".") and name not in known:
            yield f"{store.address}/{name} is not in the manifest; delete it, or finish the job with --resume."


def _twice(manifest: Manifest) -> Iterator[str]:
    first: dict[str, str] = {}
    for shard in manifest.shards:
        if shard.samples and shard.sha256 in first:
            yield f"{shard.name} is the same file as {first[shard.sha256]}, so its samples come twice; make it again."
        first.setdefault(shard.sha256, shard.name)


def _leaks(manifest: Manifest) -> Iterator[str]:
    split: dict[int, str] = {}
    for shard in manifest.shards:
        for patient in shard.patients:
            if split.setdefault(patient, shard.split) != shard.split:
                yield (
                    f"patient {patient} must be in one split, the manifest has it in {split[patient]} and in "
                    f"{shard.split}; tests on it would be too good."
                )


def _shard(store: ShardStore, shard: ShardRecord, keys: dict[str, str]) -> Iterator[str]:
    """What is wrong with one shard; `keys` gathers {key: shard} over all of them."""
    where, count = f"{store.address}/{shard.name}", 0
    try:
        check_shard(store, shard)
    except FileError as error:
        yield str(error)
    try:
        with store.open(shard.name) as (file, size):
            for raw in raw_samples(file, size, where=where):
                count += 1
                if keys.setdefault(raw.key, shard.name) != shard.name:
                    yield f"{where} must hold samples of its own, {raw.key} is in {keys[raw.key]} as well."
                unknown = sorted(set(raw.members) - {RECORD, IMAGE, MASKS, LINES, TISSUE})
                missing = sorted({RECORD, IMAGE, MASKS} - set(raw.members))
                if unknown or missing:
                    yield f"{where}: {raw.key} has members too many ({unknown}) or too few ({missing})."
                yield from _sample(decode_sample(raw, where=where), shard, where)
    except FileError as error:
        yield str(error)
        return
    if count != shard.samples:
        yield f"{where} must hold the {shard.samples} samples of the manifest, got {count}; make it again."


def _sample(sample: XraySample, shard: ShardRecord, where: str) -> Iterator[str]:
    """What is wrong with one sample, decoded in full."""
    if sample.split != shard.split or sample.patient not in shard.patients:
        yield (
            f"{where}: {sample.key} says patient {sample.patient} of split {sample.split!r}, which the manifest does "
            "not have in this shard; make it again."
        )
    if ("tissue" in sample.record) != (sample.tissue_text is not None):
        yield f"{where}: {sample.key} must have {TISSUE} and its entry in the record, or neither; make it again."
    elif sample.tissue_text is not None:
        _ = sample.tissue
    boxes, areas = sample.boxes, sample.areas
    if sample.mask_text is not None:
        masks = sample.masks
        wrong = [name for name, area, mask in zip(sample.names, areas, masks, strict=True) if int(mask.sum()) != area]
        if wrong:
            yield f"{where}: {sample.key} tells other areas than its masks have for {', '.join(wrong[:5])}."
    if not bool((boxes[:, 2:] >= boxes[:, :2]).all()):
        yield f"{where}: {sample.key} has a box of negative size."
    _ = sample.camera, sample.pose, sample.landmarks, sample.log_attenuation()  # decoding them is the check
