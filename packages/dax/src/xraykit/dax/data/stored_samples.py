"""The samples of a data set job by number; reading on is cheap, going back begins at a shard's front."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch.utils.data import get_worker_info

from xraykit.render import InputError
from xraykit.render.dataset import ReadingOrder, XrayDataset, XraySample

from .xray_frame import XrayFrame


class StoredSamples:
    """The samples of a data set in the order of its shards.

    Args:
        folder: Of the data set.
        split: Which split; None is all.

    Raises:
        FileError: No finished data set is there.
        InputError: It has no such split.
    """

    def __init__(self, folder: Path, *, split: str | None = None) -> None:
        self.folder, self.split = folder, split
        self._dataset: XrayDataset | None = None
        self._stream: Iterator[XraySample] = iter(())
        self._next = -1
        dataset = self._opened()
        self._count, self._identity = len(dataset), dataset.manifest.config_sha256
        self._shards = [(shard.name, shard.sha256) for shard in dataset.shards]

    def __len__(self) -> int:
        """How many samples."""
        return self._count

    def __getstate__(self) -> dict[str, Any]:
        """Without the open shard."""
        return {**self.__dict__, "_dataset": None, "_stream": iter(()), "_next": -1}

    def where(self, place: int) -> str:
        """The data set's folder and the sample's number."""
        return f"{self.folder.name}/{place}"

    def identity(self) -> str:
        """What the samples follow from."""
        return repr((str(self.folder.resolve()), self._identity, self._shards))

    def read(self, place: int, *, field: bool) -> XrayFrame:
        """Sample `place` as a frame.

        Raises:
            FileError: The shard is damaged.
            InputError: This is a worker of a DataLoader, among which a data set shares its samples by itself.
        """
        if get_worker_info() is not None:
            raise InputError("samples by number are not for workers of a DataLoader; use map_frames or prepare_frames.")

        if place != self._next:
            dataset = self._opened()
            dataset.start_at(epoch=0, batches=place, batch_size=1, drop_last=False)
            self._stream = iter(dataset)
        self._next = -1  # should it fail, the next one begins anew
        sample = next(self._stream)
        self._next = place + 1
        labels = {"region": sample.region, "view": sample.view, "patient": str(sample.patient)}
        labels["split"] = sample.split
        seen = sample.open_field if field else None
        return XrayFrame(sample.key, sample.intensity()[0], labels, (), seen)

    def release(self) -> None:
        """Let go of the open shard."""
        self._stream, self._next = iter(()), -1

    def _opened(self) -> XrayDataset:
        if self._dataset is None:
            order = ReadingOrder(shuffle=False)
            self._dataset = XrayDataset(
                self.folder, split=self.split, order=order, parts=("image",), rank=0, world_size=1
            )
        return self._dataset
