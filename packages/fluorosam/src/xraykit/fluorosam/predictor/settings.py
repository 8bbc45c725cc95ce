"""How X-rays are read and networks are chosen, as settings that load no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xraykit.render.radiographs import Colour, Polarity, Reduction

BoneInFile = Literal["auto", "bright", "dark"]


@dataclass(frozen=True)
class XrayFileSettings:
    """Reading X-rays."""

    bone: BoneInFile = "auto"
    """Whether bone is bright or dark in the pixel values; auto: as each file says;
    pictures without tags are taken as bone bright."""
    polarity: Polarity | None = None
    """What pixel values mean: intensity (bone dark), inverted_intensity, log_intensity (bone dark, processed),
    log_attenuation (bone bright, processed), line_integral; default: as each file says."""
    frame: int | None = None
    """Which frame of files that hold several, counted from 0."""
    reduce: Reduction | None = None
    """How several frames become one; max keeps the densest moment."""
    colour: Colour = None
    """luma accepts colour pictures by their brightness."""
    whole: bool = False
    """Take pixels beyond the collimator's border as they are, too; else they count as mid-grey."""


@dataclass(frozen=True)
class UsedNetworkSettings:
    """The network."""

    weights: str = "shipped"
    """A folder of weights, a .safetensors file, a hub id, or a published checkpoint (.ckpt, .pth, .pt); shipped is the
    small network of the package."""
    device: str = "auto"
    """cpu, cuda, cuda:N, or auto: a GPU if there is one."""
    any_words: bool = False
    """Take words that the vocabulary does not know; only text encoders of a large vocabulary make sense of them."""
    cache: Path | None = None
    """Folder that keeps the embedding of each X-ray for later runs; default: none."""
