"""Cases of FluoroSeg's files and of chest X-rays with lung masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xraykit.render import FileError
from xraykit.render.commands import LeftOut

from ..data.fluoroseg import FluoroSegData
from ..data.lung_sets import LungLayout, LungSet
from ..data.rib_geometry import likely_rib_names
from ..vocabulary.annotations import absent_targets, present_targets
from .cases import SegmentationCase, evenly, readable

_LOOKED_AT = 40  # images whose ribs say how they are named
CHEST_VIEW = "chest_pa"


class FluoroSegCases:
    """X-rays in FluoroSeg's layout, bone bright; ribs by the naming that fits where they lie.

    Args:
        folder: With CASE.json files.
        split: "train" or "val"; None is val where it is not empty, else everything.
        most: Most images, evenly spread; 0 is all.
        left_out: Takes images that cannot be read; None ends at the first.

    Raises:
        FileError: No cases there. InputError: No such split.
    """

    def __init__(
        self, folder: str | Path, *, split: str | None = None, most: int = 0, left_out: LeftOut | None = None
    ) -> None:
        data, self._left_out = _fluoroseg(folder, split), left_out
        self._numbers = evenly(len(data), most)
        if not self._numbers:
            raise FileError(f"{folder} must hold images, got cases without any.")
        some = [self._numbers[n] for n in evenly(len(self._numbers), _LOOKED_AT)]
        looked_at = list(readable(some, data.read, left_out))
        if likely_rib_names([(one.masks, one.labels) for one in looked_at]) == "legacy":
            data.ribs = "legacy"
        self.data = data

    notes = ()

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[SegmentationCase]:
        for sample in readable(self._numbers, self.data.read, self._left_out):
            pixel = sample.image.pixel_size
            yield SegmentationCase(
                sample.image.name,
                sample.image.patient,
                "unknown",
                sample.log_attenuation(),
                "bright",
                sample.masks,
                present_targets(sample.labels, sample.kinds),
                absent_targets(sample.labels, sample.kinds),
                None if pixel is None else (pixel, pixel),
            )


class LungCases:
    """Chest X-rays with masks of lungs, and of heart and collarbones where the set has them.

    Args:
        folder: Holds the set.
        layout: Which set.
        most: Most images, evenly spread; 0 is all.
        left_out: Takes images that cannot be read; None ends at the first.

    Raises:
        FileError: No X-ray with a mask.
    """

    def __init__(
        self, folder: str | Path, layout: LungLayout, *, most: int = 0, left_out: LeftOut | None = None
    ) -> None:
        self.data, self._left_out = LungSet(folder, layout), left_out
        self._numbers = evenly(len(self.data), most)

    notes = ()

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[SegmentationCase]:
        for xray in readable(self._numbers, self.data.read, self._left_out):
            spacing = None if xray.spacing is None else (xray.spacing, xray.spacing)
            yield SegmentationCase(
                xray.name,
                xray.name,
                CHEST_VIEW,
                xray.image,
                xray.bone,
                xray.masks,
                lung_targets(xray.labels),
                (),
                spacing,
            )


def lung_targets(labels: tuple[str, ...]) -> dict[str, tuple[int, ...]]:
    """Each mask by its name, and the two of a pair together as well: "lungs" and "clavicula"."""
    targets: dict[str, tuple[int, ...]] = {label: (n,) for n, label in enumerate(labels)}
    for both, left in (("lungs", "lung_left"), ("clavicula", "clavicula_left")):
        right = left.replace("left", "right")
        if left in targets and right in targets:
            targets[both] = (*targets[left], *targets[right])
    return targets


def _fluoroseg(folder: str | Path, split: str | None) -> FluoroSegData:
    if split is not None:
        return FluoroSegData(folder, split=split)  # type: ignore[arg-type]
    try:
        return FluoroSegData(folder, split="val")
    except FileError:
        return FluoroSegData(folder)
