"""Settings of fine-tuning on annotated pairs: the options of `xraykit corr finetune`, in groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xraykit.render.training import LengthSettings, RunSettings

from ..data.settings import ImageChangeSettings
from ..data.xray_reading import XrayReading


@dataclass(frozen=True)
class FinetuneDataSettings:
    """What is learned from: points that people marked."""

    annotations: Path = field(default=Path(), metadata={"positional": True})
    """Annotation file; samples of its split "train" are learned from, those of "val" decide when to stop, those of
    "test" are scored at the end."""
    dilate: bool = True
    """A positive point with a radius counts for the patches within it too, with half the weight."""
    random_negatives: int = 100
    """Pairs of views with fewer negative entries get random ones up to this number; 0 for none."""


@dataclass(frozen=True)
class FinetuneNetworkSettings:
    """The network to go on from."""

    start: str = "shipped"
    """Weights: a folder, file or hub id, or shipped."""


@dataclass(frozen=True)
class FinetuneObjectiveSettings:
    """What is asked of the network, and when it is enough."""

    loss: Literal["mse", "bce", "focal"] = "mse"
    """Of the annotated entries."""
    balanced: bool = True
    """Positive and negative entries count as much as each other, whatever their number; else each entry alike."""
    keep: float = 0.1
    """Weight of the squared difference from the network's first answers, over all entries."""
    patience: int = 10
    """Validations without a better average precision until the training ends."""
    weight_decay: float = 0.01
    """AdamW's."""


@dataclass(frozen=True)
class FinetuneLengthSettings(LengthSettings):
    """How long the training is at most, and how fast it learns."""

    steps: int | None = 1000
    """Length in batches."""
    batch: int | None = 8
    """Pairs of views at a time and device; fewer where there are not so many."""
    rate: float = 1e-5
    """Peak learning rate."""
    warmup: int = 20
    """Optimiser steps to the peak rate; a cosine follows."""
    clip: float = 1.0
    """Longest gradient of all parameters together; 0 for any."""
    validate_every: int | None = 25
    """Batches between validations."""


@dataclass(frozen=True)
class FinetuneSettings:
    """All settings of fine-tuning.

    Example:
        `FinetuneSettings(data=FinetuneDataSettings(Path("points.json")), run=RunSettings(Path("out")))`
    """

    data: FinetuneDataSettings = field(default_factory=FinetuneDataSettings)
    reading: XrayReading = field(default_factory=XrayReading)
    network: FinetuneNetworkSettings = field(default_factory=FinetuneNetworkSettings)
    changes: ImageChangeSettings = field(
        default_factory=lambda: ImageChangeSettings(roll=15, zoom=0.1, shift=0.05, mirror=0.5, invert=0.0)
    )
    objective: FinetuneObjectiveSettings = field(default_factory=FinetuneObjectiveSettings)
    length: FinetuneLengthSettings = field(default_factory=FinetuneLengthSettings)
    repeats: int = 1
    """Trainings with seeds of their own, whose scores are reported together."""
    run: RunSettings = field(kw_only=True)
