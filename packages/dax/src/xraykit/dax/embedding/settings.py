"""Settings of embedding: which X-rays, which backbone, where to; the options of `xraykit dax embed`; no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xraykit.render.radiographs import Polarity


@dataclass(frozen=True)
class XraySourceSettings:
    """X-rays."""

    sources: tuple[Path, ...] = field(metadata={"positional": True})
    """X-ray files, folders (with all below them), .txt or .csv lists of files, or folders of data set jobs."""
    frames: Literal["all", "middle"] | int = "all"
    """Of a file of several frames: each as an X-ray of its own, the middle one, or so many, evenly spaced."""
    polarity: Polarity | None = None
    """What pixel values mean, for all files; without this, what each file says, or what is usual for its kind (which
    is then printed). Bone that is dark in a picture file is `intensity`."""
    on_error: Literal["skip", "stop"] = "skip"
    """What an X-ray that cannot be read means: leave it out and name it at the end (exit status 3), or end the run."""


@dataclass(frozen=True)
class BackboneRunSettings:
    """The backbone, and what it runs on."""

    weights: str = "shipped"
    """Backbone: a folder or file of weights, `shipped`, a published name (DAX-ViT-S-16-vA), a hub id,
    timm:NAME (ImageNet) or random:NAME (untrained)."""
    batch: int = 32
    """X-rays at a time."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """What to compute on."""
    field: Literal["whole", "exposed"] | None = None
    """Which pixels count: all, or those that the collimator left open; what the weights say if left out."""


@dataclass(frozen=True)
class EmbedSettings:
    """A table of features."""

    xrays: XraySourceSettings
    output: Path = field(kw_only=True, metadata={"short": "-o"})
    """Table to write: .parquet, .npz or .csv."""
    run: BackboneRunSettings = field(default_factory=BackboneRunSettings)
    resume: bool = False
    """Go on where an interrupted run stopped; its rows lie in OUTPUT.part."""
