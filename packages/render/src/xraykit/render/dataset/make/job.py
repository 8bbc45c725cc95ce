"""A whole data set: the plan, what is finished of it, an engine for the rest, and the manifest at the end."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ...cpu_type import made_elsewhere
from ...errors import InputError
from ...storage.folder_lock import folder_parts
from ...storage.typed_settings import from_plain, to_plain
from ..format.manifest import MANIFEST, ShardRecord
from ..plan.config import DatasetConfig
from ..plan.plan import DatasetPlan
from .encode import run_length_coder
from .job_folder import CONFIG, begin, finished, save, sweep

Engine = Literal["local", "ray"]
_SECONDS_BETWEEN_MANIFESTS = 5.0  # receipts tell what is finished meanwhile


@dataclass(frozen=True)
class DatasetSummary:
    """What a job has done.

    Args:
        folder: The data set.
        plan: What it shall hold.
        shards: Every shard that is finished, in the order of the plan.
        made: How many of them this call has made.
    """

    folder: Path
    plan: DatasetPlan
    shards: tuple[ShardRecord, ...]
    made: int

    @property
    def is_complete(self) -> bool:
        """Whether every planned shard is there."""
        return len(self.shards) == len(self.plan.shards)


def make_dataset(
    config: DatasetConfig,
    folder: str | Path,
    *,
    engine: Engine = "local",
    workers: int | None = None,
    resume: bool = False,
    shards: tuple[int, int] | None = None,
    address: str | None = None,
    report: Callable[[int, int], None] | None = None,
) -> DatasetSummary:
    """Make a data set of X-rays as tar shards; the same configuration gives the same bytes on every engine.

    Shards appear under their names when they are whole; manifest.json grows with them and is complete at the end. A
    process that dies costs its open shard. Bytes are promised for equal versions of the programs on one type of CPU;
    the manifest says which type made each shard, and a warning counts finished shards of another than this one.

    Args:
        config: What it shall hold.
        folder: Where to; made if need be.
        engine: "local" for processes of this machine, "ray" for tasks of a Ray cluster.
        workers: Shards at a time, 1 or more; None is one for each CPU.
        resume: Go on with a folder that holds shards already.
        shards: First and last shard to make, for jobs that share the work; the manifest is then left to a last call
            without `shards`, with resume=True.
        address: Of a running Ray cluster; None starts one here.
        report: Told (images done, images in all) as they are done, those of earlier calls included.

    Raises:
        InputError: workers below 1, shards that do not exist, or a patient that cannot be made where the
            configuration says to stop.
        OutputError: The folder cannot be written, is full, holds another data set, or another process is making these
            shards. What is finished stays.
        BackendUnavailableError: An extra is not installed.
    """
    folder = Path(folder).absolute()
    if workers is not None and workers < 1:
        raise InputError(f"workers must be 1 or more, got {workers}.")
    run_length_coder()
    if engine not in get_args(Engine):
        raise InputError(f"engine must be local or ray, got {engine!r}.")
    if engine == "ray":
        from .engines.ray_cluster import ray_module

        ray_module()
    config = from_plain(DatasetConfig, to_plain(config))  # a file of it would say 1.0 where the caller said 1
    plan = begin(config, folder, resume=resume)
    numbers = _chosen(shards, len(plan.shards))
    with folder_parts(folder, first=numbers.start, count=0 if shards is None else len(numbers)):
        return _make(plan, folder, numbers, engine, workers, address, report, whole=shards is None)


def _make(
    plan: DatasetPlan,
    folder: Path,
    numbers: range,
    engine: Engine,
    workers: int | None,
    address: str | None,
    report: Callable[[int, int], None] | None,
    *,
    whole: bool,
) -> DatasetSummary:
    """Make what is missing of these shards; `whole` is the job that writes the manifest."""
    records, per_patient = finished(plan, folder), plan.config.views.per_patient
    waiting = [number for number in numbers if plan.shards[number].name not in records]
    if waiting and engine == "local" and (mixture := made_elsewhere(record.cpu_type for record in records.values())):
        warnings.warn(f"{folder}: {mixture}", stacklevel=3)
    total = sum(len(plan.shards[number].patients) for number in numbers) * per_patient
    done = total - sum(len(plan.shards[number].patients) for number in waiting) * per_patient
    names = [plan.shards[number].name for number in numbers]
    names += [CONFIG, MANIFEST] if whole else []
    sweep(folder, names)
    if report is not None:
        report(done, total)
    saved = time.monotonic()
    try:
        with closing(_engine(engine, folder, plan, waiting, workers, address)) as events:
            for event in events:
                if isinstance(event, ShardRecord):
                    records[event.name] = event
                    if whole and time.monotonic() - saved > _SECONDS_BETWEEN_MANIFESTS:
                        save(plan, folder, records)
                        saved = time.monotonic()
                    continue
                done += event
                if report is not None:
                    report(done, total)
    finally:
        sweep(folder, names)
    if whole:
        save(plan, folder, records)
    made = tuple(records[shard.name] for shard in plan.shards if shard.name in records)
    return DatasetSummary(folder, plan, made, len(waiting))


def _chosen(shards: tuple[int, int] | None, count: int) -> range:
    if shards is None:
        return range(count)
    first, last = shards
    if not 0 <= first <= last < count:
        raise InputError(f"shards must be first-last from 0 to {count - 1}, got {first}-{last}.")
    return range(first, last + 1)


def _engine(
    engine: Engine, folder: Path, plan: DatasetPlan, numbers: Sequence[int], workers: int | None, address: str | None
) -> Generator[int | ShardRecord, None, None]:
    if not numbers:
        return
    if engine == "ray":
        from .engines.ray_cluster import in_ray

        yield from in_ray(folder, plan.config_sha256, numbers, workers=workers, address=address)
    else:
        from .engines.processes import in_processes

        yield from in_processes(folder, plan.config_sha256, numbers, workers=workers or _cpus())


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
