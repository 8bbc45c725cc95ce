"""Settings of an image encoder's pre-training: the options of `xraykit fluorosam pretrain`, in groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.training import LengthSettings, RunSettings


@dataclass(frozen=True)
class EncoderDataSettings:
    """What is learned from: X-rays whose structures and tools are known."""

    sources: tuple[str, ...] = field(default=(), metadata={"positional": True})
    """Data set jobs. Patients of a split "val" are only looked at, those of "test" not even that; without a split "val"
    some patients are held out."""
    held_out_share: float = 0.1
    """Share of patients that are held out where the data have no split "val"."""
    held_out_images: int = 64
    """Images of held-out patients that every validation looks at; 0 for no validation."""
    changed: bool = field(default=True, metadata={"negative": "--unchanged"})
    """Images are zoomed, turned, mirrored, inverted, blurred, ... anew each time, as in the training with prompts."""
    cache: Path | None = None
    """Folder for the prepared images; `images` in the output folder if left out."""


@dataclass(frozen=True)
class EncoderNetworkSettings:
    """The network whose image encoder learns; the rest of it stays as it is."""

    variant: str = "mini"
    """mini, swin-s, swin-b, or swin-l as published."""
    start: str | None = None
    """Weights to go on from: a folder, file or hub id, such as those of `pretrain-text`; their config counts."""
    trunk_weights: str | None = None
    """Weights of the trunk alone: timm's, a backbone of `xraykit dax pretrain`, from a file, a folder or a hub id."""
    image_size: int | None = None
    """Edge of the square images that the network takes from now on [px], its own if left out: half of it for a first
    part of a training shows four times as many images in the same time. For a trunk of convolutions, as mini's."""
    checkpointing: bool = False
    """Compute the trunk's blocks again in the backward pass instead of remembering them: less memory, a third slower"""


@dataclass(frozen=True)
class EncoderObjectiveSettings:
    """What the encoder is asked, and how it follows."""

    sides: bool = field(default=True, metadata={"negative": "--no-sides"})
    """Left and right are classes of their own, since words ask for sides: 83 classes in place of 57."""
    detail: int = 2
    """Cells of the answer along the edge of a cell of the image embedding: 1 or 2."""
    cross_entropy: float = 1.0
    """Weight of the binary cross-entropy."""
    dice: float = 1.0
    """Weight of the Dice loss of the classes that are in an image."""
    weight_decay: float = 0.01
    """AdamW's."""
    trunk_rate: float = 1.0
    """Multiple of the learning rate for the trunk; less where it starts from weights."""


@dataclass(frozen=True)
class EncoderLengthSettings(LengthSettings):
    """How long the training is, and how fast it learns."""

    batch: int | None = 16
    """Images at a time and device."""
    rate: float = 2e-3
    """Peak learning rate."""
    warmup: int = 100
    """Optimiser steps to the peak rate; a cosine follows down to 0."""
    clip: float = 1.0
    """Longest gradient of all parameters together; 0 for any."""


@dataclass(frozen=True)
class EncoderPretrainSettings:
    """All settings of an image encoder's pre-training.

    Example:
        `EncoderPretrainSettings(data=EncoderDataSettings(("job/",)), run=RunSettings(Path("out")))`
    """

    data: EncoderDataSettings = field(default_factory=EncoderDataSettings)
    network: EncoderNetworkSettings = field(default_factory=EncoderNetworkSettings)
    objective: EncoderObjectiveSettings = field(default_factory=EncoderObjectiveSettings)
    length: EncoderLengthSettings = field(default_factory=EncoderLengthSettings)
    run: RunSettings = field(kw_only=True)
