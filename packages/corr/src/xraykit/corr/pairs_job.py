"""The job that makes X-rays of patients and, beside them, the correspondence of pairs of their views."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from xraykit.render import FileError, InputError, OutputError, XraykitError
from xraykit.render.dataset import DatasetConfig, make_dataset
from xraykit.render.interrupts import deaf_to_interrupts
from xraykit.render.seeds import item_stream
from xraykit.render.storage import make_folder, to_plain, write_atomically

from .data.pair_batches import true_matrices
from .data.pair_choice import allowed_pairs, relative_angles
from .data.pair_preparation import prepare_pairs
from .data.pair_shards import PairShardRecord, matrix_bytes, write_pair_shard
from .data.pair_store import PairStore
from .data.pairs_plan import StoredPairSettings
from .data.settings import PairSettings
from .data.stored_pairs import MANIFEST, PAIRS, PAIRS_FORMAT, PREPARED, read_manifest

IMAGES = "images"
FEW = 200  # pairs that are done before other processes have started
PairsTold = Callable[[str, int, int], None]
"""Called with what is being made ("images", "views", "pairs of patients"), how much is done, and how much there is."""


@dataclass(frozen=True)
class PairsSummary:
    """What a job has done: its folder, the finished shards, how many of them this call made, views left out.

    `left_out` has the name of each patient that could not be made and each shard of images that is damaged, with what
    is wrong.
    """

    folder: Path
    shards: tuple[PairShardRecord, ...]
    made: int
    damaged: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return sum(shard.pairs for shard in self.shards)


def make_pairs(
    config: DatasetConfig,
    settings: StoredPairSettings,
    folder: str | Path,
    *,
    workers: int = 1,
    resume: bool = False,
    report: PairsTold | None = None,
) -> PairsSummary:
    """Make a data set of X-rays in DIR/images and the correspondence of pairs of views in DIR/pairs.

    The data set is the core's own (`make_dataset`), so that a cluster may have made it there before; DIR/prepared is
    what trainings read. Each shard of pairs is there whole or not at all. Pairs are drawn from (config.seed, patient)
    alone, whatever the number of workers.

    Args:
        config: Of the data set, with `image.tissue`.
        settings: Of the pairs.
        folder: DIR; made if need be.
        workers: Processes.
        resume: Go on with a folder that holds a part of it.
        report: Told of progress.

    Raises:
        InputError: workers below 1, no tissue, or no patient with two views at such angles.
        OutputError: The folder cannot be written, holds another data set, or pairs of other settings.
        FileError: The data set is damaged.
    """
    if workers < 1:
        raise InputError(f"workers must be 1 or more, got {workers}.")
    if config.image.tissue == 0:
        raise InputError("image.tissue must be set for pairs, such as 64, got 0.")
    folder, told = Path(folder).absolute(), report or (lambda what, done, total: None)
    images = make_dataset(
        config, folder / IMAGES, workers=workers, resume=resume, report=lambda done, total: told("images", done, total)
    )
    store = prepare_pairs(
        [folder / IMAGES],
        folder / PREPARED,
        size=max(config.image.size),
        report=lambda done, total: told("views", done, total),
    )
    plan = _plan(store, settings)
    if not any(shard.patients for shard in plan):
        low, high = settings.angles
        raise InputError(f"pairs need a patient with two views {low:g} to {high:g} degrees apart, got none.")
    make_folder(folder / PAIRS)
    facts = {"seed": config.seed, "store": store.digest, "settings": to_plain(settings)}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    finished = _finished(folder, digest, plan)
    waiting = [shard for shard in plan if shard.name not in finished]
    total = sum(len(shard.patients) for shard in plan)
    done = total - sum(len(shard.patients) for shard in waiting)
    told("patients", done, total)
    for shard, record in _made(folder, config.seed, settings, waiting, workers):
        finished[shard.name] = record
        _save(folder, digest, settings, plan, finished)
        done += len(shard.patients)
        told("patients", done, total)
    _save(folder, digest, settings, plan, finished)
    records = tuple(finished[shard.name] for shard in plan)
    skipped = [(f"patient {one.patient}", one.reason) for shard in images.shards for one in shard.skipped]
    return PairsSummary(folder, records, len(waiting), tuple(store.damaged), (*skipped, *store.left_out))


class _PairShard(NamedTuple):
    """A file to make: its name, its split, and the numbers of its patients."""

    name: str
    split: str
    patients: tuple[int, ...]


def _plan(store: PairStore, settings: StoredPairSettings) -> list[_PairShard]:
    plan = []
    for split in sorted({label["split"] for label in store.labels}):
        patients = [n for n in store.patients_of(split) if len(allowed_pairs(store, n, settings.angles))]
        for index, first in enumerate(range(0, len(patients), settings.patients_per_shard)):
            part = tuple(patients[first : first + settings.patients_per_shard])
            plan.append(_PairShard(f"{split}-{index:06d}.tar", split, part))
    return plan


def _made(
    folder: Path, seed: int, settings: StoredPairSettings, shards: list[_PairShard], workers: int
) -> Iterator[tuple[_PairShard, PairShardRecord]]:
    """The records of shards as they are finished."""
    most = sum(len(shard.patients) for shard in shards) * settings.per_patient
    if workers == 1 or len(shards) < 2 or most < FEW:
        yield from ((shard, make_pair_shard(folder, seed, settings, shard)) for shard in shards)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(shards)), mp_context=context, initializer=_begin) as pool:
        with deaf_to_interrupts():
            waiting = {pool.submit(make_pair_shard, folder, seed, settings, shard): shard for shard in shards}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BrokenProcessPool as error:
            raise XraykitError("a worker was killed, for want of memory perhaps; use fewer workers.") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def make_pair_shard(folder: Path, seed: int, settings: StoredPairSettings, shard: _PairShard) -> PairShardRecord:
    """Compute and write one shard."""
    store = _opened(folder / PREPARED)
    rows = (row for patient in shard.patients for row in _pairs(store, patient, seed, settings, shard.split))
    return write_pair_shard(folder / PAIRS / shard.name, shard.split, rows)


def _pairs(
    store: PairStore, patient: int, seed: int, settings: StoredPairSettings, split: str
) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """Key, record and matrix of the pairs of one patient."""
    known = allowed_pairs(store, patient, settings.angles)
    chosen = item_stream(seed, 0, patient, purpose=4).permutation(len(known))[: settings.per_patient]
    truth = PairSettings(size=settings.grid, grid=settings.grid, mode=settings.mode, tissue=settings.tissue)
    for first, second in known[sorted(chosen.tolist())].tolist():
        projections = store.projections[[first, second]]
        shown = torch.stack([_shown(store, view, settings.grid) for view in (first, second)])
        matrix = true_matrices(store, truth, patient, projections, shown)[0]
        names = [store.names[first], store.names[second]]
        key = f"{patient:06d}_{first:06d}_{second:06d}"
        record = {
            "key": key,
            "split": split,
            "patient": store.patients[patient],
            "views": names,
            "mode": settings.mode,
            "grid": settings.grid,
            "tissue": settings.tissue,
            "storage": settings.storage,
            "projections": projections.tolist(),
            "relative_angle": round(float(relative_angles(projections)[0, 1]), 3),
            "density": round(float((matrix > 0).float().mean()), 6),
        }
        yield key, record, matrix_bytes(matrix, settings.storage)


def _shown(store: PairStore, view: int, grid: int) -> torch.Tensor:
    """Which patches of a stored view show the X-ray, (L,) bool."""
    inside = store.lines(view)[1]
    if inside is None:
        return torch.ones(grid**2, dtype=torch.bool)
    shares = torch.nn.functional.adaptive_avg_pool2d(inside[None].float(), grid)
    return shares.flatten() >= 0.5


@lru_cache(maxsize=1)
def _opened(folder: Path) -> PairStore:
    return PairStore(folder)


def _begin() -> None:
    torch.set_num_threads(1)


def _finished(folder: Path, digest: str, plan: list[_PairShard]) -> dict[str, PairShardRecord]:
    """The shards that the list of pairs names, and that are whole."""
    if not (folder / PAIRS / MANIFEST).exists():
        return {}
    try:
        manifest = read_manifest(folder)
    except FileError as error:
        raise OutputError(f"{error} Delete it to make the pairs again.") from error
    if manifest["digest"] != digest:
        raise OutputError(
            f"{folder / PAIRS} holds pairs of other settings or images, expected {digest[:12]}, got "
            f"{manifest['digest'][:12]}; choose another folder, or delete them."
        )
    names, found = {shard.name for shard in plan}, {}
    for entry in manifest["shards"]:
        path = folder / PAIRS / entry["name"]
        if entry["name"] not in names or not path.is_file():
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]:
            found[entry["name"]] = PairShardRecord(**{key: entry[key] for key in PairShardRecord.__annotations__})
    return found


def _save(
    folder: Path,
    digest: str,
    settings: StoredPairSettings,
    plan: list[_PairShard],
    finished: dict[str, PairShardRecord],
) -> None:
    shards = [asdict(finished[shard.name]) for shard in plan if shard.name in finished]
    content = {"format": PAIRS_FORMAT, "digest": digest, "complete": len(shards) == len(plan)}
    content |= {"settings": to_plain(settings), "shards": shards}
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(folder / PAIRS / MANIFEST, lambda file: file.write(text.encode()))
