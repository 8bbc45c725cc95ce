"""A folder in FluoroSeg's layout looked through: every file, every mask, and the ribs' names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from .fluoroseg import FluoroSegData, FluoroSegSplit
from .rib_geometry import RibCheck, check_rib_names, likely_rib_names


@dataclass(frozen=True)
class FluoroSegCheck:
    """What a folder holds.

    Args:
        cases: CTs.
        images: X-rays that were read.
        annotations: Masks in them.
        ribs: Ribs whose side could be told.
        wrong_sides: Those among them on the other side.
        wrong_levels: Pairs of ribs in the wrong order.
        naming: "as named", "legacy" or "unclear", see `likely_rib_names`.
        examples: Some X-rays and ribs that contradict their names.
    """

    cases: int
    images: int
    annotations: int
    ribs: int
    wrong_sides: int
    wrong_levels: int
    naming: str
    examples: tuple[str, ...] = ()

    @property
    def ribs_sentence(self) -> str:
        """What geometry says of the ribs' names."""
        if not self.ribs:
            return "ribs: none whose side can be told"
        found = (
            f"ribs: {self.wrong_sides} of {self.ribs} on the other side, {self.wrong_levels} pairs in the wrong order"
        )
        advice = {
            "as named": "the names fit",
            "legacy": "numbers are those before TotalSegmentator 2.2.1, names those after it; read with ribs='legacy'",
            "unclear": "which naming is meant cannot be told",
        }[self.naming]
        shown = f" (such as {'; '.join(self.examples)})" if self.examples else ""
        return f"{found}{shown}; {advice}"


def check_fluoroseg(
    folder: str | Path,
    *,
    split: FluoroSegSplit | None = None,
    most: int | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> FluoroSegCheck:
    """Read X-rays of a folder with all their masks.

    Args:
        folder: In FluoroSeg's layout.
        split: Only this one.
        most: Most X-rays, evenly spread; None is all.
        report: Told of X-rays done and their number.

    Raises:
        FileError: The first thing that is missing, mismatched or damaged.
    """
    data = FluoroSegData(folder, split=split)
    count = len(data) if most is None else min(most, len(data))
    numbers = torch.linspace(0, len(data) - 1, count).round().long().tolist() if count else []
    masks, checks, examples, ribbed = 0, list[RibCheck](), list[str](), []
    for done, number in enumerate(numbers, start=1):
        sample = data.read(number)
        masks += len(sample.labels)
        found = check_rib_names(sample.masks, sample.labels)
        checks.append(found)
        if found.sides and len(examples) < 3:
            examples.append(f"{sample.image.name}: {found.sides[0]}")
        if found.compared and len(ribbed) < 40:
            ribbed.append((sample.masks, sample.labels))
        report(done, count)
    return FluoroSegCheck(
        len({data.images[n].case for n in numbers}),
        count,
        masks,
        sum(one.compared for one in checks),
        sum(len(one.sides) for one in checks),
        sum(len(one.levels) for one in checks),
        likely_rib_names(ribbed) if ribbed else "unclear",
        tuple(examples),
    )
