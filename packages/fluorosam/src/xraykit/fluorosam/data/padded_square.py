"""An image of any shape in a square: resized to its longer side, padded at the right and at the bottom; and back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError


@dataclass(frozen=True)
class PaddedSquare:
    r"""Where an image of H x W pixels lies in a square of S x S pixels: in its upper left corner.

    The longer side has S pixels, the shorter one round(S short / long), at least 1. Because of that rounding the two
    axes have scales of their own, so a point goes there and back exactly. Points are (..., 2), x right and y down; the
    centre of the first pixel is (0.5, 0.5).

    Args:
        height: H.
        width: W.
        size: S.

    Raises:
        InputError: An empty image or square.
    """

    height: int
    width: int
    size: int

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.size) < 1:
            came = f"{self.height}x{self.width} to {self.size}"
            raise InputError(f"an image and its square must have at least one pixel, got {came}.")

    @property
    def shown(self) -> tuple[int, int]:
        """Rows and columns of the square that show the image."""
        longer = max(self.height, self.width)
        rows, columns = (max(1, (2 * self.size * side + longer) // (2 * longer)) for side in (self.height, self.width))
        return rows, columns

    def to_square(self, points: Tensor) -> Tensor:
        """Points of the image, in the square."""
        return points * self._scales(points)

    def to_image(self, points: Tensor) -> Tensor:
        """Points of the square, in the image."""
        return points / self._scales(points)

    def boxes_to_square(self, boxes: Tensor) -> Tensor:
        """Boxes (..., 4) of the image as left, top, right, bottom, in the square."""
        return self.to_square(boxes.unflatten(-1, (2, 2))).flatten(-2)

    def resized(self, maps: Tensor, *, antialias: bool = True, fill: float = 0.0) -> Tensor:
        """Maps (..., H, W) as (..., S, S): bilinear, then `fill` around them.

        Args:
            maps: Floating-point numbers.
            antialias: Average while the image is made smaller.
            fill: What the padding holds.

        Raises:
            InputError: Maps of another size.
        """
        if tuple(maps.shape[-2:]) != (self.height, self.width):
            raise InputError(f"maps must be {self.height}x{self.width}, got {tuple(maps.shape)}.")
        rows, columns = self.shown
        small = _bilinear(maps, (rows, columns), antialias)
        return F.pad(small, (0, self.size - columns, 0, self.size - rows), value=fill)

    def maps_to_image(self, maps: Tensor) -> Tensor:
        """Maps (..., M, M) over the whole square, of any resolution, as (..., H, W) of the image; bilinear."""
        rows, columns = self.shown
        whole = _bilinear(maps, (self.size, self.size), False)
        return _bilinear(whole[..., :rows, :columns], (self.height, self.width), False)

    def _scales(self, points: Tensor) -> Tensor:
        rows, columns = self.shown
        return torch.tensor([columns / self.width, rows / self.height], dtype=points.dtype, device=points.device)


def _bilinear(maps: Tensor, size: tuple[int, int], antialias: bool) -> Tensor:
    if tuple(maps.shape[-2:]) == size:
        return maps
    flat = maps.reshape(1, -1, *maps.shape[-2:])
    return F.interpolate(flat, size=size, mode="bilinear", antialias=antialias).reshape(*maps.shape[:-2], *size)
