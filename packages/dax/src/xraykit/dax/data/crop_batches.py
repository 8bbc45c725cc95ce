"""Batches of views without end, each a pure function of seed, number and rank, by any number of workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from xraykit.render import InputError
from xraykit.render.seeds import epoch_order
from xraykit.render.training import WorkerBatches

from .draw import MultiCropDraws, draw_crops
from .frame_images import FrameBatch, pad_frames
from .frames import FrameStore
from .multi_crop import multi_crops
from .settings import MultiCropSettings, PreprocessSettings


class CropBatch(NamedTuple):
    """The views of B frames."""

    crops: list[Tensor]
    """2 global views (B, 1, G, G), then local ones (B, 1, L, L)"""
    indices: Tensor
    """Numbers of the frames in the store, (B,) int64"""


class CropBatches(WorkerBatches[Any]):
    """Views of prepared frames for a training, batch by batch.

    Frames come in an endless row of epochs, each a new order of all of them; batch n of rank r is the part of the row
    from place (n ranks + r) batch on. So none is left out, and a batch may reach over into the next epoch. The views
    of a frame follow from (seed, epoch, number of the frame) alone.

    On a CPU, `workers` processes make whole batches of views ahead, one thread each. On a GPU they read frames ahead
    and the views are made on the device. `close` ends them.

    Args:
        store: The frames.
        settings: Of the crops.
        batch: Frames of a batch on each rank.
        seed: Of order and views.
        workers: Processes; 0 is this one.
        rank: This process among `ranks`.
        ranks: How many.
        device: Where the crops will be.
        preprocess: Clip, lowpass, mean and std; None is the default.
        chosen: Numbers of the frames that are taken; None is all.

    Raises:
        InputError: There are fewer frames than all ranks see at once, or a number is out of range.

    Example:
        batches = CropBatches(store, MultiCropSettings(), batch=64, seed=0, workers=4)
        crops, indices = batches.batch(0)
        batches.close()
    """

    def __init__(
        self,
        store: FrameStore,
        settings: MultiCropSettings,
        *,
        batch: int,
        seed: int,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
        device: torch.device | str = "cpu",
        preprocess: PreprocessSettings | None = None,
        chosen: Sequence[int] | None = None,
    ) -> None:
        if batch < 1 or workers < 0 or seed < 0 or not 0 <= rank < ranks:
            came = f"{batch=}, {workers=}, {seed=}, {rank=}, {ranks=}"
            raise InputError(f"batch must be 1 or more, workers and seed 0 or more, rank below ranks, got {came}.")
        numbers = np.arange(len(store)) if chosen is None else np.asarray(chosen, dtype=np.int64)
        if batch * ranks > len(numbers):
            total = f"{batch} x {ranks} ranks" if ranks > 1 else str(batch)
            raise InputError(f"a batch of {total} needs as many frames, got {len(numbers)}; lower the batch.")
        self.device = torch.device(device)
        plan = _Plan(store, numbers, settings, preprocess or PreprocessSettings(), (batch, seed, rank, ranks))
        super().__init__(_Batches(plan, crops=self.device.type == "cpu"), workers)
        self._plan = plan

    def batch(self, number: int) -> CropBatch:
        """Batch `number`, counted from 0; the next one is ready soonest, any other begins anew.

        Raises:
            InputError: A negative number.
        """
        made = super().batch(number)
        if isinstance(made, CropBatch):
            return made
        frames, draws, indices = made
        plan = self._plan
        crops = multi_crops(frames.to(self.device), draws, plan.settings, plan.preprocess)
        return CropBatch(crops, indices.to(self.device))

    def epoch(self, number: int) -> int:
        """The epoch, counted from 0, in which batch `number` begins."""
        return self._plan.places(number)[0][0]


class _Plan(NamedTuple):
    """What a batch follows from beside its number."""

    store: FrameStore
    chosen: NDArray[np.int64]
    settings: MultiCropSettings
    preprocess: PreprocessSettings
    order: tuple[int, int, int, int]
    """Batch, seed, rank, ranks"""

    def places(self, number: int) -> list[tuple[int, int]]:
        """(epoch, frame) of each sample of a batch."""
        batch, seed, rank, ranks = self.order
        first, frames = (number * ranks + rank) * batch, len(self.chosen)
        at = [divmod(place, frames) for place in range(first, first + batch)]
        return [(epoch, int(self.chosen[epoch_order(seed, epoch, frames)[place]])) for epoch, place in at]

    def frames(self, number: int) -> tuple[FrameBatch, MultiCropDraws, Tensor]:
        """The frames of a batch, what is drawn for them, and their numbers."""
        places = self.places(number)
        frames = pad_frames([self.store[index] for _, index in places])
        draws = draw_crops(
            self.settings,
            frames.sizes,
            seed=self.order[1],
            places=places,
            deviations=self.preprocess.deviations,
        )
        return frames, draws, torch.tensor([index for _, index in places])


class _Batches(Dataset[Any]):
    """Batches by number: of crops, or of frames that become crops elsewhere."""

    def __init__(self, plan: _Plan, *, crops: bool) -> None:
        self.plan, self.crops = plan, crops

    def __getitem__(self, number: int) -> Any:
        frames, draws, indices = self.plan.frames(number)
        if not self.crops:
            return frames, draws, indices
        return CropBatch(multi_crops(frames, draws, self.plan.settings, self.plan.preprocess), indices)
