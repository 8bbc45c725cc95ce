"""In which order samples are delivered, and by whom: pure functions of seed, epoch and place in the job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

Uneven = Literal["pad", "drop", "keep"]
UNEVEN: tuple[str, ...] = get_args(Uneven)


class Share(NamedTuple):
    """Who reads: one worker of one rank."""

    rank: int = 0
    world_size: int = 1
    worker: int = 0
    workers: int = 1


@dataclass(frozen=True)
class ReadingOrder:
    """How samples are ordered and shared.

    Args:
        seed: Of all shuffling.
        shuffle: Whether shards change places, and samples within `window`.
        window: A sample leaves at most this many places early or late; so many wait in memory, undecoded.
        uneven: What happens where samples cannot be shared evenly among the ranks: "pad" with samples that
            come twice, as torch's DistributedSampler does; "drop" the rest; "keep" all, once each, and let some ranks
            have one more, at which a training, whose ranks wait for each other, would wait without end.

    Raises:
        InputError: A value out of range.
    """

    seed: int = 0
    shuffle: bool = True
    window: int = 512
    uneven: Uneven = "pad"

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"seed must be 0 or more, got {self.seed}.")
        if self.window < 1:
            raise InputError(f"window must be 1 or more samples, got {self.window}.")
        if self.uneven not in UNEVEN:
            raise InputError(f"uneven must be one of {', '.join(UNEVEN)}, got {self.uneven!r}.")


class Itinerary(NamedTuple):
    """What one worker does in one epoch.

    Args:
        shards: The shard of each sample in reading order, (n,).
        places: The sample's place in that shard, (n,).
        delivery: Indices into the reading order, in the order of delivery, (n,).
    """

    shards: NDArray[np.int64]
    places: NDArray[np.int64]
    delivery: NDArray[np.int64]


def itinerary(sizes: Sequence[int], share: Share, *, epoch: int, settings: ReadingOrder) -> Itinerary:
    r"""The samples of one worker in one epoch.

    All shards, in an order drawn for the epoch, make one row of samples. Ranks take consecutive parts of the row of
    equal length (to one), and so do the workers of a rank of its part; hence every worker reads few shards, front to
    back, and all samples are read once whatever the numbers. Sample i of a worker's part leaves at time i + window u,
    u uniform in [0, 1): never more than `window` of them wait.

    Args:
        sizes: Samples of each shard.
        share: Who reads.
        epoch: Counted from 0.
        settings: How.
    """
    order = np.arange(len(sizes))
    if settings.shuffle:
        order = _draws(settings.seed, epoch).permutation(order)
    ends = np.cumsum(np.asarray(sizes, dtype=np.int64)[order])
    total = int(ends[-1]) if len(ends) else 0
    low, high = part(total, share, uneven=settings.uneven)
    row = np.arange(low, high) % max(total, 1)
    turn = np.searchsorted(ends, row, side="right")
    places = row - (ends[turn] - np.asarray(sizes, dtype=np.int64)[order][turn])
    delivery = np.arange(len(row))
    if settings.shuffle:
        draws = _draws(settings.seed, epoch, share.rank, share.worker)
        delivery = np.argsort(delivery + settings.window * draws.random(len(row)), kind="stable")
    return Itinerary(order[turn], places, delivery)


def part(total: int, share: Share, *, uneven: Uneven) -> tuple[int, int]:
    """First and last + 1 of a worker's samples in the row of `total`; beyond its end the row begins again."""
    if uneven == "keep":
        first, last = _cut(0, total, share.rank, share.world_size)
    else:
        each = total // share.world_size if uneven == "drop" else -(-total // share.world_size)
        first, last = share.rank * each, (share.rank + 1) * each
    return _cut(first, last, share.worker, share.workers)


def batches_delivered(counts: Sequence[int], delivered: int) -> list[int]:
    """How many of the first `delivered` batches each worker made, if they take turns and worker w has counts[w].

    That is how torch's DataLoader asks its workers: in a circle that leaves out those who have finished.
    """
    worker = np.repeat(np.arange(len(counts)), counts)
    turn = np.concatenate([np.arange(count) for count in counts]) if len(counts) else worker
    first = np.lexsort((worker, turn))[:delivered]
    return np.bincount(worker[first], minlength=len(counts)).tolist()


def _cut(first: int, last: int, n: int, parts: int) -> tuple[int, int]:
    length = last - first
    return first + length * n // parts, first + length * (n + 1) // parts


def _draws(seed: int, *numbers: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=numbers)))
