"""What is evaluated, and on what: the options of `xraykit fluorosam evaluate`, without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from xraykit.render import InputError
from xraykit.render.commands import VolumeSettings

from ..predictor.settings import XrayFileSettings

CaseLayout = Literal["job", "fluoroseg", "jsrt", "montgomery", "shenzhen", "registered"]
AskKind = Literal["text", "text_held_out", "box", "points", "text_points", "absent"]
"""What an answer was asked by: words, words in a wording never trained on, a box, points alone, words then points,
and words for what the image does not show."""
ASK_KINDS: tuple[AskKind, ...] = get_args(AskKind)


@dataclass(frozen=True)
class CaseSettings:
    """Which images, and where they are."""

    layout: CaseLayout = "job"
    """A data set job's folder, FluoroSeg's files, a set of chest X-rays with lung masks, or X-rays registered to a
    CT."""
    split: str | None = None
    """Which split of a job or of FluoroSeg; default: test, else val, else all of it."""
    images: int = 200
    """Most images, evenly spread over the set; 0 is all."""
    xvr: Path | None = None
    """Of registered X-rays: a result of xvr register (its folder or result.json), or a pose.json."""
    ct: Path | None = None
    """Of registered X-rays: the CT."""
    labels: Path | None = None
    """Of registered X-rays: the label map on the CT's grid."""
    label_names: str | None = None
    """Of registered X-rays: a table of label names such as totalsegmentator_v2; default: those in the file."""
    volume: VolumeSettings = field(default_factory=VolumeSettings)
    reading: XrayFileSettings = field(default_factory=XrayFileSettings)

    def __post_init__(self) -> None:
        if self.layout not in get_args(CaseLayout):
            raise InputError(f"layout must be one of {', '.join(get_args(CaseLayout))}, got {str(self.layout)[:40]!r}.")
        _check_count("images", self.images, 0)


@dataclass(frozen=True)
class AskSettings:
    """What is asked of each image."""

    kinds: tuple[AskKind, ...] = ASK_KINDS
    """How masks are asked for."""
    targets: tuple[str, ...] = ()
    """Only these structures, groups and tools."""
    per_image: int = 12
    """Most targets of an image, drawn by seed; 0 is all."""
    absent: int = 4
    """Most targets that an image surely does not show, of which words ask as well."""
    points: int = 8
    """Points of each chain, each from where the answer before it was wrong."""
    texts: Path | None = None
    """A file of prompts in place of the grammar's texts."""
    smallest: float = 0.001
    """Least area of a mask, as a share of the image."""
    largest: float = 0.9
    """Most area."""
    large_from: float = 0.025
    """Masks below this share of the image are reported apart."""
    seed: int = 0
    """Of the draws: the same questions for every method and every run."""

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in ASK_KINDS]
        if unknown or not self.kinds:
            raise InputError(f"kinds must be among {', '.join(ASK_KINDS)}, got {', '.join(unknown) or 'none'}.")
        _check_count("per_image", self.per_image, 0)
        _check_count("absent", self.absent, 0)
        _check_count("points", self.points, 1, 64)
        _check_count("seed", self.seed, 0, 1 << 31)
        shares = (self.smallest, self.large_from, self.largest)
        if not all(math.isfinite(share) for share in shares) or not 0 < self.smallest < self.largest <= 1:
            raise InputError(f"areas must be shares with 0 < smallest < largest <= 1, got {shares[0]} and {shares[2]}.")


@dataclass(frozen=True)
class BaselineSettings:
    """What stands beside the model in the same table."""

    mean_mask: bool = True
    """The mean mask of the structure in the training split, by view; of jobs."""
    box_fill: bool = True
    """The box itself as the mask."""
    sam: Path | None = None
    """A checkpoint of Segment Anything: points and boxes."""
    medsam: Path | None = None
    """A checkpoint of MedSAM: boxes."""
    flexray: Path | None = None
    """A folder of FleXray's weights: its classes, asked for by name."""
    training_images: int = 400
    """Most images that mean masks come from."""


@dataclass(frozen=True)
class SegmentationEvaluationSettings:
    """An evaluation."""

    data: Path = field(metadata={"positional": True})
    """The images: a data set job's folder, a folder in another layout, or registered X-rays (a file or a folder)."""
    output: Path = field(metadata={"short": "-o"})
    """Folder of the rows and the report."""
    weights: str = "shipped"
    """The network: shipped, a folder, a file, a published checkpoint or a name in a hub."""
    cases: CaseSettings = field(default_factory=CaseSettings)
    asks: AskSettings = field(default_factory=AskSettings)
    baselines: BaselineSettings = field(default_factory=BaselineSettings)
    device: str = "auto"
    """Where the network runs."""


def _check_count(name: str, value: object, least: int, most: int = 10_000_000) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} must be a whole number from {least} to {most}, got {str(value)[:40]}.")
