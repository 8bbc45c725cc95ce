"""Settings of a matcher's training: the options of `xraykit corr train`, in groups.

The defaults are those of the preset "laptop": a small network that learns something in half an hour of two CPU cores.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xraykit.render.training import LengthSettings, RunSettings

from ..data.settings import (
    ImageChangeSettings,
    PairSettings,
    TissueClass,
    TruthMode,
    XrayField,
    XrayInputSettings,
)
from ..network.matcher_config import InputContrast, MatchModule, TrunkNorm

MatchTarget = Literal["correspondence", "shuffled", "thickness"]
"""What a matcher's training asks for; the last two are controls."""


@dataclass(frozen=True)
class MatcherDataSettings:
    """What is learned from: X-rays of patients with their tissue."""

    sources: tuple[str, ...] = field(default=(), metadata={"positional": True})
    """Data set jobs made with `image.tissue`. Patients of a split "val" are only looked at, those of "test" not even
    that; without a split "val" some patients are held out."""
    size: int = PairSettings.size
    """Edge of the images that the network sees [px]."""
    field: XrayField = XrayInputSettings.field
    """Which pixels of an X-ray count: whole, or what the collimator left open (exposed)."""
    tissue: TissueClass = PairSettings.tissue
    """What must lie in the beams of two patches for them to correspond."""
    truth: TruthMode = PairSettings.mode
    """How much two patches correspond: the largest share of a cell that both see, 0 or 1, or the shared volume."""
    views: int = PairSettings.views_per_item
    """Views of one patient that are seen together, 2 or more; all their pairs are learned from."""
    angles: tuple[float, float] = PairSettings.angles
    """Least and greatest angle between the beams of two views [degrees]."""
    unrelated: float = 0.2
    """Share of training items whose last view is of another patient, where nothing corresponds."""
    held_out_share: float = 0.1
    """Share of patients that are held out where the data have no split "val"."""
    held_out_pairs: int = 96
    """Most pairs of held-out patients that every validation looks at; a third as many unrelated ones are added."""
    prior_pairs: int = 256
    """Training pairs whose mean correspondence is the prior, and the first answer of a new network."""
    cache: Path | None = None
    """Folder for the prepared images; `pairs` in the output folder if left out."""


@dataclass(frozen=True)
class MatcherNetworkSettings:
    """The network: a new one, or weights to go on from."""

    variant: str = "mini"
    """mini, small, paper, or paper-authors."""
    start: str | None = None
    """Weights to go on from: a folder, file or hub id, or shipped. Their config counts, not the variant."""
    trunk_weights: str | None = None
    """Weights of the trunk alone, with timm's names: a file or hub id."""
    module: MatchModule | None = None
    """How tokens attend; the variant's if left out."""
    layers: int | None = None
    """Layers of the module."""
    dimension: int | None = None
    """Length of a token."""
    heads: int | None = None
    """Attention heads a layer."""
    trunk: str | None = None
    """Convolutional trunk: mini, or any timm model."""
    stride: int | None = None
    """Pixels per patch, 8 or 16."""
    norm: TrunkNorm | None = None
    """Normalisation in the trunk."""
    input_contrast: InputContrast | None = None
    """global: grey values as they are; local: relative to their surroundings, for lesions of a few pixels."""
    overlap_head: bool = field(default=True, metadata={"negative": "--no-overlap-head"})
    """A second head tells if two views show the same part of one patient; weights to go on from get one too."""


@dataclass(frozen=True)
class MatchObjectiveSettings:
    """What is asked of the network, and how it follows."""

    loss: Literal["mse", "bce", "focal"] = "mse"
    """mse as in the paper; bce; focal, which is not calibrated."""
    overlap_weight: float = 0.005
    """Weight of the cross-entropy of the second head."""
    balance: bool = False
    """Weigh positives by min((1 - density) / density, 10)."""
    target: MatchTarget = "correspondence"
    """What is learned: correspondence; or, as controls, the correspondence of another pair (shuffled), which teaches
    the prior alone, or how much tissue is in the beam of each patch (thickness), for which one view is enough."""
    weight_decay: float = 0.0
    """AdamW's; 0 is Adam."""
    trunk_rate: float = 1.0
    """Multiple of the learning rate for the trunk; less where it starts from weights."""
    least_rate: float = 1e-6
    """Learning rate at the end."""
    average: float = 0.0
    """Momentum of the average of the weights, which is saved and validated in place of the last; 0 is off."""


@dataclass(frozen=True)
class MatcherLengthSettings(LengthSettings):
    """How long the training is, and how fast it learns."""

    batch: int | None = 16
    """Pairs at a time and device."""
    rate: float = 1e-3
    """Peak learning rate."""
    warmup: int = 100
    """Optimiser steps to the peak rate; a cosine follows."""
    clip: float = 1.0
    """Longest gradient of all parameters together; 0 for any."""


@dataclass(frozen=True)
class MatcherSettings:
    """All settings of a matcher's training.

    Example:
        `MatcherSettings(data=MatcherDataSettings(("job/",)), run=RunSettings(Path("out")))`
    """

    data: MatcherDataSettings = field(default_factory=MatcherDataSettings)
    network: MatcherNetworkSettings = field(default_factory=MatcherNetworkSettings)
    changes: ImageChangeSettings = field(default_factory=ImageChangeSettings)
    objective: MatchObjectiveSettings = field(default_factory=MatchObjectiveSettings)
    length: MatcherLengthSettings = field(default_factory=MatcherLengthSettings)
    run: RunSettings = field(kw_only=True)
