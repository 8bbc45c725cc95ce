"""A 1 x 1 convolution over feature maps of several sizes, without ever making them as large as the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from xraykit.render import InputError


class PixelHead(nn.Module):
    r"""Logits of each pixel from the maps of a frozen backbone.

    logit = b + sum over maps of up(w_m . (x_m - mean_m) / scale_m)

    with `up` the bilinear interpolation to the image. A 1 x 1 convolution works on channels and `up` on places, so they
    commute: this equals the convolution of all maps upsampled and concatenated, and never makes those (770 MB an image
    for a ResNet-50).

    Args:
        channels: Of each map.
        size: Edge S of the image [px].

    Attributes:
        mean: Of each channel over the training images, all maps in a row; fixed.
        scale: Its standard deviation, 1 where it is constant; fixed.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: Sequence[int], size: int) -> None:
        super().__init__()
        self.channels, self.size = tuple(channels), size
        total = sum(self.channels)
        self.weight = nn.Parameter(torch.zeros(total))
        self.bias = nn.Parameter(torch.zeros(()))
        self.register_buffer("mean", torch.zeros(total))
        self.register_buffer("scale", torch.ones(total))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Logits (B, S, S) of maps (B, C_m, h_m, w_m).

        Raises:
            InputError: Maps of other channels than the head's.
        """
        if tuple(one.shape[1] for one in maps) != self.channels:
            got = [one.shape[1] for one in maps]
            raise InputError(f"maps must have {list(self.channels)} channels, got {got}; are they of this backbone?")
        weight = self.weight / self.scale
        logits = self.bias - (weight * self.mean).sum()
        for values, part in zip(maps, weight.split(self.channels), strict=True):
            projected = torch.einsum("bchw,c->bhw", values.to(part.dtype), part)[:, None]
            logits = logits + interpolate(projected, (self.size, self.size), mode="bilinear", align_corners=False)[:, 0]
        return logits

    @torch.no_grad()
    def standardise(self, batches: Iterator[Sequence[Tensor]]) -> None:
        """Take mean and standard deviation of every channel from training maps.

        Raises:
            InputError: No maps.
        """
        sums, squares, counts = (torch.zeros(sum(self.channels), dtype=torch.float64) for _ in range(3))
        for maps in batches:
            flat = [one.double().cpu().movedim(1, 0).flatten(1) for one in maps]
            sums += torch.cat([one.sum(1) for one in flat])
            squares += torch.cat([one.square().sum(1) for one in flat])
            counts += torch.cat([one.new_full((len(one),), one.shape[1]) for one in flat])
        if not bool((counts > 0).all()):
            raise InputError("channels are standardised by training images, got none.")
        mean = sums / counts
        scale = (squares / counts - mean.square()).clamp(min=0).sqrt()
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(scale > 1e-6 * mean.abs().clamp(min=1e-12), scale, 1.0))
