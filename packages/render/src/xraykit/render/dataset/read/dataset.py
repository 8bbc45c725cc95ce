"""A data set of shards as a stream of samples, shared among ranks and workers, that can stop and go on anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from ...errors import FileError, InputError
from ..format.manifest import ShardRecord
from .order import Itinerary, ReadingOrder, Share, batches_delivered, itinerary, part
from .shards import check_shard, check_size, checked_manifest, shards_of, whole_shards
from .store import ShardStore
from .tar import RawSample, raw_samples
from .xray_sample import IMAGE, LINES, MASKS, RECORD, TISSUE, XraySample, decode_sample

Part = Literal["image", "masks", "lines", "tissue"]
OnDamage = Literal["stop", "skip"]
PARTS: tuple[str, ...] = get_args(Part)
_EXTENSIONS = {"image": IMAGE, "masks": MASKS, "lines": LINES, "tissue": TISSUE}


class XrayDataset(IterableDataset[Any]):
    """The samples of a data set, streamed from its shards.

    Every sample of the split comes once in an epoch, over all ranks and workers together, but for what
    `ReadingOrder.uneven` does so that all ranks have as many; see `itinerary`. The order follows from seed, epoch, and
    the numbers of ranks and workers alone.

    Use `XrayLoader` to read with workers and to resume in the middle of an epoch. In any other loader the data set
    obeys `set_epoch`, and each copy of it (one per worker) tells and takes back its own state, which is what
    torchdata's StatefulDataLoader collects.

    Args:
        address: Folder of the data set, or an fsspec address ("s3://bucket/set").
        split: Which split; None reads all.
        order: Seed, shuffling, and what happens to a remainder; None is `ReadingOrder()`.
        parts: What is read beside the record (which has names and boxes): "image", "masks", "lines",
            "tissue".
        transform: Applied to each `XraySample` where it is read; must be picklable for workers that are spawned.
        rank: This process among `world_size` that share the samples. Both None: torch.distributed's where it is
            initialised, else 0 of 1.
        world_size: See rank.
        verify: Compare each shard with the manifest's SHA-256 before its first use; it is then read twice.
        on_damage: "stop" at a damaged shard when its turn comes, or compare all shards with the manifest at the
            beginning and "skip" those that are not whole; `damaged` names them.
        allow_incomplete: Accept a data set whose job has not finished.
        storage_options: For fsspec.

    Raises:
        FileError: No data set there, a damaged manifest, an unfinished data set, or no shard that is whole.
        InputError: No such split, an unknown part, or an impossible rank.
        BackendUnavailableError: fsspec or its plugin is missing.

    Attributes:
        damaged: (name, sentence) of each shard that was skipped.
    """

    def __init__(
        self,
        address: str | Path,
        *,
        split: str | None = None,
        order: ReadingOrder | None = None,
        parts: Collection[Part] = ("image", "masks"),
        transform: Callable[[XraySample], Any] | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        verify: bool = False,
        on_damage: OnDamage = "stop",
        allow_incomplete: bool = False,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.store = ShardStore(str(address), dict(storage_options or {}))
        self.manifest = checked_manifest(self.store)
        if not (self.manifest.complete or allow_incomplete):
            raise FileError(
                f"{address} must be a finished data set, its manifest says it is not; finish the job with --resume, "
                "or read what there is with allow_incomplete=True."
            )
        self.shards, self.damaged = shards_of(self.manifest, split), ()
        if on_damage == "skip":
            self.shards, self.damaged = whole_shards(self.store, self.shards)
        elif on_damage != "stop":
            raise InputError(f"on_damage must be stop or skip, got {on_damage!r}.")
        self.split, self.order, self.transform, self.verify = split, order or ReadingOrder(), transform, verify
        unknown = sorted(set(parts) - set(PARTS))
        if unknown:
            raise InputError(f"parts must be among {', '.join(PARTS)}, got {', '.join(unknown)}.")
        self.parts = tuple(name for name in PARTS if name in parts)
        self.rank, self.world_size = _checked_rank(rank, world_size)
        self._found_rank = (self.rank, self.world_size) if rank is None else None
        self._start = torch.tensor([0, 0, 1, 0]).share_memory_()  # so that workers that live on see its changes
        self._delivered, self._resume = 0, None
        self._verified: set[str] = set()

    def __len__(self) -> int:
        """Samples of this rank in an epoch."""
        first, last = part(self._total, Share(self.rank, self.world_size), uneven=self.order.uneven)
        return last - first

    def __iter__(self) -> Iterator[Any]:
        """The samples of this rank and worker, from where the state says."""
        if self._found_rank is not None and _distributed() not in (None, self._found_rank):
            raise InputError(
                "the data set was made before torch.distributed was initialised, so every rank would read everything; "
                "make it afterwards, or give rank and world_size."
            )
        plan, skip = self._plan()
        if self._resume is not None:
            (share, skip), self._resume = self._resume, None
            if share != self._share():
                raise InputError(
                    f"a state of worker {share.worker} of {share.workers} was loaded, but the iteration has "
                    f"{self._share().workers} workers; let an XrayLoader save and load the state."
                )
        self._delivered = skip
        for sample in self._samples(plan, skip):
            self._delivered += 1
            yield sample if self.transform is None else self.transform(sample)

    @property
    def epoch(self) -> int:
        """Which epoch's order is used."""
        return int(self._start[0])

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, of the next iteration; it begins at its beginning."""
        if epoch < 0:
            raise InputError(f"epoch must be 0 or more, got {epoch}.")
        self.start_at(epoch=epoch, batches=0, batch_size=1, drop_last=False)

    def start_at(self, *, epoch: int, batches: int, batch_size: int, drop_last: bool) -> None:
        """Let the next iteration begin after so many batches of the rank; `XrayLoader` says this."""
        self._start.copy_(torch.tensor([epoch, batches, batch_size, drop_last]))
        self._resume = None

    def state_dict(self) -> dict[str, Any]:
        """Where this copy of the data set is: in the main process, or in a worker."""
        return {"epoch": self.epoch, "delivered": self._delivered, "identity": self.identity(self._share())}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next iteration go on where `state_dict` was called.

        Raises:
            InputError: The state is of another data set, seed, order, rank or worker.
        """
        share = self._share()
        check_state(state, {"identity": self.identity(share)})
        self.set_epoch(state["epoch"])
        self._delivered = state["delivered"]
        self._resume = (share, self._delivered)

    def identity(self, share: Share) -> str:
        """A hash of everything that the order of samples depends on."""
        facts = [self.manifest.config_sha256, [(shard.name, shard.sha256) for shard in self.shards], self.split]
        order = [self.order.seed, self.order.shuffle, self.order.window, self.order.uneven]
        return hashlib.sha256(json.dumps([*facts, *order, *share]).encode()).hexdigest()

    def batch_counts(self, workers: int, *, batch_size: int, drop_last: bool) -> list[int]:
        """How many batches each of the rank's workers makes in an epoch."""
        counts = []
        for worker in range(max(workers, 1)):
            share = Share(self.rank, self.world_size, worker, max(workers, 1))
            first, last = part(self._total, share, uneven=self.order.uneven)
            counts.append((last - first) // batch_size if drop_last else -(-(last - first) // batch_size))
        return counts

    @property
    def _total(self) -> int:
        return sum(shard.samples for shard in self.shards)

    def _share(self) -> Share:
        worker = get_worker_info()
        place = (0, 1) if worker is None else (worker.id, worker.num_workers)
        return Share(self.rank, self.world_size, *place)

    def _plan(self) -> tuple[Itinerary, int]:
        """What this worker reads, and how many samples of it have been delivered.

        After b batches it is another worker's turn than the first's, while a fresh DataLoader begins with its first;
        so workers change roles: the first takes the part of the one whose turn it is.
        """
        epoch, batches, batch_size, drop_last = self._start.tolist()
        share = self._share()
        counts = self.batch_counts(share.workers, batch_size=batch_size, drop_last=bool(drop_last))
        done = batches_delivered(counts, batches)
        waiting = [worker for worker in range(share.workers) if done[worker] < counts[worker]]
        turn = min(waiting, key=lambda worker: (done[worker], worker), default=0)
        role = (share.worker + turn) % share.workers
        sizes = [shard.samples for shard in self.shards]
        plan = itinerary(sizes, share._replace(worker=role), epoch=epoch, settings=self.order)
        return plan, min(done[role] * batch_size, len(plan.delivery))

    def _samples(self, plan: Itinerary, skip: int) -> Iterator[XraySample]:
        """Deliver the rest of the plan; what is read before its turn waits undecoded."""
        delivery = plan.delivery[skip:].tolist()
        stream, waiting = self._stream(plan, np.sort(plan.delivery[skip:])), {}
        for n in delivery:
            while n not in waiting:
                at, raw, where = next(stream)
                waiting[at] = raw, where
            raw, where = waiting.pop(n)
            yield decode_sample(raw, where=where)

    def _stream(self, plan: Itinerary, needed: np.ndarray) -> Iterator[tuple[int, RawSample, str]]:
        """The needed samples (ascending indices into the reading order) from one shard after another."""
        keep = {RECORD, *(_EXTENSIONS[name] for name in self.parts)}
        shards, places = plan.shards[needed], plan.places[needed]
        borders = np.flatnonzero((np.diff(shards) != 0) | (np.diff(places) <= 0)) + 1
        for group in np.split(needed, borders) if len(needed) else ():
            entry = self.shards[plan.shards[group[0]]]
            for index, raw in zip(group.tolist(), self._read(entry, plan.places[group], keep), strict=True):
                yield index, raw, f"{self.store.address}/{entry.name}"

    def _read(self, entry: ShardRecord, places: np.ndarray, keep: set[str]) -> Iterator[RawSample]:
        if self.verify and entry.name not in self._verified:
            check_shard(self.store, entry)
            self._verified.add(entry.name)
        with self.store.open(entry.name) as (file, size):
            check_size(self.store, entry, size)
            where = f"{self.store.address}/{entry.name}"
            yield from raw_samples(file, size, where=where, wanted=set(places.tolist()), extensions=keep)


def check_state(state: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Raise InputError unless a saved state was taken under the same circumstances."""
    for name, value in expected.items():
        if state.get(name) != value:
            what = "data set, seed, order, split, rank or number of workers" if name == "identity" else name
            raise InputError(
                f"the state must be of the same {what} to go on exactly, got {state.get(name)!r} where {value!r} is; "
                "begin the epoch anew, or restore the old settings."
            )


def _distributed() -> tuple[int, int] | None:
    """Rank and world size of torch.distributed where it is initialised."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return None


def _checked_rank(rank: int | None, world_size: int | None) -> tuple[int, int]:
    if rank is None and world_size is None:
        return _distributed() or (0, 1)
    if rank is None or world_size is None or not 0 <= rank < world_size:
        raise InputError(f"rank must be 0 to world_size - 1, or both left out, got rank={rank}, {world_size=}.")
    return rank, world_size
