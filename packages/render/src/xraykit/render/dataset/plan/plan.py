"""From a configuration to the fixed list of shards: which patients there are, and which file each goes into."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import FileError, InputError
from ...files.tiff_stack import TIFF_SUFFIXES
from ...files.volumes import VOLUME_SUFFIXES
from ...patient.body.regions import REGIONS
from ...seeds import stream
from ...storage.brief import brief
from ...storage.named_place import kind_at
from ...storage.typed_settings import to_plain
from .config import CTPatients, DatasetConfig

FORMAT = "xraykit-dataset/1"
_JOINED_LATER = (
    (("patients", "procedural"), "findings", {}),
    (("patients", "ct"), "series", None),
    (("patients", "ct"), "modality", None),
    (("patients", "ct"), "resample_slices", False),
    (("patients", "ct"), "voxel_spacing", None),
    (("views",), "orbit", 0.0),
    (("views",), "in_turn", False),
    (("views",), "zoom", [1.0, 1.0]),
    (("image",), "tissue", 0),
)
"""(tables, key, value that changes nothing): left out of the digest at that value, so that older data sets go on."""


@dataclass(frozen=True)
class PatientPlan:
    """One patient: its number, and the region to generate or the files to read."""

    number: int
    region: str | None = None
    file: Path | None = None
    labels: Path | None = None


@dataclass(frozen=True)
class ShardPlan:
    """One unit of work: a file name, its split, and the patients whose images it holds."""

    name: str
    split: str
    patients: tuple[PatientPlan, ...]


@dataclass(frozen=True)
class DatasetPlan:
    """All of a data set that is known before an image is made.

    Args:
        config: The configuration.
        config_sha256: SHA-256 of everything in it that has a say in the bytes, and of the names and sizes of the files
            that it points to; where they are, and what happens to bad ones, is left out.
        shards: The shards in order.
    """

    config: DatasetConfig
    config_sha256: str
    shards: tuple[ShardPlan, ...]

    @property
    def images(self) -> int:
        """How many images there are if no patient is skipped."""
        return sum(len(shard.patients) for shard in self.shards) * self.config.views.per_patient


def make_plan(config: DatasetConfig) -> DatasetPlan:
    """The plan of a configuration; the same one gives the same plan, whoever asks.

    Raises:
        FileError: The folder of CTs holds none.
    """
    patients = [*_procedural(config), *_volumes(config)]
    shards: list[ShardPlan] = []
    each = max(1, config.images_per_shard // config.views.per_patient)
    for split, members in _split(patients, config).items():
        for index, first in enumerate(range(0, len(members), each)):
            shards.append(ShardPlan(f"{split}-{index:06d}.tar", split, tuple(members[first : first + each])))
    return DatasetPlan(config, _digest(config), tuple(shards))


def apportion(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers that add up to `total`, in proportion to weights (largest remainder method, ties in order)."""
    whole = sum(weights.values())
    exact = {name: total * weight / whole for name, weight in weights.items()}
    counts = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(weights, key=lambda name: counts[name] - exact[name])
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _procedural(config: DatasetConfig) -> Iterator[PatientPlan]:
    weights = config.patients.procedural.regions or dict.fromkeys(REGIONS, 1.0)
    counts = apportion(config.patients.procedural.count, weights)
    chosen = [region for region, count in counts.items() for _ in range(count)]
    order = stream(config.seed, "plan", 0).permutation(len(chosen))
    for number, index in enumerate(order):
        yield PatientPlan(number, region=chosen[index])


def _volumes(config: DatasetConfig) -> Iterator[PatientPlan]:
    for number, path in enumerate(_found(config.patients.ct), start=config.patients.procedural.count):
        yield PatientPlan(number, file=path, labels=_labels_of(path, config.patients.ct))


def _split(patients: Sequence[PatientPlan], config: DatasetConfig) -> dict[str, list[PatientPlan]]:
    order = stream(config.seed, "plan", 1).permutation(len(patients)).tolist()
    shared: dict[str, list[PatientPlan]] = {}
    for split, count in apportion(len(patients), config.split).items():
        members, order = order[:count], order[count:]
        shared[split] = [patients[index] for index in sorted(members)]
    return shared


def _found(ct: CTPatients) -> list[Path]:
    """The volumes of a folder, by name."""
    if ct.folder is None:
        return []
    folder = ct.folder
    try:
        found = sorted(folder.glob(ct.volumes), key=lambda path: path.relative_to(folder).as_posix())
    except (NotImplementedError, ValueError, OSError) as error:
        raise InputError(
            f"patients.ct.volumes must be a pattern of names inside the folder, such as '*/ct.nii.gz', got "
            f"{brief(ct.volumes)!r}: {brief(error)}."
        ) from error
    labels = {_labels_of(path, ct) for path in found}
    found = [path for path in found if path not in labels]
    if not found:
        raise FileError(f"patients.ct needs a volume that matches {ct.volumes!r}, got none in {folder}.")
    return found


def _labels_of(volume: Path, ct: CTPatients) -> Path | None:
    if ct.labels is None or ct.folder is None:
        return None
    suffixes = (*VOLUME_SUFFIXES, *TIFF_SUFFIXES)
    suffix = next((suffix for suffix in suffixes if volume.name.lower().endswith(suffix)), "")
    name = volume.name[: len(volume.name) - len(suffix)]
    parent = volume.parent.relative_to(ct.folder).as_posix()
    return ct.folder / ct.labels.replace("{name}", name).replace("{parent}", parent)


def _digest(config: DatasetConfig) -> str:
    record = to_plain(config)
    del record["on_error"]
    for table, key, neutral in _JOINED_LATER:
        place = record
        for part in table:
            place = place[part]
        if place[key] == neutral:
            del place[key]
    record["patients"]["ct"]["folder"] = None
    record["tools"]["library"] = None
    files: dict[str, Any] = {}
    if config.patients.ct.folder is not None:
        for path in _found(config.patients.ct):
            labels = _labels_of(path, config.patients.ct)
            name = path.relative_to(config.patients.ct.folder).as_posix()
            files[name] = [_size(path), None if labels is None else _size(labels)]
    if config.tools.library is not None:
        library = config.tools.library
        meshes = sorted(path for path in library.rglob("*") if path.is_file())
        files |= {f"tools/{path.relative_to(library).as_posix()}": _size(path) for path in meshes}
    content = {"format": FORMAT, "config": record, "files": files}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _size(path: Path) -> int | None:
    """Bytes of a file, or of all files in a folder; None where there is nothing."""
    kind = kind_at(path)
    if kind == "folder":
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return None if kind is None else path.stat().st_size
