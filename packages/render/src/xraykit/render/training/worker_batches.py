"""Batches that follow from their number alone, made ahead of their use by other processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count, takewhile
from typing import Any, Generic

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from ..errors import InputError
from ..interrupts import deaf_to_interrupts
from .batches import Batch


class WorkerBatches(Generic[Batch]):
    """Batches by number: what `source[number]` gives, here or by processes that run ahead, the same either way.

    Args:
        source: Picklable, makes a batch from its number, counted from 0.
        workers: Processes, of one thread each; 0 is this one.
    """

    def __init__(self, source: Dataset[Batch], workers: int) -> None:
        self._source, self._workers = source, workers
        self._ahead, self._stream = _Onwards(0), iter(())
        self._next = -1

    def batch(self, number: int) -> Batch:
        """Batch `number`, counted from 0; the next one is ready soonest, any other begins anew.

        Raises:
            InputError: A negative number.
        """
        if number < 0:
            raise InputError(f"a batch's number must be 0 or more, got {number}.")
        if self._workers == 0:
            return self._source[number]
        if number != self._next:
            self.close()
            self._ahead = _Onwards(number)
            with deaf_to_interrupts():
                self._stream = iter(self._loader())
        self._next = -1
        made = next(self._stream)
        self._next = number + 1
        return made

    def state_dict(self) -> dict[str, Any]:
        """Nothing: a batch follows from its number."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Let the workers finish what they have begun and end; the next batch starts new ones."""
        self._ahead.ended = True
        with suppress(Exception):  # of a batch that nobody asked for
            deque(self._stream, maxlen=0)  # received, or a worker that ends while it sends one aborts
        self._stream, self._next = iter(()), -1

    def _loader(self) -> DataLoader[Batch]:
        return DataLoader(
            self._source,
            batch_size=None,
            collate_fn=_as_made,  # torch's own would make lists of tuples
            sampler=self._ahead,
            num_workers=self._workers,
            multiprocessing_context="spawn",
            generator=torch.Generator(),  # or a loader that starts would use up torch's own numbers
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread, as in workers: sums over an image depend on it in their last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _as_made(batch: Any) -> Any:
    return batch


class _Onwards(Sampler[int]):
    """first, first + 1, ... until it is `ended`."""

    def __init__(self, first: int) -> None:
        self.first, self.ended = first, False

    def __iter__(self) -> Iterator[int]:
        return takewhile(lambda _: not self.ended, count(self.first))
