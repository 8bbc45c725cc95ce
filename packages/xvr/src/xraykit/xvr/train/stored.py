"""A data set job as training data: its images through the network's camera, with their poses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import default_collate

from xraykit.render import Camera, InputError, XrayDataset, XrayLoader
from xraykit.render.dataset import ReadingOrder, XraySample
from xraykit.render.geometry import resample

from .pictures import Views, worth_learning

TRAINING, VALIDATION = "train", "val"
POINTS = 8


@dataclass(frozen=True, eq=False)
class ToView:
    """One sample as image (1, N, N), pose (4, 4) and landmarks (8, 3), as a network's camera would see it."""

    camera: Camera

    def __call__(self, sample: XraySample) -> tuple[Tensor, Tensor, Tensor]:
        """-ln(intensity) resampled by one homography, 0 where the image has no pixel."""
        image = sample.log_attenuation().clamp_min(0.0)
        seen = resample(image[None], old=sample.camera, new=self.camera)[0].float()
        return seen, sample.pose, _points(sample)


class StoredViews:
    """Batches of a data set, epoch after epoch, that can go on anywhere.

    Args:
        folder: Of the data set.
        camera: The network's.
        batch: Images in a batch.
        seed: Of the order.
        workers: Processes that read.

    Raises:
        InputError: The split is smaller than a batch. FileError: as `XrayDataset`.
    """

    def __init__(self, folder: Path, *, camera: Camera, batch: int, seed: int, workers: int) -> None:
        dataset = XrayDataset(
            folder,
            split=_split(folder, TRAINING),
            order=ReadingOrder(seed=seed),
            parts=("image",),
            transform=ToView(camera),
        )
        self.loader = XrayLoader(
            dataset, batch_size=batch, drop_last=True, collate_fn=default_collate, num_workers=workers
        )
        if len(self.loader) == 0:
            raise InputError(f"{folder} must hold at least one batch of {batch} images per worker; lower --batch.")
        self._batches: Iterator[list[Tensor]] | None = None

    def next(self) -> Views:
        """The next batch."""
        while True:
            self._batches = iter(self.loader) if self._batches is None else self._batches
            for image, pose, _ in self._batches:
                return Views(image, pose, worth_learning(image, None))
            self._batches = None

    def state_dict(self) -> dict[str, Any]:
        """Where it is."""
        return self.loader.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        self.loader.load_state_dict(state)
        self._batches = None


def held_out_samples(folder: Path, *, camera: Camera, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Images (V, 1, N, N), poses (V, 4, 4) and landmarks (V, 8, 3) of the split "val", or of the first split."""
    order = ReadingOrder(shuffle=False)
    dataset = XrayDataset(
        folder, split=_split(folder, VALIDATION), order=order, parts=("image",), transform=ToView(camera), rank=0,
        world_size=1,
    )  # fmt: skip
    samples = [sample for _, sample in zip(range(count), dataset, strict=False)]
    image, pose, points = default_collate(samples)
    return image, pose, points


def _split(folder: Path, wanted: str) -> str | None:
    """The split of that name; all of the data set if it has no such split."""
    shards = XrayDataset(folder, rank=0, world_size=1).shards
    return wanted if any(shard.split == wanted for shard in shards) else None


def _points(sample: XraySample) -> Tensor:
    """Eight landmarks of the patient, repeated if there are fewer; without any, points round the middle of the beam."""
    world = sample.landmarks.world
    if len(world):
        return world[torch.arange(POINTS) % len(world)]
    depth = 0.7 * float(torch.as_tensor(sample.camera.sdd))
    corners = torch.cartesian_prod(*(torch.tensor([-75.0, 75.0], dtype=torch.float64),) * 3)
    return sample.pose[:3, 3] + depth * sample.pose[:3, 2] + corners
