"""The local engine: processes of this machine, each with one thread; a killed one is replaced."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from ....errors import OutputError, XraykitError
from ....interrupts import deaf_to_interrupts
from ...format.manifest import ShardRecord
from ..shard_work import ONE_THREAD, make_shard

ATTEMPTS = 3


@dataclass
class _Worker:
    """A process, the pipe to it, and the shard it is at."""

    process: BaseProcess
    pipe: Connection
    number: int


def in_processes(
    folder: Path, config_sha256: str, numbers: Sequence[int], *, workers: int
) -> Iterator[int | ShardRecord]:
    """Make shards in processes of their own; yields numbers of images as they are done, and finished shards.

    Processes are spawned, not forked, so that each begins with nothing. They end when this generator or this process
    ends, however it does.

    Raises:
        XraykitError: What a worker met with.
        OutputError: The same shard's worker was killed three times; the other shards are made before this is raised.
    """
    waiting, deaths, lost = deque(numbers), Counter[int](), list[OutputError]()
    team: list[_Worker] = []
    try:
        while waiting or team:
            while waiting and len(team) < workers:
                team.append(_hire(folder, config_sha256, waiting.popleft()))
            for pipe in wait([worker.pipe for worker in team]):
                worker = next(worker for worker in team if worker.pipe is pipe)
                message = _heard(worker)
                if message is None:
                    team.remove(worker)
                    try:
                        _mourn(worker, deaths)
                        waiting.appendleft(worker.number)
                    except OutputError as error:
                        lost.append(error)
                    continue
                if isinstance(message, XraykitError):
                    raise message
                if isinstance(message, ShardRecord) and waiting:
                    worker.number = waiting.popleft()
                    worker.pipe.send(worker.number)
                elif isinstance(message, ShardRecord):
                    team.remove(worker)
                    worker.pipe.close()
                    worker.process.join()
                yield message
        if lost:
            raise lost[0]
    finally:
        for worker in team:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()


def _hire(folder: Path, config_sha256: str, number: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, folder, config_sha256), daemon=True)
    with deaf_to_interrupts(), _environment(ONE_THREAD):
        process.start()
    theirs.close()
    ours.send(number)
    return _Worker(process, ours, number)


def _heard(worker: _Worker) -> int | ShardRecord | XraykitError | None:
    """What a worker says; None if it is dead."""
    try:
        return worker.pipe.recv()
    except (EOFError, OSError):
        return None


def _mourn(worker: _Worker, deaths: Counter[int]) -> None:
    """Count a death; the same shard may not cost more than a few."""
    worker.pipe.close()
    worker.process.join()
    code = worker.process.exitcode or 0
    if code >= 0:
        raise RuntimeError(f"the worker of shard {worker.number} failed with exit code {code}; its traceback is above.")
    deaths[worker.number] += 1
    if deaths[worker.number] == ATTEMPTS:
        raise OutputError(
            f"shard {worker.number} could not be made: its process was killed {ATTEMPTS} times (signal {-code}), most "
            "likely for want of memory; use fewer workers or smaller patients, and --resume."
        )


def _work(pipe: Connection, folder: Path, config_sha256: str) -> None:
    """The life of a worker: shard after shard, until the pipe is closed or the parent is gone."""
    _die_with_parent()
    while True:
        try:
            number = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(make_shard(folder, number, config_sha256, pipe.send))
        except XraykitError as error:
            pipe.send(error)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for children that start meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
