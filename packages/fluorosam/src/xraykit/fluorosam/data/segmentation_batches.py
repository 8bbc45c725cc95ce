"""Batches of X-rays with prompts, each a pure function of seed, number and rank, by any number of workers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from xraykit.render import InputError
from xraykit.render.seeds import epoch_order, item_stream
from xraykit.render.training import WorkerBatches, one_thread

from ..network.config import InputConfig
from .changed_image import draw_image_framing, seen_image
from .framing import Framing, plain_framing
from .prompt_choice import ChosenPrompt, PromptChoice
from .segmentation_store import SegmentationStore
from .settings import SegmentationChanges
from .target_texts import TargetText, TargetTexts, TextWording

TRIES = 4  # framings that are drawn until one shows something to ask for


class SegmentationBatch(NamedTuple):
    """B images with P prompts each."""

    images: Tensor
    """(B, 3, S, S) float32 in [-1, 1], 0 in the padding"""
    masks: Tensor
    """(B, P, M, M) bool over the square; all False where absent"""
    absent: Tensor
    """(B, P) bool: what the text asks for is not in the image"""
    texts: tuple[tuple[str, ...], ...]
    """B x P"""
    targets: tuple[tuple[str, ...], ...]
    """B x P names of targets, left and right as in the image"""
    shown: Tensor
    """(B, 2) int64: rows and columns of the masks that show the image"""
    numbers: tuple[int, ...] = ()
    """Of the images in the store, B"""


class SegmentationBatches(WorkerBatches[SegmentationBatch]):
    """Changed X-rays with prompts, for a training, batch by batch.

    Items come in an endless row of epochs, each a new order of all images; batch n of rank r is the part of the row
    from place (n ranks + r) batch on. An item follows from (seed, epoch, place) alone. Everything is made on the CPU,
    by `workers` processes ahead of their use, one thread each.

    Args:
        store: The images.
        numbers: Of the images to take; those that show nothing to ask for are left out.
        texts: By target; only those of one wording are used, and only where they are true of the image.
        changes: How images are changed; None is `SegmentationChanges.none()`.
        batch: B, images of a batch on each rank.
        prompts: P, of each image.
        absent: How often a prompt asks for what is not there, where that is known.
        tools: How much more often tools and implants are asked for than what is as rare.
        seed: Of order, choice and changes.
        rank: This process among `ranks`.
        ranks: How many.
        wording: Of the texts, "train" or "held_out".
        input: How windows are found and shown; None is `InputConfig()`.
        workers: Processes; 0 is this one.

    Raises:
        InputError: A number out of range, no image with anything to ask for, or no texts.

    Example:
        numbers, changes = store.numbers_of("train"), SegmentationChanges()
        batches = SegmentationBatches(store, numbers, texts, changes, batch=8, prompts=8)
        images, masks, absent, texts, *_ = batches.batch(0)
    """

    def __init__(
        self,
        store: SegmentationStore,
        numbers: Sequence[int],
        texts: Mapping[str, Sequence[TargetText]],
        changes: SegmentationChanges | None,
        *,
        batch: int,
        prompts: int,
        absent: float = 0.1,
        tools: float = 1.0,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
        wording: TextWording = "train",
        input: InputConfig | None = None,
        workers: int = 0,
    ) -> None:
        if batch < 1 or prompts < 1 or workers < 0 or seed < 0 or not 0 <= rank < ranks:
            came = f"{batch=}, {prompts=}, {workers=}, {seed=}, {rank=}, {ranks=}"
            raise InputError(
                f"expected batch and prompts from 1, workers and seed from 0, rank below ranks, got {came}."
            )
        if not 0 <= absent <= 1:
            raise InputError(f"absent must be a probability from 0 to 1, got {absent}.")
        if not 0 < tools < math.inf:
            raise InputError(f"tools must be a number above 0, got {tools}.")
        chosen = _checked_numbers(numbers, len(store))
        asked = TargetTexts(texts, wording=wording)
        choice = PromptChoice(store, chosen, asked, prompts=prompts, absent=absent, tools=tools)
        self.numbers = tuple(number for number in chosen if choice.has_any(number))
        if not self.numbers:
            raise InputError(
                "at least one image must show a target that a text asks for, got none; write more prompts."
            )
        changes, order = changes or SegmentationChanges.none(), (batch, seed, rank, ranks)
        super().__init__(_Items(choice, self.numbers, changes, input or InputConfig(), order), workers)

    def __len__(self) -> int:
        """Images of an epoch."""
        return len(self.numbers)


class _Items(Dataset[SegmentationBatch]):
    """Batches by number."""

    def __init__(
        self,
        choice: PromptChoice,
        numbers: tuple[int, ...],
        changes: SegmentationChanges,
        windows: InputConfig,
        order: tuple[int, int, int, int],
    ) -> None:
        self.choice, self.store, self.numbers = choice, choice.store, numbers
        self.changes, self.windows, self.order = changes, windows, order  # batch, seed, rank, ranks

    def __getitem__(self, number: int) -> SegmentationBatch:
        batch, seed, rank, ranks = self.order
        first = (number * ranks + rank) * batch
        with one_thread():
            rows = [self._item(*divmod(place, len(self.numbers)), seed) for place in range(first, first + batch)]
        images, prompts, shown, numbers = zip(*rows, strict=True)
        return SegmentationBatch(
            torch.stack(images),
            torch.from_numpy(np.stack([np.stack([one.mask for one in found]) for found in prompts])),
            torch.tensor([[one.absent for one in found] for found in prompts]),
            tuple(tuple(one.text for one in found) for found in prompts),
            tuple(tuple(one.target for one in found) for found in prompts),
            torch.tensor(shown),
            numbers,
        )

    def _item(self, epoch: int, place: int, seed: int) -> tuple[Tensor, list[ChosenPrompt], tuple[int, int], int]:
        number = self.numbers[epoch_order(seed, epoch, len(self.numbers))[place]]
        framing, prompts = self._prompts(number, item_stream(seed, epoch, place, purpose=2))
        rng = item_stream(seed, epoch, place, purpose=3)
        image = seen_image(self.store, number, framing, self.changes, self.windows, rng)
        return image, prompts, framing.shown_cells(self.store.mask_size), number

    def _prompts(self, number: int, rng: np.random.Generator) -> tuple[Framing, list[ChosenPrompt]]:
        """A framing of an image that shows something to ask for, and what is asked."""
        store, shown = self.store, self.store.shown(number)
        for _ in range(TRIES):
            framing = draw_image_framing(store, number, self.changes.framing, rng)
            found = self.choice.draw(number, framing, rng)
            if found:
                return framing, found
        framing = plain_framing(shown, store.edge, store.image_size)
        return framing, self.choice.draw(number, framing, rng, any_size=True)


def _checked_numbers(numbers: Sequence[int], images: int) -> list[int]:
    chosen = sorted({int(number) for number in numbers})
    if not chosen or chosen[0] < 0 or chosen[-1] >= images:
        raise InputError(f"numbers must be images from 0 to {images - 1}, got {chosen[:5]}.")
    return chosen
