"""Settings of classifiers of studies: the options of `xraykit corr classify`, in groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.radiographs import Colour, Polarity
from xraykit.render.training import LengthSettings, RunSettings

from ..network.classifier_config import StudyFusion, TokenPool
from ..network.matcher_config import InputContrast, TrunkNorm
from ..studies.settings import StudyChangeSettings
from .study_arm import GuidanceKind, StudyStart


@dataclass(frozen=True)
class ClassifyDataSettings:
    """What is learned from."""

    studies: Path = field(default=Path(), metadata={"positional": True})
    """Study manifest (CSV), see `xraykit corr studies`; the split "train" is learned from, "val" decides when to stop,
    "test" is scored. correspondences.npz beside it holds the true correspondence."""
    views: int = 2
    """Most X-rays of a study, the first ones by number."""
    min_images: int = 1
    """Fewest X-rays of a study."""
    skip_short: bool = False
    """Leave studies with fewer X-rays out, else they are refused."""
    polarity: Polarity | None = None
    """What pixel values mean, such as log_attenuation (bone bright) or intensity (bone dark); default: as each file
    says."""
    colour: Colour = None
    """luma accepts colour pictures by their brightness."""


@dataclass(frozen=True)
class ClassifyNetworkSettings:
    """The classifier: an arm, and what it starts from."""

    fusion: StudyFusion = "early"
    """single: one X-ray; late: the mean of each X-ray's answer; early: all X-rays in one encoder."""
    start: StudyStart | None = None
    """scratch, pretrained, permuted (the matcher's numbers, shuffled), control or pretext; default: pretrained if
    --pretrained is there."""
    guidance: GuidanceKind = "off"
    """Correspondence that guides the attention: predicted by the matcher, its mean, shuffled over studies, or the true
    one (oracle)."""
    pretrained: str | None = None
    """Weights of a matcher, to start from and to predict the correspondence: a folder, file or hub id, or shipped."""
    control: str | None = None
    """Weights of a matcher that learned from shuffled truth (xraykit corr train --target shuffled)."""
    pretext: str | None = None
    """Weights of one that learned how thick the tissue is (xraykit corr train --target thickness)."""
    variant: str = "mini"
    """Config of the network where no matcher gives one: mini, small or paper."""
    norm: TrunkNorm | None = None
    """Normalisation in the trunk, for a network that no matcher gives."""
    input_contrast: InputContrast | None = None
    """global: grey values as they are; local: relative to their surroundings; for a network that no matcher gives."""
    per_head: bool = False
    """A learned weight of the guidance for each head, else one a layer."""
    pool: TokenPool = "mean"
    """What becomes of all tokens: mean, as in the paper; mean_max adds their greatest values, for small lesions."""
    centred: bool = False
    """Guidance says where to look in another X-ray, not how much at it."""


@dataclass(frozen=True)
class ClassifyObjectiveSettings:
    """How it is learned, and when it is enough."""

    patience: int = 8
    """Validations without a better AUROC until the training ends."""
    weight_decay: float = 0.05
    """AdamW's."""
    trunk_rate: float = 1.0
    """Multiple of the learning rate for the convolutional trunk."""
    alpha_rate: float = 30.0
    """Multiple of the learning rate for the weights of the guidance."""
    renew_statistics: bool = False
    """Batch normalisation goes on counting its statistics on the studies; else those of a start stay."""


@dataclass(frozen=True)
class ClassifyLengthSettings(LengthSettings):
    """How long the training is at most, and how fast it learns."""

    steps: int | None = 400
    """Length in batches."""
    batch: int | None = 16
    """Studies at a time and device."""
    rate: float = 5e-4
    """Peak learning rate."""
    warmup: int = 20
    """Optimiser steps to the peak rate; a cosine follows."""
    clip: float = 1.0
    """Longest gradient of all parameters together; 0 for any."""
    validate_every: int | None = 25
    """Batches between validations."""


@dataclass(frozen=True)
class ClassifyGridSettings:
    """Many arms, each with several seeds, scored together."""

    grid: bool = False
    """Train all arms in place of one; what is finished in the output folder stays."""
    seeds: int = 3
    """Trainings of each arm."""
    arms: tuple[str, ...] = ()
    """Names of arms, such as early-pretrained-predicted; default: all."""
    reference: str = "early-scratch"
    """Arm that the others are compared with."""


@dataclass(frozen=True)
class ClassifySettings:
    """All settings of a classifier's training.

    Example:
        `ClassifySettings(data=ClassifyDataSettings(Path("studies.csv")), run=RunSettings(Path("out")))`
    """

    data: ClassifyDataSettings = field(default_factory=ClassifyDataSettings)
    network: ClassifyNetworkSettings = field(default_factory=ClassifyNetworkSettings)
    changes: StudyChangeSettings = field(default_factory=StudyChangeSettings)
    objective: ClassifyObjectiveSettings = field(default_factory=ClassifyObjectiveSettings)
    length: ClassifyLengthSettings = field(default_factory=ClassifyLengthSettings)
    grid: ClassifyGridSettings = field(default_factory=ClassifyGridSettings)
    run: RunSettings = field(kw_only=True)
