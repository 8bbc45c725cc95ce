"""The matcher's training step, written again plainly: what ours is measured against.

Three equal channels into the trunk, one pass of it for each view, an attention matrix that is materialised, a sigmoid
of cosines divided by norms, a mean of squares, Adam parameter by parameter, in float32. Facts: Self-Supervised
Multiview Xray Matching (MICCAI 2025); every line is our own.
"""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def sines(grid: int, width: int) -> Tensor:
    """x and y of the patches as angles (L, width), x first."""
    rows = []
    for i in range(grid):
        for j in range(grid):
            place = [(j + 0.5) / grid * 2 - 1, (i + 0.5) / grid * 2 - 1]
            periods = [2 * math.pi * 100 ** (-k / (width // 2)) for k in range(width // 2)]
            rows.append([c * p for c in place for p in periods])
    return torch.tensor(rows)


class PlainMatcher(nn.Module):
    """Module "standard" of one of our networks, from copies of its parts."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.trunk, self.projection = deepcopy(network.patches.trunk), deepcopy(network.patches.projection)
        first = next(m for m in self.trunk.modules() if isinstance(m, nn.Conv2d))
        wide: Any = deepcopy(first)
        wide.in_channels, wide.weight = 3, nn.Parameter(first.weight.detach().repeat(1, 3, 1, 1) / 3)
        for parent in self.trunk.modules():
            for name, child in parent.named_children():
                if child is first:
                    setattr(parent, name, wide)
        self.layers, self.views = deepcopy(network.module.layers), nn.Parameter(network.module.view_embedding.detach())
        self.head, self.heads = deepcopy(network.head), network.module.heads

    def forward(self, images: Tensor) -> Tensor:
        tokens = []
        for view in range(2):
            maps = self.projection(self.trunk(images[:, view].repeat(1, 3, 1, 1)))
            batch, width, grid, _ = maps.shape
            x = maps.reshape(batch, width, grid * grid).permute(0, 2, 1)
            angles = sines(grid, width // 2)
            tokens.append(x + self.views[view] + torch.cat([angles.sin(), angles.cos()], dim=1))
        turn = sines(grid, width // self.heads // 2)
        angles = torch.cat([turn, turn])
        x = torch.cat(tokens, dim=1)
        for layer in self.layers:
            x = self.layer(layer, x, angles)
        a, b = (self.head.project(self.head.norm(part)) for part in x.chunk(2, dim=1))
        a, b = a / a.norm(dim=-1, keepdim=True), b / b.norm(dim=-1, keepdim=True)
        return torch.sigmoid(self.head.log_scale.exp() * torch.einsum("bid,bjd->bij", a, b) + self.head.bias)

    def layer(self, layer: Any, x: Tensor, angles: Tensor) -> Tensor:
        batch, count, width = x.shape
        qkv = layer.qkv(layer.norm1(x)).reshape(batch, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k = (self.turned(part, angles) for part in qkv[:2])
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(width // self.heads), dim=-1)
        x = x + layer.merge((weights @ qkv[2]).transpose(1, 2).reshape(batch, count, width))
        return x + layer.reduce(F.gelu(layer.expand(layer.norm2(x))))

    def turned(self, x: Tensor, angles: Tensor) -> Tensor:
        half = x.shape[-1] // 2
        other = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
        return x * torch.cat([angles.cos()] * 2, dim=-1) + other * torch.cat([angles.sin()] * 2, dim=-1)
