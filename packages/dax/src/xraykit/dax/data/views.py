"""Which changes each kind of view goes through, and how often: the published table."""

from __future__ import annotations

from dataclasses import dataclass

from .settings import AugmentationName

FLIP = 0.5  # horizontally, and vertically
JITTER = 0.8  # brightness and contrast together, in either order
STRENGTH = (0.6, 1.4)  # factor of brightness, and of contrast
BLUR_SIGMA = (0.1, 2.0)  # [px], of a 5 x 5 kernel
SHARPNESS = (0.8, 1.2)  # factor; below 1 smooths
ANGLE = 180.0  # degrees, either way
DEVIATIONS = (2.0, 3.5)  # k of the clip of augmentation B
LINEAR = 0.5  # share of images of augmentation B whose intensity stays linear, bone dark
THRESHOLD = 0.5  # of solarization


@dataclass(frozen=True)
class ViewKind:
    """Probabilities of what happens to a view beside crop, flips and jitter, in this order."""

    rotate: float = 0.0
    """Turned by any angle about the image's middle, before the crop; 0 beyond the image"""
    blur: float = 0.0
    sharpen: float = 0.0
    """Smoothed or sharpened"""
    solarize: float = 0.0
    """Bright values turned dark"""


VIEW_TABLE: dict[AugmentationName, tuple[ViewKind, ViewKind, ViewKind]] = {
    "A": (ViewKind(blur=1.0), ViewKind(blur=0.1, solarize=0.2), ViewKind(blur=0.5)),
    "B": (
        ViewKind(sharpen=1.0),
        ViewKind(rotate=0.8, sharpen=1.0, solarize=0.2),
        ViewKind(rotate=0.8, sharpen=1.0),
    ),
}
"""First global view, second global view, local views. Source: DAX, augmentation versions 1 and 2."""
