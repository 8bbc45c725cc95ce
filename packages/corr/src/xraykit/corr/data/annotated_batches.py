"""Batches of annotated pairs without end, each a pure function of seed, number and rank."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xraykit.render import InputError

from .annotated_pairs import AnnotatedPairs, with_random_negatives
from .image_changes import change_image, draw_changes
from .marked_entries import annotation_targets
from .settings import ImageChangeSettings


class AnnotatedBatch(NamedTuple):
    """B pairs of views with what is known of them."""

    images: Tensor
    """(B, 2, 1, S, S) float32 in [0, 1]"""
    truth: Tensor
    """(B, L, L) float32: 1 for a match, 0 for none and where nothing is known"""
    weight: Tensor
    """(B, L, L) float32: 0 where nothing is known"""


class AnnotatedBatches:
    """Changed views with their points moved along, for a training.

    Pairs come in an endless row of epochs, each a new order of all of them. Changes and random negatives of a pair
    follow from (seed, epoch, pair) alone.

    Args:
        pairs: What is marked.
        changes: How views are changed.
        batch: Pairs of a batch on each rank.
        grid: Patches a side.
        dilate: Whether a radius counts.
        random_negatives: Pairs with fewer negative entries get random ones up to this number.
        seed: Of order and changes.
        rank: This process among `ranks`.
        ranks: How many.

    Raises:
        InputError: There are fewer pairs than all ranks see at once.
    """

    def __init__(
        self,
        pairs: AnnotatedPairs,
        changes: ImageChangeSettings,
        *,
        batch: int,
        grid: int,
        dilate: bool = True,
        random_negatives: int = 0,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if batch * ranks > len(pairs):
            total = f"{batch} x {ranks} ranks" if ranks > 1 else str(batch)
            raise InputError(f"a batch of {total} needs as many annotated pairs, got {len(pairs)}; lower --batch.")
        self.pairs, self.changes, self.grid = pairs, changes, grid
        self.dilate, self.random_negatives = dilate, random_negatives
        self.order = batch, seed, rank, ranks

    def batch(self, number: int) -> AnnotatedBatch:
        """Batch `number`, counted from 0."""
        batch, seed, rank, ranks = self.order
        first = (number * ranks + rank) * batch
        items = [self._item(*divmod(place, len(self.pairs)), seed) for place in range(first, first + batch)]
        images, truth, weight = (torch.stack(parts) for parts in zip(*items, strict=True))
        return AnnotatedBatch(images, truth, weight)

    def _item(self, epoch: int, place: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        order = np.random.default_rng([seed, epoch, 1]).permutation(len(self.pairs))
        number = int(order[place])
        rng = np.random.default_rng([seed, epoch, number, 2])
        pair = self.pairs[number]
        changes = draw_changes(self.changes, rng, 2)
        size = pair.images.shape[-1]
        images = [
            change_image(image[0], inside, change, size)[0]
            for image, inside, change in zip(pair.images, pair.inside, changes, strict=True)
        ]
        to_input = [change.matrix.numpy() @ old for change, old in zip(changes, pair.to_input, strict=True)]
        targets = annotation_targets(pair.points, to_input, grid=self.grid, dilate=self.dilate)
        targets = with_random_negatives(targets, grid=self.grid, count=self.random_negatives, rng=rng)
        truth, weight = targets.dense(self.grid)
        return torch.stack(images), torch.from_numpy(truth), torch.from_numpy(weight)
