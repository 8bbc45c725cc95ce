"""How X-rays become inputs, how pairs of them are chosen and changed; no torch, so commands load fast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from xraykit.render import InputError

XrayField = Literal["whole", "exposed"]
"""Which pixels of an X-ray count: all, or those that the collimator left open."""
TruthMode = Literal["share", "hard", "volume"]
"""Modes of correspondence that are learned from, see `xraykit.corr.ground_truth.correspondences`."""
TissueClass = Literal["tissue", "bone"]
"""What must lie in the beams of two patches for them to correspond."""


@dataclass(frozen=True)
class XrayInputSettings:
    """From an X-ray to the input of a network; part of a matcher's config.

    Raises:
        InputError: A value outside its range.
    """

    size: int = 256
    """Edge of the network's input [px]"""
    low: float = 1.0
    """Percentile of the line integrals that becomes 0"""
    high: float = 99.0
    """Percentile that becomes 1"""
    field: XrayField = "whole"
    """Which pixels count: all, or those that the collimator left open"""

    def __post_init__(self) -> None:
        if self.size < 8:
            raise InputError(f"size must be 8 or more pixels, got {self.size}.")
        if not 0 <= self.low < self.high <= 100:
            raise InputError(f"low and high must be ascending percentiles from 0 to 100, got {self.low}, {self.high}.")
        _check_choice("field", self.field, XrayField)


@dataclass(frozen=True)
class PairSettings:
    """Which views make a pair, and what their truth is.

    Raises:
        InputError: A value outside its range.
    """

    size: int = 128
    """Edge of the images [px]"""
    grid: int = 16
    """Patches along an edge"""
    mode: TruthMode = "share"
    """How much two patches correspond: the largest share of a cell that both see, 0 or 1, or the shared volume"""
    tissue: TissueClass = "tissue"
    """What must lie in the beams of two patches for them to correspond"""
    unrelated: float = 0.08
    """Share of items whose last view is of another patient, where nothing corresponds"""
    angles: tuple[float, float] = (30.0, 150.0)
    """Least and greatest angle between the beams of two views [degrees]"""
    views_per_item: int = 2
    """Views of one patient that are seen together"""
    thickness: bool = False
    """Whether the thickness of the tissue in each patch is computed as well"""

    def __post_init__(self) -> None:
        _check_choice("mode", self.mode, TruthMode)
        _check_choice("tissue", self.tissue, TissueClass)
        if self.grid < 1 or self.size < self.grid or self.size % self.grid:
            raise InputError(f"size must be a multiple of the grid, got {self.size} px and {self.grid} patches.")
        if not 0 <= self.unrelated < 1:
            raise InputError(f"unrelated must be a share from 0 to below 1, got {self.unrelated}.")
        low, high = self.angles
        if not 0 <= low <= high <= 180:
            raise InputError(f"angles must be two ascending angles from 0 to 180 degrees, got {self.angles}.")
        if self.views_per_item < 2:
            raise InputError(f"views_per_item must be 2 or more, got {self.views_per_item}.")


@dataclass(frozen=True)
class ImageChangeSettings:
    """How views are changed for training; each value is drawn evenly.

    Roll, zoom, shift and mirroring are one affine change, of the image and of its projection alike.

    Raises:
        InputError: A value outside its range.
    """

    roll: float = 180.0
    """Turn about the beam, up to so much either way [degrees]"""
    zoom: float = 0.3
    """Change of magnification, up to so much either way"""
    shift: float = 0.1
    """Shift along both axes, up to so much of the image either way"""
    mirror: float = 0.5
    """How often all views of an item are mirrored, as if the patient were"""
    brightness: float = 0.2
    """Added to grey values, up to so much either way"""
    contrast: float = 0.3
    """Change of the contrast about the mean, up to so much either way"""
    gamma: float = 0.3
    """Exponent of grey values: e to the power of up to so much either way"""
    invert: float = 0.1
    """How often an image is inverted"""
    noise: float = 0.03
    """Largest standard deviation of noise in grey values"""

    def __post_init__(self) -> None:
        for name in ("mirror", "invert"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be a probability from 0 to 1, got {getattr(self, name)}.")
        most = {"roll": 180, "zoom": 0.9, "shift": 0.5, "brightness": 1, "contrast": 1, "gamma": 3, "noise": 1}
        for name, limit in most.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= limit):
                raise InputError(f"{name} must be 0 to {limit}, got {value}.")

    @classmethod
    def none(cls) -> ImageChangeSettings:
        """No change at all, as validation and use see images."""
        return cls(0, 0, 0, 0, 0, 0, 0, 0, 0)


def _check_choice(name: str, value: object, choices: object) -> None:
    legal = get_args(choices)
    if value not in legal:
        raise InputError(f"{name} must be one of {', '.join(legal)}, got {value!r}.")
