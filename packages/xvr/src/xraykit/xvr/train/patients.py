"""Whom a training sees, batch by batch: one patient, a folder of CTs, or procedural patients made on the fly."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from xraykit.render import FileError, InputError, PatientSettings, Volume, generate_patient
from xraykit.render.commands import LeftOut, VolumeSettings
from xraykit.render.files import VOLUME_SUFFIXES

from .rendered_patient import RenderedPatient, prepare

KEPT, ROOM = 64, 2 << 30
"""So many patients stay in memory, or as many as fit into so many bytes; of more, each is made again in its turn."""
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

    def at(self, step: int, place: int = 0) -> RenderedPatient:
        """The patient in this place of a batch; batches, and the places of each, are asked for in ascending order."""
        ...


@dataclass(frozen=True, eq=False)
class OnePatient:
    """The same patient always; held-out views are of the same one."""

    held_out: RenderedPatient

    def at(self, step: int, place: int = 0) -> RenderedPatient:
        """The patient."""
        return self.held_out


@dataclass(frozen=True)
class CTFolder:
    """Makes the n-th of many CTs; the next one that can be read stands for one that cannot.

    Args:
        files: The CTs.
        voxel: Coarsest voxel [mm].
        reading: How they are read.
    """

    files: tuple[Path, ...]
    voxel: float
    reading: VolumeSettings = field(default_factory=VolumeSettings)

    def __call__(self, index: int) -> RenderedPatient:
        """The CT ready for training.

        Raises:
            XraykitError: None of them can be read; it says why the n-th cannot.
        """
        left_out = LeftOut()
        for path in (*self.files[index:], *self.files[:index]):
            with left_out.going_on(path.name):
                volume = Volume.from_file(path, **self.reading.reading)
                patient = prepare(volume, voxel=self.voxel, name=path.name)
                return replace(patient, left_out=tuple(left_out.found))
        left_out.check(0)
        raise InputError("there must be CTs to learn from, got none.")


@dataclass(frozen=True)
class Procedural:
    """Makes the n-th procedural patient of a region; `first` is the seed of the 0th.

    Organs that no loss asks for are left out, which halves what a patient takes.
    """

    region: str
    first: int
    size: int
    voxel: float
    organs: bool = True

    def __call__(self, index: int) -> RenderedPatient:
        """The patient ready for training."""
        seed = self.first + index
        patient = generate_patient(seed=seed, region=self.region, settings=PatientSettings(size=self.size))
        volume = patient.volume if self.organs else replace(patient.volume, labels=None, label_names={})
        return prepare(volume, voxel=self.voxel, name=f"{self.region} {seed}")


class ManyPatients:
    """A new patient every few batches, in an order that follows from the seed, made ahead by worker processes.

    Args:
        make: The patient of a number; must be picklable.
        count: Patients to train on, numbered from 0.
        held_out: The one that is not trained on; None is number 0.
        each: Batches of one patient.
        together: Patients who share a batch.
        keep: So many stay in memory, if they are no more than that.
        seed: Of the order.
        rank: This process among `ranks`, which take turns.
        ranks: How many.
        workers: Processes; 0 makes them here.
        meet: Called with each patient when it comes for the first time.
    """

    def __init__(
        self,
        make: Callable[[int], RenderedPatient],
        count: int,
        *,
        held_out: RenderedPatient | None = None,
        each: int,
        seed: int,
        together: int = 1,
        keep: int = KEPT,
        rank: int = 0,
        ranks: int = 1,
        workers: int = 0,
        meet: Callable[[RenderedPatient], None] | None = None,
    ) -> None:
        self.make, self.count, self.each, self.seed = make, count, each, seed
        self.together, self.keeps = together, count <= keep
        self.rank, self.ranks, self.workers = rank, ranks, workers
        self._meet, self._met = meet, set[int]()
        self.held_out = make(0) if held_out is None else held_out
        self._greet(0 if held_out is None else -1, self.held_out)
        self._kept: dict[int, RenderedPatient] = {}
        self._now: dict[int, tuple[int, RenderedPatient]] = {}
        self._coming: Iterator[RenderedPatient] | None = None

    def at(self, step: int, place: int = 0) -> RenderedPatient:
        """The patient in this place, 0 to `together` - 1, of this batch."""
        turn = step // self.each * self.together + place
        if place not in self._now or self._now[place][0] != turn:
            self._now[place] = turn, self._next(turn)
        return self._now[place][1]

    def number(self, turn: int) -> int:
        """Which patient has this turn: all of them once, in a random order, then again in another."""
        round_, place = divmod(turn * self.ranks + self.rank, self.count)
        return int(np.random.default_rng((self.seed, ORDER, round_)).permutation(self.count)[place])

    def _greet(self, number: int, patient: RenderedPatient) -> None:
        if self._meet is not None and number not in self._met:
            self._meet(patient)
        self._met.add(number)

    def _next(self, turn: int) -> RenderedPatient:
        number = self.number(turn)
        if number in self._kept:
            return self._kept[number]
        if self._coming is None:
            made = DataLoader(
                _Made(self.make),
                sampler=_Missing(self, turn),
                batch_size=None,
                num_workers=self.workers,
                generator=torch.Generator().manual_seed(self.seed),  # else it takes a number from the batch's own
            )
            self._coming = iter(made)
        patient = next(self._coming)
        self._greet(number, patient)
        if self.keeps:
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
            if self.patients.keeps:
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
