"""What becomes of an X-ray before a network sees it, and how views of it are drawn; no torch, so commands load fast."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from xraykit.render import InputError

AugmentationName = Literal["A", "B"]
"""A: bone bright, crops and grey values. B: either polarity, rotations, sharpness."""
FieldUse = Literal["whole", "exposed"]
"""Which pixels count: all, or those that the collimator left open."""
SquareFit = Literal["pad", "stretch", "crop"]
"""How an image that is not square becomes so."""


@dataclass(frozen=True)
class PreprocessSettings:
    """From intensities to the input of a network; part of a backbone's config.

    Raises:
        InputError: A value outside its range.
    """

    version: AugmentationName = field(default="A", metadata={"hidden": True})
    """Augmentation that the weights were trained with; both see images as `preprocess` makes them"""
    longest: int | None = field(default=None, metadata={"hidden": True, "flag": "input-longest"})
    """Longest side to which X-rays are reduced before all else [px], as training images were; None is as they are"""
    deviations: float = 3.0
    """k of the clip at median + k standard deviations of the intensity"""
    lowpass: float = 0.0
    """Standard deviation of the subtracted low-pass [px of the original image]; 0 is off"""
    field: FieldUse = "whole"
    """Which pixels count"""
    size: int = 224
    """Edge of the network's input [px]"""
    fit: SquareFit = "pad"
    """How an image that is not square becomes so: pad with 0, stretch, or crop its middle"""
    mean: float | None = None
    """Subtracted last, where `std` is given too"""
    std: float | None = None
    """Divides last, where `mean` is given too"""

    def __post_init__(self) -> None:
        _check_choice("version", self.version, AugmentationName)
        _check_choice("field", self.field, FieldUse)
        _check_choice("fit", self.fit, SquareFit)
        if not (math.isfinite(self.deviations) and self.deviations >= 0):
            raise InputError(f"deviations must be 0 or more, got {self.deviations}.")
        if not (math.isfinite(self.lowpass) and self.lowpass >= 0):
            raise InputError(f"lowpass must be 0 (off) or a positive number of pixels, got {self.lowpass}.")
        if self.longest is not None and self.longest < 1:
            raise InputError(f"longest must be 1 or more pixels, or None, got {self.longest}.")
        if self.size < 1:
            raise InputError(f"size must be 1 or more pixels, got {self.size}.")
        if (self.mean is None) != (self.std is None):
            raise InputError(f"mean and std must be given both or neither, got {self.mean} and {self.std}.")
        mean, std = (0.0, 1.0) if self.mean is None or self.std is None else (self.mean, self.std)
        if not math.isfinite(mean) or not (math.isfinite(std) and std > 0):
            raise InputError(f"mean must be finite and std positive, got {self.mean} and {self.std}.")


@dataclass(frozen=True)
class MultiCropSettings:
    """Two global crops and several local ones of each image.

    Source: DAX (Scheuplein et al., MICCAI 2025), section 2; Caron et al., ICCV 2021.

    Raises:
        InputError: A value outside its range.
    """

    augmentation: AugmentationName = "A"
    """A: bone bright, blur. B: either polarity, rotations, sharpness"""
    global_size: int = 224
    """Edge of a global crop [px]"""
    local_size: int = 96
    """Edge of a local crop [px]"""
    local_crops: int = 8
    """Local crops of an image; 0 is none"""
    global_scale: tuple[float, float] = (0.4, 1.0)
    """Share of the image's area in a global crop, from and to"""
    local_scale: tuple[float, float] = (0.05, 0.4)
    """Share of the image's area in a local crop, from and to"""

    def __post_init__(self) -> None:
        _check_choice("augmentation", self.augmentation, AugmentationName)
        for name in ("global_size", "local_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be 1 or more pixels, got {getattr(self, name)}.")
        if self.local_crops < 0:
            raise InputError(f"local_crops must be 0 or more, got {self.local_crops}.")
        for name in ("global_scale", "local_scale"):
            low, high = getattr(self, name)
            if not 0 < low <= high <= 1:
                raise InputError(f"{name} must be two ascending shares of an area in (0, 1], got ({low}, {high}).")


def _check_choice(name: str, value: object, choices: object) -> None:
    legal = get_args(choices)
    if value not in legal:
        raise InputError(f"{name} must be one of {', '.join(legal)}, got {value!r}.")
