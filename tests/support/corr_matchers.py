"""A matcher whose answer is known, and small X-rays for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn


@dataclass(frozen=True)
class BandConfig:
    """What the predictor reads of a network's config."""

    image_size: int = 64
    stride: int = 8
    dimension: int = 8
    heads: int = 2
    module: str = "standard"
    preprocess: Mapping[str, Any] = field(default_factory=dict)


class BandOutput(NamedTuple):
    """As `MatchOutput`."""

    probability: Tensor
    logits: Tensor | None
    tokens: Tensor
    overlap: Tensor | None = None


class BandNetwork(nn.Module):
    """A patch matches what lies in its row of the other view, as for two cameras on one horizontal circle.

    p_ij = b_i b_j exp(-(row_i - row_j)^2), b the mean brightness of a patch.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.config = BandConfig(**options)
        self.scale = nn.Parameter(torch.ones(()))
        self.passes: list[int] = []

    def forward(self, images: Tensor, *, order: Tensor | None = None) -> BandOutput:
        """(B, V, 1, S, S) to probabilities (B, P, L, L)."""
        count = images.shape[1]
        self.passes.append(count)
        tokens = nn.functional.avg_pool2d(images.flatten(0, 1), self.config.stride).flatten(1)
        grid = round(tokens.shape[1] ** 0.5)
        tokens = tokens.reshape(len(images), count, -1)
        rows = torch.arange(grid * grid) // grid
        near = torch.exp(-((rows[:, None] - rows[None]).float() ** 2)) * self.scale
        pairs = [tokens[:, a, :, None] * tokens[:, b, None] * near for a, b in combinations(range(count), 2)]
        return BandOutput(torch.stack(pairs, 1), None, tokens[..., None])


def bone(height: int = 60, width: int = 40, *, column: float = 0.5, seed: int = 0) -> np.ndarray:
    """An upright bone in tissue, air at the sides, bone bright; (H, W) uint8."""
    rng = np.random.default_rng(seed)
    x = (np.arange(width) + 0.5) / width - column
    tissue, cortex = np.abs(x) < 0.4, np.abs(x) < 0.12
    values = 90.0 * tissue + 130.0 * cortex + np.zeros((height, 1)) + rng.normal(0, 2, (height, width)) * tissue
    return np.clip(values, 0, 255).astype(np.uint8)


def write_views(folder: Path, *shapes: tuple[int, int], names: str = "abcdef") -> list[Path]:
    """PNG files of the bone, each of its own shape."""
    paths = []
    for n, shape in enumerate(shapes or ((60, 40), (48, 64))):
        paths.append(folder / f"{names[n]}.png")
        Image.fromarray(bone(*shape, seed=n)).save(paths[-1])
    return paths
