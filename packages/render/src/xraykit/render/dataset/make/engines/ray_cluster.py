"""The Ray engine: one task per shard, on a running cluster or one that is started here."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from ....errors import BackendUnavailableError, OutputError, XraykitError
from ....extras import require
from ...format.manifest import ShardRecord
from ..shard_work import ONE_THREAD, make_shard

_RETRIES = 2


def in_ray(
    folder: Path, config_sha256: str, numbers: Sequence[int], *, workers: int | None, address: str | None
) -> Iterator[int | ShardRecord]:
    """Make shards as Ray tasks of one CPU each; yields numbers of images as they are done, and finished shards.

    Every node must see the folder (and the CTs) under the same path and have the package installed. A task whose node
    or process is lost is run again.

    Args:
        folder: Of the data set.
        config_sha256: Of the job.
        numbers: The shards.
        workers: Tasks at a time; None is as many as the cluster has CPUs.
        address: A running cluster ("auto", "host:6379", "ray://host:10001"); None starts one on this machine.

    Raises:
        BackendUnavailableError: Ray is not installed, or no cluster answers at the address.
        XraykitError: What a task met with.
        OutputError: A task was lost three times; the other shards are made before this is raised.
    """
    ray = ray_module()
    started = not ray.is_initialized()
    if started:
        _connect(ray, workers, address)
    try:
        yield from _tasks(ray, folder, config_sha256, deque(numbers), workers)
    finally:
        if started:
            ray.shutdown()


def ray_module() -> ModuleType:
    """Ray itself.

    Raises:
        BackendUnavailableError: It is not installed.
    """
    # The nodes have the package; Ray must not rebuild the environment of a driver that `uv run` started.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    return require("ray", extra="cluster", what="the engine ray")


def _connect(ray: ModuleType, workers: int | None, address: str | None) -> None:
    try:
        if address is None:
            ray.init(address="local", num_cpus=workers, include_dashboard=False, log_to_driver=False)
        else:
            ray.init(address=address, log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise BackendUnavailableError(f"a Ray cluster was expected at {address or 'this machine'}: {error}") from error


def _tasks(
    ray: ModuleType, folder: Path, config_sha256: str, waiting: deque[int], workers: int | None
) -> Iterator[int | ShardRecord]:
    at_once = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
    task = ray.remote(_work).options(num_cpus=1, max_retries=_RETRIES, runtime_env={"env_vars": ONE_THREAD})
    running, lost = {}, None
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                number = waiting.popleft()
                running[task.remote(folder, config_sha256, number)] = number
            (ready,), _ = ray.wait(list(running), num_returns=1)
            number = running.pop(ready)
            try:
                images, result = ray.get(ready)
            except ray.exceptions.WorkerCrashedError as error:
                sentence = (
                    f"shard {number} could not be made: its process was lost {_RETRIES + 1} times, most likely for "
                    "want of memory; use smaller patients, and --resume."
                )
                lost = lost or (sentence, error)
                continue
            if isinstance(result, XraykitError):
                raise result
            yield images
            yield result
        if lost is not None:
            raise OutputError(lost[0]) from lost[1]
    finally:
        for ready in running:
            ray.cancel(ready, force=True)


def _work(folder: Path, config_sha256: str, number: int) -> tuple[int, ShardRecord | XraykitError]:
    """One task: the number of images done and the shard, or what it met with."""
    done: list[int] = []
    try:
        record = make_shard(folder, number, config_sha256, done.append)
    except XraykitError as error:
        return 0, error
    return sum(done), record
