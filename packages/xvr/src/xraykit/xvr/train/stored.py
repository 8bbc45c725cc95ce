"""A data set job as training data: its images through the network's camera, with their poses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import default_collate

from xraykit.render import Camera, Volume, XrayDataset
from xraykit.render.dataset import ReadingOrder, XraySample
from xraykit.render.geometry import resample
from xraykit.render.training import StoredBatches, existing_split

from .rendered_views import Views, worth_learning

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


class StoredViews(StoredBatches[list[Tensor]]):
    """Views of a data set job, epoch after epoch; their poses count in the world of its patients.

    Args:
        folder: Of the data set.
        camera: The network's.
        batch: Images in a batch.
        seed: Of the order.
        workers: Processes that read.
        on_damage: What a damaged shard means, as for `XrayDataset`.

    Raises:
        InputError: The split is smaller than a batch. FileError: as `XrayDataset`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        camera: Camera,
        batch: int,
        seed: int,
        workers: int,
        on_damage: Literal["stop", "skip"] = "stop",
    ) -> None:
        super().__init__(
            folder,
            split=TRAINING,
            transform=ToView(camera),
            batch=batch,
            seed=seed,
            workers=workers,
            parts=("image",),
            on_damage=on_damage,
        )
        self.grid = Volume(torch.zeros(1, 1, 1), torch.eye(4, dtype=torch.float64))

    def views(self, step: int, device: torch.device, *, with_organs: bool) -> tuple[Views, None]:
        """The next batch; there is no patient to render again."""
        image, pose, _ = self.batch(step)
        kept = worth_learning(image, None)
        return Views(image.to(device), pose.to(device), kept.to(device)), None


def held_out_samples(
    folder: Path, *, camera: Camera, count: int, on_damage: Literal["stop", "skip"] = "stop"
) -> tuple[Tensor, Tensor, Tensor]:
    """Images (V, 1, N, N), poses (V, 4, 4) and landmarks (V, 8, 3) of the split "val", or of the first split."""
    order = ReadingOrder(shuffle=False)
    dataset = XrayDataset(
        folder,
        split=existing_split(folder, VALIDATION),
        order=order,
        parts=("image",),
        transform=ToView(camera),
        rank=0,
        world_size=1,
        on_damage=on_damage,
    )
    samples = [sample for _, sample in zip(range(count), dataset, strict=False)]
    image, pose, points = default_collate(samples)
    return image, pose, points


def _points(sample: XraySample) -> Tensor:
    """Eight landmarks of the patient, repeated if there are fewer; without any, points round the middle of the beam."""
    world = sample.landmarks.world
    if len(world):
        return world[torch.arange(POINTS) % len(world)]
    depth = 0.7 * sample.camera.sdd_mm
    corners = torch.cartesian_prod(*(torch.tensor([-75.0, 75.0], dtype=torch.float64),) * 3)
    return sample.pose[:3, 3] + depth * sample.pose[:3, 2] + corners
