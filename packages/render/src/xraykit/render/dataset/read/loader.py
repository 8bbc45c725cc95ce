"""Batches of a data set, read by any number of workers, with a position in the epoch that can be saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch.utils.data import DataLoader

from ...errors import InputError, XraykitError
from .dataset import XrayDataset, check_state
from .order import Share


class XrayLoader(DataLoader):
    """A DataLoader over an `XrayDataset` that can stop after any batch and go on with the next.

    Each iteration is one epoch further than the last. `state_dict` tells the epoch and how many batches were handed
    out, whatever the workers have prefetched; the first iteration after `load_state_dict` hands out the remaining
    batches, equal to those that would have come, without reading what came before. Lightning saves and loads such
    states by itself.

    Args:
        dataset: What to read.
        batch_size: Samples in a batch.
        drop_last: Leave out each worker's last batch where it is smaller.
        collate_fn: Makes a batch of a list of samples; by default the list itself. Where the data set's transform
            gives tensors, torch's default_collate fits.
        num_workers: Processes that read; 0 reads in this one.
        **options: For DataLoader: pin_memory, prefetch_factor, persistent_workers, multiprocessing_context ...

    Raises:
        InputError: An option under which the order is not determined.
    """

    dataset: XrayDataset

    def __init__(
        self,
        dataset: XrayDataset,
        *,
        batch_size: int = 1,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] = list,
        num_workers: int = 0,
        **options: Any,
    ) -> None:
        if batch_size < 1 or not options.get("in_order", True):
            raise InputError(f"a loader that can resume needs batch_size >= 1 and in_order=True, got {batch_size=}.")
        super().__init__(
            dataset, batch_size, drop_last=drop_last, collate_fn=collate_fn, num_workers=num_workers, **options
        )
        self._size, self._next, self._now = batch_size, (0, 0), (0, 0)

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return sum(self.dataset.batch_counts(self.num_workers, batch_size=self._size, drop_last=self.drop_last))

    def __iter__(self) -> Iterator[Any]:
        """The batches of the next epoch, or after `load_state_dict` the rest of the saved one."""
        epoch, batches = self._now = self._next
        self._next = (epoch + 1, 0)
        self.dataset.start_at(epoch=epoch, batches=batches, batch_size=self._size, drop_last=self.drop_last)
        try:
            for batch in super().__iter__():
                batches += 1
                self._now = (epoch, batches)
                yield batch
        except XraykitError as error:  # torch lets it hold the frames that hold it, and the workers would wait for that
            raise error.with_traceback(None) from None
        self._now = self._next

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, of the next iteration."""
        if epoch < 0:
            raise InputError(f"epoch must be 0 or more, got {epoch}.")
        self._now = self._next = (epoch, 0)

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on after the last batch that was handed out; plain numbers and text."""
        epoch, batches = self._now
        epoch, batches = (epoch + 1, 0) if batches and batches == len(self) else (epoch, batches)
        return {"epoch": epoch, "batches": batches, **self._circumstances()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next iteration go on where `state_dict` was called.

        Raises:
            InputError: The state is of another data set, seed, order, split, batch size, or number of ranks or workers.
        """
        check_state(state, self._circumstances())
        self._now = self._next = (int(state["epoch"]), int(state["batches"]))

    def _circumstances(self) -> dict[str, Any]:
        share = Share(self.dataset.rank, self.dataset.world_size, 0, max(self.num_workers, 1))
        numbers = {"batch_size": self._size, "drop_last": self.drop_last, "num_workers": self.num_workers}
        return {**numbers, "identity": self.dataset.identity(share)}
