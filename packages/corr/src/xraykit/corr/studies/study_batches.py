"""Batches of studies without end, each a pure function of seed, number and rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xraykit.render import InputError

from .settings import StudyChangeSettings
from .study_changes import change_study, draw_study_change, reorder_matrices
from .study_store import StudyStore

StudyMatrices = Callable[[int], Tensor]
"""The correspondences (P, L, L) float32 of the views of a study by its number."""


class StudyBatch(NamedTuple):
    """B studies."""

    images: Tensor
    """(B, V, 1, S, S) float32 in [0, 1]; V = 1 for single views"""
    present: Tensor
    """(B, V) bool"""
    label: Tensor
    """(B,) float32, 0 or 1"""
    correspondences: Tensor | None
    """(B, P, L, L) float32, or None without guidance"""


class StudyBatches:
    """Changed studies for a training.

    Studies come in an endless row of epochs, each a new order of all of them. The order of a study's views, its changes
    and the one view that is seen alone follow from (seed, epoch, study) alone.

    Args:
        store: Prepared studies.
        numbers: Which of them.
        changes: How they are changed.
        batch: Studies of a batch on each rank.
        grid: Patches a side.
        matrices: Correspondences that guide; None for none.
        single: One view of each study.
        seed: Of order and changes.
        rank: This process among `ranks`.
        ranks: How many.

    Raises:
        InputError: There are fewer studies than all ranks see at once.
    """

    def __init__(
        self,
        store: StudyStore,
        numbers: Sequence[int],
        changes: StudyChangeSettings,
        *,
        batch: int,
        grid: int,
        matrices: StudyMatrices | None = None,
        single: bool = False,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if batch * ranks > len(numbers):
            total = f"{batch} x {ranks} ranks" if ranks > 1 else str(batch)
            raise InputError(
                f"a batch of {total} needs as many studies to learn from, got {len(numbers)}; lower --batch."
            )
        self.store, self.numbers, self.changes, self.grid = store, list(numbers), changes, grid
        self.matrices, self.single = matrices, single
        self.order = batch, seed, rank, ranks

    def batch(self, number: int) -> StudyBatch:
        """Batch `number`, counted from 0."""
        batch, seed, rank, ranks = self.order
        first = (number * ranks + rank) * batch
        items = [self._item(*divmod(place, len(self.numbers)), seed) for place in range(first, first + batch)]
        images, present, label, matrices = zip(*items, strict=True)
        guided = None if self.matrices is None else torch.stack(matrices)
        return StudyBatch(torch.stack(images), torch.stack(present), torch.stack(label), guided)

    def _item(self, epoch: int, place: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        order = np.random.default_rng([seed, epoch, 1]).permutation(len(self.numbers))
        number = self.numbers[int(order[place])]
        rng = np.random.default_rng([seed, epoch, number, 2])
        there = int(self.store.present[number].sum())
        views = [*rng.permutation(there).tolist(), *range(there, self.store.views)]
        images, inside = self.store.images(number), self.store.inside(number)
        matrices = None if self.matrices is None else self.matrices(number)
        change = draw_study_change(self.changes, rng, self.store.views, self.grid)
        label, present = self.store.labels[number], self.store.present[number]
        if self.single:
            first = type(change)(change.images[:1], change.patches[:1])
            one = change_study(images[views[:1]], None, first, inside=inside[views[:1]])[0]
            return one, present[views[:1]], label, None
        matrices = None if matrices is None else reorder_matrices(matrices, views)
        changed, matrices = change_study(images[views], matrices, change, inside=inside[views])
        return changed * present[:, None, None, None], present, label, matrices
