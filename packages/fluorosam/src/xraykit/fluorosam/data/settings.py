"""How X-rays are changed for training: where the image lies, its grey scale, what happens to it; no torch in here."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from xraykit.render import InputError


def _check_share(settings: object, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        if not (math.isfinite(value) and 0 <= value <= 1):
            raise InputError(f"{name} must be a probability from 0 to 1, got {value}.")


def _check_most(settings: object, **most: float) -> None:
    for name, limit in most.items():
        value = getattr(settings, name)
        if not (math.isfinite(value) and 0 <= value <= limit):
            raise InputError(f"{name} must be 0 to {limit:g}, got {value}.")


def _check_pair(settings: object, **limits: tuple[float, float]) -> None:
    for name, (least, most) in limits.items():
        value = getattr(settings, name)
        if len(value) != 2 or not least <= value[0] <= value[1] <= most:
            raise InputError(f"{name} must be two ascending numbers from {least:g} to {most:g}, got {value}.")


@dataclass(frozen=True)
class FramingSettings:
    """Which part of an image is seen, and how it lies there; image and masks move alike.

    Raises:
        InputError: A value outside its range.
    """

    zoom: tuple[float, float] = (0.9, 1.8)
    """Least and greatest magnification; drawn evenly in its logarithm"""
    shift: float = 0.15
    """Shift along both axes, up to so much of the image either way"""
    roll: float = 12.0
    """Turn about the beam, up to so much either way [degrees]"""
    quarter_turns: float = 0.0
    """How often an image is turned by 90, 180 or 270 degrees"""
    mirror: float = 0.5
    """How often an image is mirrored as if the patient were, left and right exchanged; never with one-sided organs"""
    displayed: float = 0.5
    """How often an image that people look at mirrored, such as a PA chest, comes as they see it"""
    aspect: float = 0.3
    """How often an image is cut to another ratio of its sides"""
    ratio: float = 1.6
    """Greatest such ratio, upright or across"""

    def __post_init__(self) -> None:
        _check_pair(self, zoom=(0.1, 10))
        _check_most(self, shift=0.5, roll=45)
        _check_share(self, "quarter_turns", "mirror", "displayed", "aspect")
        if not 1 <= self.ratio <= 4:
            raise InputError(f"ratio must be 1 to 4, got {self.ratio}.")


@dataclass(frozen=True)
class ToneSettings:
    """The grey scale before windows are found, as files of many makers have it.

    Raises:
        InputError: A value outside its range.
    """

    clip: float = 0.5
    """How often the darkest and brightest pixels are cut off, as a display's window does"""
    most: float = 0.03
    """Up to which share of the pixels, at each end"""
    gamma: float = 0.4
    """Exponent of the grey values: e to the power of up to so much either way"""

    def __post_init__(self) -> None:
        _check_share(self, "clip")
        _check_most(self, most=0.2, gamma=2)


@dataclass(frozen=True)
class EqualisationSettings:
    """Histogram equalisation in tiles with limited contrast.

    Raises:
        InputError: A value outside its range.
    """

    limit: tuple[float, float] = (4.0, 6.0)
    """Most pixels of a grey value, as a multiple of their mean"""
    tiles: tuple[int, int] = (8, 12)
    """Along an edge"""

    def __post_init__(self) -> None:
        _check_pair(self, limit=(1, 100), tiles=(1, 64))


@dataclass(frozen=True)
class DropoutSettings:
    """What is blacked out: single pixels or boxes, one of both; masks stay as they are.

    Raises:
        InputError: A value outside its range.
    """

    pixels: float = 0.05
    """Share of single pixels"""
    boxes: tuple[int, int] = (8, 20)
    """How many boxes"""
    edge: tuple[float, float] = (0.016, 0.125)
    """Their edges, in shares of the image's"""

    def __post_init__(self) -> None:
        _check_share(self, "pixels")
        _check_pair(self, boxes=(0, 1000), edge=(0, 1))


@dataclass(frozen=True)
class AppearanceSettings:
    """What happens to the three windows: either equalisation, or a few of the other changes.

    Raises:
        InputError: A value outside its range.

    Source: the augmentation of FluoroSAM (Killeen et al., MICCAI 2025); its fog is a veil, contrast is halved here.
    """

    invert: float = 0.5
    """How often an image is inverted"""
    changed: float = 0.5
    """How often anything else happens to it"""
    equalise: float = 0.5
    """Share of these that are equalised; the others get some of what follows"""
    equalisation: EqualisationSettings = field(default_factory=EqualisationSettings)
    """How"""
    count: tuple[int, int] = (2, 4)
    """How many of blur or motion, sharpening or relief, contrast, local contrast, veil, noise, dropout, other order"""
    blur: float = 1.5
    """Largest standard deviation of a blur, or a quarter of a motion's length [px of 256]"""
    sharpen: tuple[float, float] = (0.2, 0.5)
    """Share of the sharpened image, or of the relief, in the result"""
    contrast: float = 1.0
    """Change of the contrast about the mean, up to so much either way"""
    local_contrast: float = 0.4
    """Change of the contrast about a point, up to so much either way"""
    veil: float = 0.3
    """Largest share of white haze"""
    noise: float = 0.06
    """Largest standard deviation of noise"""
    dropout: DropoutSettings = field(default_factory=DropoutSettings)
    """What is blacked out; three times as likely as each of the others"""

    def __post_init__(self) -> None:
        _check_share(self, "invert", "changed", "equalise")
        _check_pair(self, count=(0, 8), sharpen=(0, 1))
        _check_most(self, blur=20, contrast=4, local_contrast=4, veil=1, noise=1)


@dataclass(frozen=True)
class SegmentationChanges:
    """All that is done to an X-ray in training; one image, one draw."""

    framing: FramingSettings = field(default_factory=FramingSettings)
    """Which part is seen, and how it lies there"""
    tone: ToneSettings = field(default_factory=ToneSettings)
    """The grey scale before windows are found"""
    appearance: AppearanceSettings = field(default_factory=AppearanceSettings)
    """What happens to the three windows"""

    @classmethod
    def none(cls) -> SegmentationChanges:
        """No change at all, as validation and use see images."""
        framing = FramingSettings((1, 1), 0, 0, 0, 0, 0, 0)
        return cls(framing, ToneSettings(0, 0, 0), replace(AppearanceSettings(), invert=0, changed=0))
