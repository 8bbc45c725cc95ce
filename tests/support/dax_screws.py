"""Screws that are made up: maps that show them as bumps, truth and guesses at random."""

from __future__ import annotations

import torch
from torch import Tensor
from xraykit.dax.probes.screws import ScrewTruth

SIZE = (64, 64)


def random_truth(rng: torch.Generator, *, most: int = 3, size: tuple[int, int] = SIZE) -> ScrewTruth:
    """Up to `most` screws, some with an end that is not visible."""
    count = int(torch.randint(0, most + 1, (1,), generator=rng))
    points = torch.rand(count, 2, 2, generator=rng) * torch.tensor([size[1], size[0]])
    return ScrewTruth(points, torch.rand(count, 2, generator=rng) < 0.8, size)


def bump_maps(truth: list[ScrewTruth], strides: tuple[int, ...] = (8, 16)) -> list[Tensor]:
    """For each stride a map (N, 4, h, w): bumps at heads, bumps at tips, and their product with a ramp each way."""
    maps = []
    for stride in strides:
        height, width = (side // stride for side in truth[0].size)
        v = (torch.arange(height) + 0.5)[:, None] * stride
        u = (torch.arange(width) + 0.5)[None] * stride
        images = torch.zeros(len(truth), 4, height, width)
        for n, one in enumerate(truth):
            for screw, seen in zip(one.points, one.visible, strict=True):
                for k in range(2):
                    if seen[k]:
                        du, dv = u - screw[k, 0], v - screw[k, 1]
                        bump = torch.exp(-(du**2 + dv**2) / (2 * stride**2))
                        images[n, 2 * k] += bump
                        images[n, 2 * k + 1] += bump * (du + 2 * dv) / stride
        maps.append(images)
    return maps
