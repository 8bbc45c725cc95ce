"""What a backbone sees in batches of X-rays, as far as pictures need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, normalize

from ..data.xrays import XrayCollection
from ..embedding.network_inputs import InputBatch, input_batches
from ..network.features import Features
from ..predictor import XrayEmbedder
from .attention import attention_maps

FINEST = 16  # patches are not coarser than this many pixels, where a backbone has such maps


@dataclass(frozen=True, eq=False)
class SeenXrays:
    """Some X-rays and what a backbone sees in them.

    Args:
        batch: The X-rays.
        pooled: Their features, (B, D).
        patches: The deepest maps of 16 pixels a cell or finer, vectors of length 1, (B, C, h, w).
        texture: Standard deviation of the input within each cell of these, (B, h, w).
        attention: Of `attention_maps`, (B, M, h, w).
        has_heads: Whether there are heads, or the attention is the size of a map.
    """

    batch: InputBatch
    pooled: NDArray[np.float32]
    patches: NDArray[np.float32]
    texture: NDArray[np.float32]
    attention: NDArray[np.float32]
    has_heads: bool


def see(
    embedder: XrayEmbedder,
    xrays: XrayCollection,
    *,
    batch: int,
    most: int | None = None,
    tell: Callable[[int], None] = lambda more: None,
) -> Iterator[SeenXrays]:
    """What a backbone sees in all X-rays, in order, batch by batch; of a batch of damaged ones, empty arrays.

    Args:
        embedder: The backbone on its device.
        xrays: Of `find_xrays`.
        batch: X-rays at a time.
        most: Where there are more, take so many, evenly spaced.
        tell: Called after each batch with how many it had.
    """
    backbone = embedder.backbone
    for one in input_batches(xrays, backbone.config.preprocess, batch=batch, most=most):
        if one.facts:
            features = embedder.features(one.inputs, attention=backbone.patch is not None)
            attention = attention_maps(features).cpu().numpy()
            pooled = features.pooled.cpu().numpy()
            patches = _patches(features)
            texture = _texture(one.inputs, (patches.shape[-2], patches.shape[-1]))
            yield SeenXrays(one, pooled, patches, texture, attention, features.attention is not None)
        else:
            nothing = np.empty((0, backbone.dimension), dtype=np.float32)
            yield SeenXrays(one, nothing, nothing, nothing, nothing, has_heads=False)
        tell(one.end - one.first)


def _patches(features: Features) -> NDArray[np.float32]:
    fine = [one for one in features.maps if one.stride <= FINEST] or list(features.maps[-1:])
    return normalize(fine[-1].values, dim=1).cpu().numpy()


def _texture(inputs: Tensor, grid: tuple[int, int]) -> NDArray[np.float32]:
    mean = adaptive_avg_pool2d(inputs, grid)
    return (adaptive_avg_pool2d(inputs**2, grid) - mean**2).clamp(min=0).sqrt()[:, 0].numpy()
