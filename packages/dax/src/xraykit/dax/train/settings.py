"""Settings of a pre-training: the options of `xraykit dax pretrain`, in groups.

The defaults are those of the preset "laptop": a small ViT that learns something in an hour of two CPU cores.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xraykit.render.training import LengthSettings, RunSettings

from ..data.settings import MultiCropSettings, PreprocessSettings

TaughtBy = Literal["dino", "dinov2"]
"""What a student is taught: crops as in the paper, or masked patches as well."""


@dataclass(frozen=True)
class PretrainingDataSettings:
    """What is learned from: X-rays without labels."""

    sources: tuple[str, ...] = field(default=(), metadata={"positional": True})
    """X-rays: files, folders, lists (.txt, .csv) and data set jobs. Images of a split "val" or "test" are held out."""
    frames: str = "all"
    """Of files with several frames: all, middle, or how many, evenly."""
    polarity: str | None = None
    """What pixel values mean where files do not say: intensity, inverted_intensity, log_intensity, log_attenuation."""
    on_error: Literal["skip", "stop"] = "skip"
    """What an X-ray that cannot be read means: leave it out and name it at the end (exit status 3), or end the run."""
    longest: int = 224
    """Longest side that images are kept with for training [px]; no less than the global crops."""
    cache: Path | None = None
    """Folder for the prepared images, 2 bytes per pixel; `frames` in the output folder if left out."""
    held_out: tuple[str, ...] = ()
    """More X-rays that are only looked at: with labels (a list with a column region, a data set job) for k-NN."""
    label: str = "region"
    """Which label the k-NN accuracy is of."""


@dataclass(frozen=True)
class PretrainedNetworkSettings:
    """The network: a new one, or weights to go on from."""

    architecture: str = "vit_mini16"
    """vit_tiny16, vit_tiny8, vit_small16, vit_small8, resnet18, resnet50, the small vit_mini16 and resnet10, or any
    model of timm."""
    start: str | None = None
    """Weights to go on from, with their head if it lies beside them: folder, file, hub id or published name."""
    channels: int = 1
    """Of the input: 1, or 3 equal ones as published."""
    drop_path: float = 0.05
    """Stochastic depth of the student, growing to this over the blocks of a ViT."""
    position_resize: Literal["size", "published"] = "size"
    """How position embeddings become those of another image size."""


@dataclass(frozen=True)
class HeadSettings:
    """The projection head, which is thrown away after the training."""

    outputs: int = 1024
    """Prototypes K; the paper's 65536 need large batches and long trainings."""
    hidden: int = 1024
    """Width of its hidden layers."""
    bottleneck: int = 256
    """Width before the prototypes."""
    layers: int = 3
    """Linear layers before the prototypes."""
    batch_norm: bool = field(default=True, metadata={"negative": "--no-batch-norm"})
    """Batch normalisation in the head, as published for ResNets; without it a short training stays near uniform."""
    norm_last_layer: bool = field(default=True, metadata={"negative": "--no-norm-last-layer"})
    """Keep the prototypes at length 1; off may learn better and diverge sooner."""
    freeze_last_layer: float = 0.02
    """Share of the training in which the prototypes stay as they are."""


@dataclass(frozen=True)
class ObjectiveSettings:
    """What the student is taught."""

    objective: TaughtBy = "dino"
    """dino as in the paper; dinov2 adds masked patches, KoLeo and Sinkhorn centring, for dense features (ViT only)."""
    student_temperature: float = 0.1
    """Of the student's softmax."""
    teacher_temperature: float = 0.04
    """Of the teacher's softmax after the warm-up; lower it where the training collapses to uniform."""
    warmup_teacher_temperature: float = 0.03
    """Where it begins."""
    teacher_warmup: float = 0.3
    """Share of the training until it is reached."""
    momentum: float = 0.99
    """Of the teacher at the beginning; 1 at the end. Higher for small batches: 0.9995 for 64 and long trainings."""
    center_momentum: float = 0.9
    """Of the centre of the teacher's outputs."""
    masked_share: float = 0.3
    """Of dinov2: mean share of patches that are masked in half of the global crops."""
    masked_weight: float = 1.0
    """Of dinov2: weight of the masked patches' loss."""
    koleo_weight: float = 0.1
    """Of dinov2: weight of KoLeo."""


@dataclass(frozen=True)
class OptimizerSettings:
    """How the student follows."""

    optimizer: Literal["adamw", "sgd", "lars"] = "adamw"
    """adamw, sgd, or lars as in the published ResNet-50."""
    weight_decay: float = 0.04
    """At the beginning."""
    weight_decay_end: float = 0.4
    """At the end, along a cosine."""
    least_rate: float = 1e-6
    """Learning rate at the end."""


@dataclass(frozen=True)
class PretrainingLengthSettings(LengthSettings):
    """How long the training is, and how fast it learns."""

    batch: int | None = 32
    """Images at a time and device."""
    rate: float = 6e-3
    """Peak learning rate of a batch of 256 images; that of other batches is in proportion."""
    warmup: int = 60
    """Optimiser steps to the peak rate; a cosine follows."""
    clip: float = 3.0
    """Longest gradient of each parameter; 0 for any."""


@dataclass(frozen=True)
class PretrainSettings:
    """All settings of a pre-training.

    Example:
        `PretrainSettings(data=PretrainingDataSettings(("xrays/",)), run=RunSettings(Path("out")))`
    """

    data: PretrainingDataSettings = field(default_factory=PretrainingDataSettings)
    network: PretrainedNetworkSettings = field(default_factory=PretrainedNetworkSettings)
    preprocess: PreprocessSettings = field(default_factory=lambda: PreprocessSettings(size=112))
    crops: MultiCropSettings = field(
        default_factory=lambda: MultiCropSettings(global_size=96, local_size=48, local_crops=4)
    )
    head: HeadSettings = field(default_factory=HeadSettings)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    length: PretrainingLengthSettings = field(default_factory=PretrainingLengthSettings)
    run: RunSettings = field(kw_only=True)
