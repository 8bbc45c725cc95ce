"""What is evaluated: the options of `xraykit corr evaluate`, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xraykit.render.training import RunSettings

from ..data.settings import ImageChangeSettings
from ..data.xray_reading import XrayReading
from ..studies.settings import StudyChangeSettings
from ..train.classify_settings import (
    ClassifyDataSettings,
    ClassifyLengthSettings,
    ClassifyNetworkSettings,
    ClassifyObjectiveSettings,
)
from ..train.finetune_settings import FinetuneDataSettings, FinetuneLengthSettings, FinetuneObjectiveSettings
from ..train.settings import MatcherDataSettings, MatcherLengthSettings, MatchObjectiveSettings

ModuleArm = Literal["none", "superglue", "loftr", "standard_mp", "standard", "standard_large"]
"""A row of table 1; standard_large is `standard` with as many weights as the largest of the others."""
MODULE_ARMS: tuple[ModuleArm, ...] = ("none", "superglue", "loftr", "standard_mp", "standard", "standard_large")


@dataclass(frozen=True)
class Table1NetworkSettings:
    """What all rows share."""

    variant: str = "mini"
    """mini, small or paper: trunk, dimension and heads of every row, and the layers of `standard`."""
    layers: int | None = None
    """Layers of `standard`; the others have as many times more as in the literature."""
    dimension: int | None = None
    """Length of a token."""


@dataclass(frozen=True)
class Table1RowSettings:
    """Which rows there are, and what they are tested on."""

    arms: tuple[ModuleArm, ...] = MODULE_ARMS
    """Rows to train."""
    repeats: int = 1
    """Trainings of each row, with seeds of their own."""
    test_pairs: int = 256
    """Most pairs of test patients; a third as many unrelated ones are added."""
    roll_pairs: int = 48
    """How many of them are looked at again with one view turned; 0 for none."""


@dataclass(frozen=True)
class TableLengthSettings(MatcherLengthSettings):
    """How long everything takes together, and how fast each row learns."""

    minutes: float | None = 60.0
    """Length of the whole evaluation in minutes of wall time: rows are timed first, and all then train for the same
    number of batches."""
    steps: int | None = None
    """Length of each training in batches, in place of minutes."""


@dataclass(frozen=True)
class Table1Settings:
    """The five modules on the same data."""

    data: MatcherDataSettings = field(default_factory=MatcherDataSettings)
    network: Table1NetworkSettings = field(default_factory=Table1NetworkSettings)
    rows: Table1RowSettings = field(default_factory=Table1RowSettings)
    changes: ImageChangeSettings = field(default_factory=ImageChangeSettings)
    objective: MatchObjectiveSettings = field(default_factory=MatchObjectiveSettings)
    length: TableLengthSettings = field(default_factory=TableLengthSettings)
    run: RunSettings = field(kw_only=True)


@dataclass(frozen=True)
class Table2RowSettings:
    """Which rows there are."""

    start: str = "shipped"
    """Matcher that is scored as it is, and then fine-tuned: a folder, file or hub id, or shipped."""
    aliked: Path | None = None
    """Weights of ALIKED, aliked-n16.pth or aliked-t16.pth, for the rows of a local matcher; needs kornia."""
    aliked_size: int = 640
    """Edge of the images that the local matcher sees [px]."""
    repeats: int = 5
    """Fine-tunings, with seeds of their own."""


@dataclass(frozen=True)
class Table2LengthSettings(FinetuneLengthSettings):
    """How long everything takes together, and how fast each training learns."""

    minutes: float | None = 30.0
    """Most minutes of wall time of the whole evaluation; each training has an equal part of it."""


@dataclass(frozen=True)
class Table2Settings:
    """Marked points: a matcher as it is and fine-tuned."""

    data: FinetuneDataSettings = field(default_factory=FinetuneDataSettings)
    reading: XrayReading = field(default_factory=XrayReading)
    rows: Table2RowSettings = field(default_factory=Table2RowSettings)
    changes: ImageChangeSettings = field(
        default_factory=lambda: ImageChangeSettings(roll=15, zoom=0.1, shift=0.05, mirror=0.5, invert=0.0)
    )
    objective: FinetuneObjectiveSettings = field(default_factory=FinetuneObjectiveSettings)
    length: Table2LengthSettings = field(default_factory=Table2LengthSettings)
    run: RunSettings = field(kw_only=True)


@dataclass(frozen=True)
class Table3LengthSettings(ClassifyLengthSettings):
    """How long everything takes together, and how fast each arm learns."""

    minutes: float | None = 60.0
    """Length of the whole grid in minutes of wall time: it is timed first, and all arms then have the same number of
    batches at most."""
    steps: int | None = None
    """Most batches of each training, in place of minutes."""
    validate_every: int | None = None
    """Batches between validations; sixteen times in all if left out."""


@dataclass(frozen=True)
class Table3GridSettings:
    """Which arms there are."""

    seeds: int = 3
    """Trainings of each arm."""
    arms: tuple[str, ...] = ()
    """Names of arms, such as early-pretrained-predicted; default: all."""
    reference: str = "early-scratch"
    """Arm that the others are compared with."""


@dataclass(frozen=True)
class Table3Settings:
    """Studies of several X-rays: fusion, pre-training and guidance, each with its controls."""

    data: ClassifyDataSettings = field(default_factory=ClassifyDataSettings)
    network: ClassifyNetworkSettings = field(default_factory=ClassifyNetworkSettings)
    changes: StudyChangeSettings = field(default_factory=StudyChangeSettings)
    objective: ClassifyObjectiveSettings = field(default_factory=ClassifyObjectiveSettings)
    length: Table3LengthSettings = field(default_factory=Table3LengthSettings)
    grid: Table3GridSettings = field(default_factory=Table3GridSettings)
    run: RunSettings = field(kw_only=True)
