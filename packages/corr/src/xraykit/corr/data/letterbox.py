"""An image of any shape as a square without distortion: padded at its shorter side, then resized; and its points."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError

BORDER = 1e-6
"""How far points of the far border are moved inwards [px]"""


@dataclass(frozen=True)
class Letterbox:
    r"""Which square around an image becomes S x S pixels.

    The square has the image's longer side M and lies about its middle, on whole pixels. A point (x, y) of the image
    becomes ((x, y) - (left, top)) S / M. Points are (..., 2) as x right, y down, from the top-left corner; the centre
    of the first pixel is (0.5, 0.5).

    Args:
        height: Rows of the image.
        width: Columns of the image.
        size: Edge S of the square [px].

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
    def side(self) -> int:
        """Edge of the square [px of the image]."""
        return max(self.height, self.width)

    @property
    def left(self) -> int:
        """Left border of the square in the image, 0 or negative."""
        return -((self.side - self.width) // 2)

    @property
    def top(self) -> int:
        """Upper border of the square in the image, 0 or negative."""
        return -((self.side - self.height) // 2)

    def to_square(self, points: Tensor) -> Tensor:
        """Points of the image, in the square."""
        return (points - self._corner(points)) * (self.size / self.side)

    def to_image(self, points: Tensor) -> Tensor:
        """Points of the square, in the image."""
        return points * (self.side / self.size) + self._corner(points)

    def within(self, x: float, y: float) -> tuple[float, float]:
        """A point of the image; on the right or lower border that of its last pixel, not of the padding beside it."""
        return min(x, self.width - BORDER), min(y, self.height - BORDER)

    def share_change(self) -> Tensor:
        """The change (3, 3) float64 of (x, y, 1) in shares of the image to shares of the square."""
        change = torch.eye(3, dtype=torch.float64)
        change[0, 0], change[1, 1] = self.width / self.side, self.height / self.side
        change[0, 2], change[1, 2] = -self.left / self.side, -self.top / self.side
        return change

    def resized(self, image: Tensor, inside: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The image (H, W) as the square, and which of the square's pixels show it.

        Antialiased bilinear means over the pixels that are inside, so that nothing bleeds in from the padding.

        Args:
            image: (H, W).
            inside: (H, W) bool, pixels that count; None is all.

        Returns:
            (S, S) float32, 0 where nothing is shown; (S, S) bool, true where at least half of a pixel is.

        Raises:
            InputError: An image of another size.
        """
        if tuple(image.shape) != (self.height, self.width):
            raise InputError(f"the image must be {self.height}x{self.width}, got {tuple(image.shape)}.")
        weight = torch.ones_like(image, dtype=torch.float32) if inside is None else inside.to(torch.float32)
        both = torch.stack([image.to(torch.float32) * weight, weight])
        right, below = self.side - self.width + self.left, self.side - self.height + self.top
        both = F.pad(both, (-self.left, right, -self.top, below))
        if self.size != self.side:
            edge = (self.size, self.size)
            both = F.interpolate(both[None], size=edge, mode="bilinear", antialias=True)[0]
        total, share = both
        shown = share >= 0.5
        return torch.where(shown, total / share.clamp(min=0.5), 0.0), shown

    def map_to_image(self, values: Tensor) -> Tensor:
        """A map (h, w) over the whole square, bilinearly as (H, W) of the image."""
        whole = F.interpolate(values[None, None].float(), size=(self.side, self.side), mode="bilinear")[0, 0]
        return whole[-self.top : self.height - self.top, -self.left : self.width - self.left]

    def _corner(self, points: Tensor) -> Tensor:
        return torch.tensor([self.left, self.top], dtype=points.dtype, device=points.device)
