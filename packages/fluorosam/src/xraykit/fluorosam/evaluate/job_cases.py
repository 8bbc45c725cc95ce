"""Cases of data set jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xraykit.render import FileError
from xraykit.render.commands import LeftOut
from xraykit.render.dataset import ReadingOrder, XrayDataset, XraySample

from ..vocabulary.annotations import absent_targets, present_targets
from .cases import SegmentationCase, evenly

TEST_SPLITS = ("test", "val")


class JobCases:
    """Images of a data set job, bone bright.

    Args:
        folder: The job's folder.
        split: Which split; None is test, else val, else everything.
        most: Most images, evenly spread over the split; 0 is all.
        left_out: Takes the shards that are damaged; None ends at the first.

    Raises:
        FileError: No finished data set, or no such split.
    """

    def __init__(
        self, folder: str | Path, *, split: str | None = None, most: int = 0, left_out: LeftOut | None = None
    ) -> None:
        self.folder = Path(folder)
        self.split = evaluated_split(self.folder, split)
        self._data = XrayDataset(
            self.folder,
            split=self.split,
            order=ReadingOrder(shuffle=False),
            parts=("image", "masks"),
            rank=0,
            world_size=1,
            on_damage="stop" if left_out is None else "skip",
        )
        if left_out is not None:
            left_out.found += self._data.damaged
        self._numbers = evenly(len(self._data), most)

    notes = ()

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[SegmentationCase]:
        wanted = set(self._numbers)
        for number, sample in enumerate(self._data):
            if number in wanted:
                yield job_case(sample)


def job_case(sample: XraySample) -> SegmentationCase:
    """A sample of a data set as a case.

    Raises:
        FileError: A damaged sample.
    """
    row, column = (float(side) for side in sample.record["camera"]["pixel_spacing"])
    return SegmentationCase(
        sample.key,
        str(sample.patient),
        sample.view,
        sample.log_attenuation()[0],
        "bright",
        sample.masks,
        present_targets(sample.names, sample.kinds),
        absent_targets(sample.names, sample.kinds),
        (row, column),
    )


def evaluated_split(folder: str | Path, split: str | None) -> str | None:
    """The split that is evaluated: the one asked for, else test, else val, else None for all of it.

    Raises:
        FileError: There is no such data set.
    """
    there = job_splits(folder)
    if split is not None:
        if split not in there:
            raise FileError(f"{folder} must have a split {split!r}, got {', '.join(sorted(there))}; name one of these.")
        return split
    return next((name for name in TEST_SPLITS if name in there), None)


def job_splits(folder: str | Path) -> frozenset[str]:
    """Names of a data set's splits."""
    data = XrayDataset(folder, parts=(), rank=0, world_size=1)
    return frozenset(shard.split for shard in data.manifest.shards)
