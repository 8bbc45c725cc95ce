"""From a backbone's maps to the tokens of a detector: a pyramid of set strides, and where each token lies."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .attention import Sizes

TEMPERATURE = 1e4
"""Of the sine embedding."""


class FeaturePyramid(nn.Module):
    """Maps of any strides -> one map of `width` channels for each wanted stride.

    Maps of one stride (blocks of a ViT) are concatenated and brought to `width` by a 1x1 convolution and GroupNorm. A
    stride that the backbone lacks is made from the next finer one by 3x3 convolutions of stride 2, or, where there is
    none, from the finest by transposed 2x2 convolutions.

    Args:
        channels: Of each map.
        strides: Of each map [px], powers of two.
        width: Channels of every level.
        wanted: Strides of the levels, fine to coarse.

    Source: Li et al., Exploring plain vision transformer backbones for object detection, 2022 (simple pyramid);
        Zhu et al., Deformable DETR, 2021 (1x1 convolution and GroupNorm).
    """

    def __init__(self, channels: Sequence[int], strides: Sequence[int], *, width: int, wanted: Sequence[int]) -> None:
        super().__init__()
        if not channels or len(channels) != len(strides):
            raise InputError(f"each map needs its channels and its stride, got {list(channels)} and {list(strides)}.")
        self.strides = tuple(strides)
        self.sources = [max((one for one in strides if one <= want), default=min(strides)) for want in wanted]
        self.inputs = nn.ModuleDict(
            {
                str(source): nn.Sequential(
                    nn.Conv2d(sum(c for c, s in zip(channels, strides, strict=True) if s == source), width, 1),
                    _norm(width),
                )
                for source in sorted(set(self.sources))
            }
        )
        self.levels = nn.ModuleList(
            _resampled(width, source, want) for source, want in zip(self.sources, wanted, strict=True)
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Levels (B, width, h, w), fine to coarse."""
        if len(maps) != len(self.strides):
            raise InputError(f"the detector reads {len(self.strides)} maps, got {len(maps)}; give those of training.")
        inputs = {
            stride: module(torch.cat([one for one, s in zip(maps, self.strides, strict=True) if str(s) == stride], 1))
            for stride, module in self.inputs.items()
        }
        return [level(inputs[str(source)]) for source, level in zip(self.sources, self.levels, strict=True)]


def sine_embedding(points: Tensor, width: int) -> Tensor:
    """Sines and cosines of places (..., 2) in [0, 1], (..., width): the first half of channels of u, the rest of v.

    Source: Carion et al., DETR, 2020 (temperature 10000, scale 2 pi).
    """
    quarter = width // 4
    frequencies = 2 * math.pi * TEMPERATURE ** (-torch.arange(quarter, device=points.device) / quarter)
    angles = points[..., None] * frequencies.to(points)
    return torch.cat([angles.sin(), angles.cos()], -1).flatten(-2)


def token_centres(sizes: Sizes, device: torch.device) -> Tensor:
    """Where the cells of all levels have their centres, (S, 2) as shares (u, v) of the image."""
    grids = [
        torch.meshgrid(*((torch.arange(n, device=device) + 0.5) / n for n in size), indexing="ij") for size in sizes
    ]
    return torch.cat([torch.stack([u, v], -1).reshape(-1, 2) for v, u in grids])


def _norm(width: int) -> nn.GroupNorm:
    return nn.GroupNorm(math.gcd(32, width // 2), width)


def _resampled(width: int, source: int, want: int) -> nn.Sequential:
    steps = round(math.log2(want / source))
    layers: list[nn.Module] = []
    for _ in range(abs(steps)):
        change = (
            nn.Conv2d(width, width, 3, stride=2, padding=1) if steps > 0 else nn.ConvTranspose2d(width, width, 2, 2)
        )
        layers += [nn.GELU(), change, _norm(width)]
    return nn.Sequential(*layers)
