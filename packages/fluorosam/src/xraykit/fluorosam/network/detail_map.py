"""What an image shows in its pixels, kept beside the embedding so that masks need not be as coarse as its cells."""

from __future__ import annotations

from torch import Tensor, nn


class DetailMap(nn.Module):
    """A map of 4 x 4 pixels a cell, of three 3 x 3 convolutions; the decoder adds it to masks that are half made.

    It is no part of any prompt: made once an image, and the same for all that is asked of it.

    Args:
        width: Channels of the convolutions; a multiple of 8.
        channels: D, of the map.

    Source: the idea of finer features for masks is of Ke et al., Segment anything in high quality, NeurIPS 2023.
    """

    def __init__(self, width: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False),
            nn.GroupNorm(width // 8, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.GroupNorm(width // 8, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.GroupNorm(width // 8, width),
            nn.ReLU(),
        )
        self.output = nn.Conv2d(width, channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 16 D, G, G) of images (B, 3 or 1, 8 G, 8 G): the 4 x 4 pixels of each cell, D channels each.

        Pixels come as the decoder makes them: row by row the four quarters of a cell, and of each its four pixels.
        """
        x = self.output(self.layers(images.expand(-1, 3, -1, -1)))
        quarters = x.unflatten(3, (-1, 2, 2)).unflatten(2, (-1, 2, 2))  # B D G y y G x x
        return quarters.permute(0, 3, 6, 4, 7, 1, 2, 5).flatten(1, 5)
