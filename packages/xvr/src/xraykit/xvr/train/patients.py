"""Whom a training sees, batch by batch: one patient, a folder of CTs, or procedural patients made on the fly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from torch.utils.data import DataLoader, Dataset, Sampler

from xraykit.render import FileError, PatientSettings, Volume, generate_patient
from xraykit.render.files import VOLUME_SUFFIXES

from .rendered_patient import RenderedPatient, prepare

KEPT = 64
"""So many patients stay in memory; of more, each is made again when its turn comes."""
ORDER = 7
"""Told apart from other draws of the same seed."""
HOLD_OUT_FROM = 5
"""From so many CTs on, the last one is held out for validation."""


class Patients(Protocol):
    """Where a batch's patient comes from."""

    @property
    def held_out(self) -> RenderedPatient:
        """Whom the validation sees."""
        ...

    def at(self, step: int) -> RenderedPatient:
        """The patient of this batch; batches are asked for in ascending order."""
        ...


@dataclass(frozen=True, eq=False)
class OnePatient:
    """The same patient always; held-out views are of the same one."""

    held_out: RenderedPatient

    def at(self, step: int) -> RenderedPatient:
        """The patient."""
        return self.held_out


@dataclass(frozen=True)
class CTFolder:
    """Makes the n-th of many CTs."""

    files: tuple[Path, ...]
    voxel: float

    def __call__(self, index: int) -> RenderedPatient:
        """The CT ready for training."""
        path = self.files[index]
        return prepare(Volume.from_file(path), voxel=self.voxel, name=path.name)


@dataclass(frozen=True)
class Procedural:
    """Makes the n-th procedural patient of a region; `first` is the seed of the 0th."""

    region: str
    first: int
    size: int
    voxel: float

    def __call__(self, index: int) -> RenderedPatient:
        """The patient ready for training."""
        seed = self.first + index
        patient = generate_patient(seed=seed, region=self.region, settings=PatientSettings(size=self.size))
        return prepare(patient.volume, voxel=self.voxel, name=f"{self.region} {seed}")


class ManyPatients:
    """A new patient every few batches, in an order that follows from the seed, made ahead by worker processes.

    Args:
        make: The patient of a number; must be picklable.
        count: Patients to train on, numbered from 0; number `count` is held out if `hold_out`, else number 0.
        hold_out: Whether there is one more.
        each: Batches of one patient.
        seed: Of the order.
        rank: This process among `ranks`, which take turns.
        ranks: How many.
        workers: Processes; 0 makes them here.
    """

    def __init__(
        self,
        make: Callable[[int], RenderedPatient],
        count: int,
        *,
        hold_out: bool,
        each: int,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
        workers: int = 0,
    ) -> None:
        self.make, self.count, self.each, self.seed = make, count, each, seed
        self.rank, self.ranks, self.workers = rank, ranks, workers
        self.held_out = make(count if hold_out else 0)
        self._kept: dict[int, RenderedPatient] = {}
        self._turn, self._now = -1, self.held_out
        self._coming: Iterator[RenderedPatient] | None = None

    def at(self, step: int) -> RenderedPatient:
        """The patient of this batch."""
        turn = step // self.each
        if turn != self._turn:
            self._now, self._turn = self._next(turn), turn
        return self._now

    def number(self, turn: int) -> int:
        """Which patient has this turn: all of them once, in a random order, then again in another."""
        round_, place = divmod(turn * self.ranks + self.rank, self.count)
        return int(np.random.default_rng((self.seed, ORDER, round_)).permutation(self.count)[place])

    def _next(self, turn: int) -> RenderedPatient:
        number = self.number(turn)
        if number in self._kept:
            return self._kept[number]
        if self._coming is None:
            made = DataLoader(_Made(self.make), sampler=_Missing(self, turn), batch_size=None, num_workers=self.workers)
            self._coming = iter(made)
        patient = next(self._coming)
        if self.count <= KEPT:
            self._kept[number] = patient
        return patient


class _Made(Dataset):
    """The patient of each number."""

    def __init__(self, make: Callable[[int], RenderedPatient]) -> None:
        self.make = make

    def __getitem__(self, number: int) -> RenderedPatient:
        return self.make(number)


class _Missing(Sampler):
    """The numbers from one turn on, without end, but for patients that are kept in memory by then."""

    def __init__(self, patients: ManyPatients, first: int) -> None:
        self.patients, self.first = patients, first

    def __iter__(self) -> Iterator[int]:
        kept: set[int] = set()
        for turn in itertools.count(self.first):
            number = self.patients.number(turn)
            if number not in kept:
                yield number
            if self.patients.count <= KEPT:
                kept.add(number)
                if len(kept) == self.patients.count:
                    return


def files_in(folder: Path) -> tuple[Path, ...]:
    """The CT files of a folder, by name.

    Raises:
        FileError: There is no such folder, or no CT in it.
    """
    if not folder.is_dir():
        raise FileError(f"--cts needs a folder of CTs, got {folder}, which is none.")
    found = sorted(
        p for p in folder.iterdir() if p.name.lower().endswith(VOLUME_SUFFIXES) and not p.name.startswith(".")
    )
    if not found:
        raise FileError(f"{folder} must hold CTs ({', '.join(VOLUME_SUFFIXES)}), got none.")
    return tuple(found)
