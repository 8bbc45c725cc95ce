"""The trunks that see an image: a Swin transformer of timm, and plain convolutions for a laptop."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import FluoroSamConfig, TrunkConfig


class SwinTrunk(nn.Module):
    """Four maps of a Swin transformer (timm), each normalised over its channels by a LayerNorm of its own.

    Args:
        config: Width, depths, heads, window.
        image_size: Edge of the images [px].

    Source: Liu et al., ICCV 2021.
    """

    def __init__(self, config: TrunkConfig, image_size: int) -> None:
        super().__init__()
        from timm.models.swin_transformer import SwinTransformer

        swin: Any = SwinTransformer(
            img_size=image_size,
            embed_dim=config.width,
            depths=config.depths,
            num_heads=config.heads,
            window_size=config.window,
            drop_path_rate=config.drop_path,
            num_classes=0,
            norm_layer=nn.LayerNorm,
        )
        swin.norm, swin.head = nn.Identity(), nn.Identity()
        self.swin = swin
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for channels in config.channels)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Maps (B, C_i, S / 4, S / 4) to (B, C_i, S / 32, S / 32) of images (B, 3, S, S)."""
        x, maps = self.swin.patch_embed(images), []
        for layer, norm in zip(self.swin.layers, self.norms, strict=True):
            x = layer(x)
            maps.append(norm(x).permute(0, 3, 1, 2))
        return maps

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Whether blocks are computed again in the backward pass instead of being remembered."""
        for layer in self.swin.layers:
            layer.grad_checkpointing = enable


class ConvTrunk(nn.Module):
    """Four maps of residual 3 x 3 convolutions with group normalisation (groups of 8 channels).

    Args:
        config: Width and depths.
    """

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        first = config.channels[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 7, stride=4, padding=3, bias=False), nn.GroupNorm(first // 8, first), nn.ReLU()
        )
        self.stages, before = nn.ModuleList(), first
        for stage, (channels, depth) in enumerate(zip(config.channels, config.depths, strict=True)):
            strides = [1 if stage == 0 else 2] + [1] * (depth - 1)
            inputs = [before] + [channels] * (depth - 1)
            pairs = zip(inputs, strides, strict=True)
            self.stages.append(nn.Sequential(*(_Residual(inside, channels, stride) for inside, stride in pairs)))
            before = channels

    def forward(self, images: Tensor) -> list[Tensor]:
        """As SwinTrunk's."""
        x, maps = self.stem(images), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Does nothing: this trunk is small."""
        del enable


class _Residual(nn.Module):
    """Two 3 x 3 convolutions and a way around them."""

    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(channels // 8, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(channels // 8, channels)
        changed = stride > 1 or inputs != channels
        self.around = nn.Conv2d(inputs, channels, 1, bias=False) if changed else nn.Identity()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        around = F.avg_pool2d(x, self.stride) if self.stride > 1 else x
        return F.relu(y + self.around(around))


def new_trunk(config: FluoroSamConfig) -> SwinTrunk | ConvTrunk:
    """The trunk of a config, with random weights."""
    if config.trunk.kind == "conv":
        return ConvTrunk(config.trunk)
    with torch.no_grad():
        return SwinTrunk(config.trunk, config.image_size)
