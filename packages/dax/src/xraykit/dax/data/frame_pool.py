"""A function of every frame of a collection, computed by several processes, in order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

import torch

from xraykit.render import XraykitError
from xraykit.render.interrupts import deaf_to_interrupts

from .xrays import XrayCollection, XrayFrame

Result = TypeVar("Result")
CHUNK = 16  # frames that a process reads in a row: of one cine or shard, mostly


class DamagedXray(NamedTuple):
    """A frame that could not be read."""

    name: str
    sentence: str


def map_frames(
    function: Callable[[XrayFrame], Result],
    collection: XrayCollection,
    *,
    workers: int = 0,
    numbers: Sequence[int] | None = None,
) -> Generator[Result | DamagedXray, None, None]:
    """function(frame) of each frame, in order, whatever the number of workers.

    Args:
        function: Picklable if there are workers, as its results are; each process has one thread.
        collection: The X-rays.
        workers: Processes; 0 is this one.
        numbers: Of the frames, ascending; None is all.

    Yields:
        Results; a `DamagedXray` in the place of a frame that cannot be read, if the collection skips such.

    Raises:
        XraykitError: A frame cannot be read and the collection does not skip it, or a process was killed.
    """
    numbers = range(len(collection)) if numbers is None else numbers
    call = _Call(function, collection)
    if workers == 0:
        yield from map(call.one, numbers)
        return
    chunks = iter([numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)])
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(call,)) as pool:
        with deaf_to_interrupts():
            waiting: list[Future[list[Any]]] = [pool.submit(_chunk, chunk) for chunk in islice(chunks, 2 * workers)]
        try:
            while waiting:
                rows = waiting.pop(0).result()
                waiting += [pool.submit(_chunk, chunk) for chunk in islice(chunks, 1)]
                yield from rows
        except BrokenProcessPool as error:
            raise XraykitError("a worker was killed, for want of memory perhaps; use fewer workers.") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Call(Generic[Result]):
    def __init__(self, function: Callable[[XrayFrame], Result], collection: XrayCollection) -> None:
        self.function, self.collection = function, collection

    def one(self, number: int) -> Result | DamagedXray:
        try:
            return self.function(self.collection[number])
        except XraykitError as error:
            if not self.collection.skip_damaged:
                raise
            return DamagedXray(self.collection.where(number), str(error))


_call: _Call[Any] | None = None  # of a worker process


def _begin(call: _Call[Any]) -> None:
    global _call  # a process of a pool has no other place
    _call = call
    torch.set_num_threads(1)


def _chunk(numbers: Sequence[int]) -> list[Any]:
    return [] if _call is None else [_call.one(number) for number in numbers]
