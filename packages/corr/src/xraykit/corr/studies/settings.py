"""What fracture studies are made of, and how studies are changed for training; no torch, so commands load fast."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xraykit.render import InputError

from ..data.settings import TissueClass, TruthMode


@dataclass(frozen=True)
class FractureStudySettings:
    """How studies are made of data set jobs of procedural patients.

    Raises:
        InputError: A value outside its range.
    """

    decoys: float = 0.5
    """How often a study, broken or not, has a line in one of its views that is no fracture."""
    min_images: int = 2
    """Studies with fewer views are left out."""
    grid: int = 16
    """Patches along an edge of an image, for the true correspondence of the views."""
    mode: TruthMode = "share"
    """How much two patches correspond: the largest share of a cell that both see, 0 or 1, or the shared volume."""
    tissue: TissueClass = "tissue"
    """What must lie in the beams of two patches for them to correspond."""
    balance: bool = False
    """Leave studies out until each region of each split has as many broken as whole ones, so that neither the region
    nor what goes with it tells the label."""
    seed: int = 0
    """Of the decoys, and of what is left out."""

    def __post_init__(self) -> None:
        if not 0 <= self.decoys <= 1:
            raise InputError(f"decoys must be a probability from 0 to 1, got {self.decoys}.")
        if self.min_images < 1 or self.seed < 0:
            raise InputError(f"min_images must be 1 or more and seed 0 or more, got {self.min_images}, {self.seed}.")
        if not 1 <= self.grid <= 128:
            raise InputError(f"grid must be 1 to 128 patches, got {self.grid}.")


@dataclass(frozen=True)
class StudyChangeSettings:
    """How studies are changed for training; each value is drawn evenly.

    Mirroring and shifts by whole patches move the entries of a correspondence without a loss, so that all arms of a
    comparison are changed alike.

    Raises:
        InputError: A value outside its range.
    """

    mirror: float = 0.5
    """How often all views of a study are mirrored, as if the patient were."""
    shift: int = 1
    """Shift of each view along both axes, up to so many patches either way."""
    brightness: float = 0.2
    """Added to grey values, up to so much either way."""
    contrast: float = 0.3
    """Change of the contrast about the mean, up to so much either way."""
    gamma: float = 0.3
    """Exponent of grey values: e to the power of up to so much either way."""
    noise: float = 0.02
    """Largest standard deviation of noise in grey values."""

    def __post_init__(self) -> None:
        if not 0 <= self.mirror <= 1:
            raise InputError(f"mirror must be a probability from 0 to 1, got {self.mirror}.")
        for name, limit in {"shift": 4, "brightness": 1, "contrast": 1, "gamma": 3, "noise": 1}.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= limit):
                raise InputError(f"{name} must be 0 to {limit}, got {value}.")
