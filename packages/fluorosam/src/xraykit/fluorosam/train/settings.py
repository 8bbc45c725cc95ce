"""Settings of a network's training: the options of `xraykit fluorosam train`, in groups.

The defaults are those of the preset "laptop": a small network that learns from many prompts of few images in one round,
which is what fits into an hour of two CPU cores. The published regime is the preset "paper".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xraykit.render.training import LengthSettings, RunSettings

from ..data.settings import SegmentationChanges
from ..network.config import QuantiserKind

RateSchedule = Literal["cosine", "steps"]
"""How the learning rate falls after its rise: by a cosine to the end, or tenfold at given steps."""


@dataclass(frozen=True)
class SegmentationDataSettings:
    """What is learned from: X-rays whose structures and tools are known, and texts that ask for them."""

    sources: tuple[str, ...] = field(default=(), metadata={"positional": True})
    """Data set jobs. Patients of a split "val" are only looked at, those of "test" not even that; without a split "val"
    some patients are held out."""
    texts: Path | None = None
    """File of texts as `xraykit fluorosam prompts` writes it; written by the grammar for every target if left out."""
    texts_per_target: int = 40
    """Short and as many long texts that the grammar writes for a target; a tenth as many wordings are held out."""
    prompts: int = 24
    """Things that are asked for in an image, in one batch."""
    absent: float = 0.1
    """Share of them that the image surely does not show."""
    tools: float = 1.0
    """How much more often tools and implants are asked for than structures that are as rare: metal is what people click
    on first, and covers little. It tells where an image shows more than the prompts ask for."""
    held_out_share: float = 0.1
    """Share of patients that are held out where the data have no split "val"."""
    held_out_images: int = 32
    """Images of held-out patients that every validation looks at; 0 for no validation."""
    held_out_prompts: int = 4
    """Things that are asked for in each of them, by each kind of prompt."""
    cache: Path | None = None
    """Folder for the prepared images; `images` in the output folder if left out."""


@dataclass(frozen=True)
class SegmentationNetworkSettings:
    """The network: a new one, or weights to go on from."""

    variant: str = "mini"
    """mini, swin-s, swin-b, or swin-l as published."""
    start: str | None = None
    """Weights to go on from: a folder, file or hub id, or shipped. Their config counts, not the variant, and so do the
    statistics of their batches."""
    encoder_weights: str | None = None
    """Weights of the image encoder alone: a folder that `xraykit fluorosam pretrain` made."""
    trunk_weights: str | None = None
    """Weights of the trunk alone, timm's or a backbone's of `xraykit dax pretrain`: file, folder or hub id."""
    text_weights: str | None = None
    """Weights of the text tower alone: a folder that `xraykit fluorosam pretrain-text` made."""
    image_size: int | None = None
    """Edge of the square images that the network takes from now on [px], its own if left out: half of it for a first
    part of a training shows four times as many images in the same time. For a trunk of convolutions, as mini's."""
    quantiser: QuantiserKind | None = None
    """Codebook of texts: euclidean, cosine or off; the variant's if left out."""
    codes: int | None = None
    """Entries of the codebook."""
    detail: int | None = None
    """Channels of the map of fine detail that sharpens masks; the variant's if left out. Weights to go on from that
    have none get a new one, and answer as before until it has learned."""
    text_frozen: bool | None = None
    """Whether the text tower stays as it is; the variant's if left out."""
    encoder_frozen: bool = False
    """The image encoder stays as it is: for the first hour after `pretrain`, since a decoder that knows nothing yet
    teaches it nothing good, and at half the cost."""
    checkpointing: bool = False
    """Compute the trunk's blocks again in the backward pass instead of remembering them: less memory, a third slower"""


@dataclass(frozen=True)
class PromptRoundSettings:
    """How a structure is asked for in one step: by words, and then point after point."""

    points: int = 0
    """N, points after the words, each drawn where the last mask was wrong; 8 in the paper."""
    points_alone: float = 0.1
    """Share of prompts that have no words and begin with a point."""
    box_alone: float = 0.15
    """Share of prompts that have no words and begin with a box."""
    box_with_text: float = 0.05
    """Share of prompts that begin with words and a box."""
    corrections: float = 0.3
    """Share of prompts that begin as corrections: one to eight points where an earlier mask is wrong, half of them with
    words, whose mask is then what the network answers to these; others are made up from the truth. With --points 0
    clicks are learned from these alone, at little more than the cost of one round in place of nine."""
    feedback: float = 0.25
    """Share of prompts whose last mask is shown with the next point; the others have their points alone, as networks
    that draw points are asked in use (mini)."""
    cells: float = 0.2
    """Share of the embedding's cells that the decoder looks at in a step; a quarter costs a quarter. With points after
    the first answer it looks at all of them, since points are drawn from whole masks."""


@dataclass(frozen=True)
class SegmentationObjectiveSettings:
    """What is asked of the network, and how it follows."""

    dice_weight: float = 1.0
    """Weight of the Dice loss."""
    focal_weight: float = 4.0
    """Weight of the focal loss; 20 is SAM's."""
    quality_weight: float = 1.0
    """Weight of the squared error of the expected intersection over union."""
    code_weight: float = 0.25
    """Weight of the codebook's losses."""
    presence_weight: float = 0.2
    """Weight of the cross-entropy of whether the image shows what the words ask for; 0 for no such answer. It learns
    from the embedding as it is, and changes no mask."""
    presence_alone: bool = False
    """Only that answer learns, several times faster: a last stage of some minutes, with --absent 0.5."""
    renew_every: int = 100
    """Optimiser steps between renewals of codes that no text uses; 0 for never."""
    weight_decay: float = 0.01
    """AdamW's."""
    trunk_rate: float = 1.0
    """Multiple of the learning rate for the trunk; less where it starts from weights."""
    schedule: RateSchedule = "cosine"
    """cosine: a linear rise from 0 and a cosine to the end. steps: a rise from a hundredth, then tenths at `drops`."""
    drops: tuple[int, ...] = (200_000, 400_000)
    """Optimiser steps at which the rate falls to a tenth; for `steps`."""
    average: float = 0.0
    """Momentum of the average of the weights, which is saved and validated in place of the last; 0 is off."""


@dataclass(frozen=True)
class SegmentationLengthSettings(LengthSettings):
    """How long the training is, and how fast it learns."""

    batch: int | None = 4
    """Images at a time and device."""
    rate: float = 1.5e-3
    """Peak learning rate."""
    warmup: int = 200
    """Optimiser steps to the peak rate."""
    clip: float = 1.0
    """Longest gradient of all parameters together; 0 for any."""


@dataclass(frozen=True)
class SegmentationTrainSettings:
    """All settings of a network's training.

    Example:
        `SegmentationTrainSettings(data=SegmentationDataSettings(("job/",)), run=RunSettings(Path("out")))`
    """

    data: SegmentationDataSettings = field(default_factory=SegmentationDataSettings)
    network: SegmentationNetworkSettings = field(default_factory=SegmentationNetworkSettings)
    changes: SegmentationChanges = field(default_factory=SegmentationChanges, metadata={"prefix": "change"})
    rounds: PromptRoundSettings = field(default_factory=PromptRoundSettings)
    objective: SegmentationObjectiveSettings = field(default_factory=SegmentationObjectiveSettings)
    length: SegmentationLengthSettings = field(default_factory=SegmentationLengthSettings)
    run: RunSettings = field(kw_only=True)
