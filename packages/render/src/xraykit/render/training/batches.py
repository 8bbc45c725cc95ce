"""Where batches come from, and how a training takes them up again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from torch.utils.data import default_collate

from ..dataset.read.dataset import OnDamage, Part, XrayDataset
from ..dataset.read.loader import XrayLoader
from ..dataset.read.order import ReadingOrder
from ..dataset.read.xray_sample import XraySample
from ..errors import InputError

Batch = TypeVar("Batch")
Batch_co = TypeVar("Batch_co", covariant=True)


class BatchSource(Protocol[Batch_co]):
    """Batches by number, asked for in ascending order."""

    def batch(self, number: int) -> Batch_co:
        """Batch `number`, counted from 0."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What batch numbers do not say."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was called."""
        ...


class StoredBatches(Generic[Batch]):
    """Batches of a data set job, epoch after epoch, that can go on anywhere.

    Make it in the process that reads, after torch.distributed is initialised (in `TrainingTask.open`): processes share
    the samples of an epoch.

    Args:
        address: Of the data set, as for `XrayDataset`.
        split: Wanted split; all of the data set if it has no split of that name.
        transform: Makes tensors of a sample; must be picklable if there are workers.
        batch: Samples in a batch.
        seed: Of the order.
        workers: Processes that read.
        parts: What is read of each sample.
        collate: Makes a batch of so many transformed samples.
        on_damage: What a damaged shard means, as for `XrayDataset`; one that is skipped is warned of.

    Raises:
        InputError: The split is smaller than a batch. FileError: as `XrayDataset`.
    """

    def __init__(
        self,
        address: str | Path,
        *,
        split: str | None,
        transform: Callable[[XraySample], Any],
        batch: int,
        seed: int,
        workers: int,
        parts: Collection[Part] = ("image",),
        collate: Callable[[list[Any]], Batch] = default_collate,
        on_damage: OnDamage = "stop",
    ) -> None:
        dataset = XrayDataset(
            address,
            split=existing_split(address, split),
            order=ReadingOrder(seed=seed),
            parts=parts,
            transform=transform,
            on_damage=on_damage,
        )
        for name, sentence in dataset.damaged:
            warnings.warn(f"{name} was left out: {sentence}", stacklevel=2)
        self.loader = XrayLoader(dataset, batch_size=batch, drop_last=True, collate_fn=collate, num_workers=workers)
        if len(self.loader) == 0:
            raise InputError(f"{address} must hold at least one batch of {batch} images per worker; lower --batch.")
        self._batches: Iterator[Batch] | None = None

    def batch(self, number: int) -> Batch:
        """The next batch, whatever its number: the loader remembers where it is."""
        while True:
            self._batches = iter(self.loader) if self._batches is None else self._batches
            for batch in self._batches:
                return batch
            self._batches = None

    def state_dict(self) -> dict[str, Any]:
        """Where it is."""
        return self.loader.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        self.loader.load_state_dict(state)
        self._batches = None


def existing_split(address: str | Path, wanted: str | None) -> str | None:
    """The split of that name; None, which is all of the data set, if it has no such split."""
    shards = XrayDataset(address, rank=0, world_size=1).shards
    return wanted if any(shard.split == wanted for shard in shards) else None
