"""An image as the square input of a network, and where its pixels went."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError

from .settings import PreprocessSettings, SquareFit


@dataclass(frozen=True)
class SquareMap:
    """Which rectangle of an image became which rectangle of the square; top, left, height, width [px].

    Points are (..., 2) as (u, v) = (column, row) with pixel centres at half-integers.
    """

    image_size: tuple[int, int]
    """Height and width of the image"""
    size: int
    """Edge of the square"""
    source: tuple[int, int, int, int]
    """Part of the image that is shown"""
    target: tuple[int, int, int, int]
    """Where in the square it lies"""

    def to_input(self, points: Tensor) -> Tensor:
        """Points of the image, in the square."""
        return _moved(points, self.source, self.target)

    def to_image(self, points: Tensor) -> Tensor:
        """Points of the square, in the image."""
        return _moved(points, self.target, self.source)

    def resized(self, images: Tensor) -> Tensor:
        """(..., H, W) images as (..., size, size): antialiased bicubic, in [0, 1] if they are, 0 beyond the image.

        Raises:
            InputError: The images have another size.
        """
        if tuple(images.shape[-2:]) != self.image_size:
            raise InputError(f"images must be of {self.image_size} pixels, got {tuple(images.shape[-2:])}.")
        part = _cut(images.reshape(-1, 1, *self.image_size), self.source)
        low, high = part.aminmax()
        part = F.interpolate(part, size=self.target[2:], mode="bicubic", antialias=True).clamp_(low, high)
        return _placed(part, self.target, (self.size, self.size)).reshape(*images.shape[:-2], self.size, self.size)

    def masks_to_input(self, masks: Tensor) -> Tensor:
        """(..., H, W) bool masks as (..., size, size) bool: true where half of a pixel is covered."""
        return self.resized_share(masks) >= 0.5

    def resized_share(self, masks: Tensor) -> Tensor:
        """The share of each pixel of the square that a bool mask covers, (..., size, size) float32."""
        part = _cut(masks.reshape(-1, 1, *self.image_size).float(), self.source)
        part = F.interpolate(part, size=self.target[2:], mode="bilinear", antialias=True)
        return _placed(part, self.target, (self.size, self.size)).reshape(*masks.shape[:-2], self.size, self.size)

    def maps_to_image(self, maps: Tensor) -> Tensor:
        """(..., h, w) maps that cover the square, bilinearly as (..., H, W) of the image; 0 where it was not shown."""
        whole = F.interpolate(
            maps.reshape(-1, 1, *maps.shape[-2:]).float(), size=(self.size, self.size), mode="bilinear"
        )
        part = F.interpolate(_cut(whole, self.target), size=self.source[2:], mode="bilinear", antialias=True)
        return _placed(part, self.source, self.image_size).reshape(*maps.shape[:-2], *self.image_size)


def square_map(height: int, width: int, *, size: int, fit: SquareFit = "pad") -> SquareMap:
    """How an image of that size becomes a square.

    pad: the longer side fills the square, the shorter lies in the middle. stretch: both sides fill it. crop: the
    shorter side fills it, and the ends of the longer are cut off.

    Raises:
        InputError: An empty image.
    """
    if height < 1 or width < 1:
        raise InputError(f"an image must have at least one pixel, got {height}x{width}.")
    source, target = (0, 0, height, width), (0, 0, size, size)
    if fit == "pad":
        longest = max(height, width)
        inner_height, inner_width = (max(1, round(side * size / longest)) for side in (height, width))
        target = ((size - inner_height) // 2, (size - inner_width) // 2, inner_height, inner_width)
    elif fit == "crop":
        side = min(height, width)
        source = ((height - side) // 2, (width - side) // 2, side, side)
    return SquareMap((height, width), size, source, target)


def to_square(image: Tensor, settings: PreprocessSettings) -> tuple[Tensor, SquareMap]:
    """Preprocessed images (..., H, W) as the square input (..., size, size), and the map of their pixels.

    Antialiased bicubic; beyond a padded image 0, as in the open beam. `standardise` comes after it.
    """
    mapping = square_map(*image.shape[-2:], size=settings.size, fit=settings.fit)
    return mapping.resized(image), mapping


def _moved(points: Tensor, start: tuple[int, int, int, int], end: tuple[int, int, int, int]) -> Tensor:
    def pair(row: float, column: float) -> Tensor:
        return torch.tensor([column, row], dtype=points.dtype, device=points.device)

    scale = pair(end[2] / start[2], end[3] / start[3])
    return (points - pair(start[0], start[1])) * scale + pair(end[0], end[1])


def _cut(images: Tensor, box: tuple[int, int, int, int]) -> Tensor:
    top, left, height, width = box
    return images[..., top : top + height, left : left + width]


def _placed(part: Tensor, box: tuple[int, int, int, int], size: tuple[int, int]) -> Tensor:
    top, left, height, width = box
    return F.pad(part, (left, size[1] - left - width, top, size[0] - top - height))
