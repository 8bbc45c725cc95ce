"""Settings of a text encoder's pre-training: the options of `xraykit fluorosam pretrain-text`, in groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.training import LengthSettings, RunSettings


@dataclass(frozen=True)
class TextCorpusSettings:
    """The texts that are learned from."""

    short: int = 60
    """Short texts of each target."""
    long: int = 60
    """Long texts of each target."""
    view_texts: int = 2
    """Texts drawn for each target and each of some standard views; those that name the view are kept."""
    held_out: int = 10
    """Short, and as many long, texts of each target in held-out wordings, which are only retrieved."""
    texts: Path | None = None
    """Further texts of yours: a .csv or .jsonl with target and text."""
    changed: float = 0.6
    """Share of texts that are changed when they are learned from: typing errors, order, abbreviations, ..."""


@dataclass(frozen=True)
class TextContrastSettings:
    """What lies in a batch beside each other."""

    each: int = 4
    """Texts of one target in a batch."""
    related: float = 0.5
    """Share of a batch's targets that differ from another one by side, level, pair or group."""
    weight_decay: float = 0.02
    """Of matrices; vectors and the vocabulary have none."""


@dataclass(frozen=True)
class TextNetworkSettings:
    """The network whose text encoder learns; the rest of it stays as it is."""

    network: str = "mini"
    """swin-l, swin-b, swin-s or mini."""
    start: str | None = None
    """Weights to go on from, of which the text encoder learns: folder, file or hub id; they say what network it is."""


@dataclass(frozen=True)
class TextLengthSettings(LengthSettings):
    """How long the training is, and how fast it learns."""

    batch: int | None = 256
    """Texts at a time and device."""
    rate: float = 2e-3
    """Peak learning rate."""
    warmup: int = 50
    """Optimiser steps to the peak rate; a cosine follows down to 0."""
    clip: float = 1.0
    """Longest gradient of all parameters together; 0 for any."""


@dataclass(frozen=True)
class TextPretrainSettings:
    """All settings of a text encoder's pre-training.

    Example:
        `TextPretrainSettings(length=TextLengthSettings(minutes=10), run=RunSettings(Path("words")))`
    """

    corpus: TextCorpusSettings = field(default_factory=TextCorpusSettings)
    contrast: TextContrastSettings = field(default_factory=TextContrastSettings)
    network: TextNetworkSettings = field(default_factory=TextNetworkSettings)
    length: TextLengthSettings = field(default_factory=TextLengthSettings)
    run: RunSettings = field(kw_only=True)
