"""Where a backbone looks: attention of the CLS token, or the size of a ResNet's last map, over the X-ray."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from xraykit.render import InputError

if TYPE_CHECKING:
    from ..network.features import Features

MASS = 0.6  # Caron et al. 2021, figure 1, show the patches that hold this share
STRONG = 3.0  # even shares
HEAT = np.array([(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)], dtype=np.float64)


def attention_maps(features: Features) -> Tensor:
    r"""Where a backbone looks in each image, (B, M, h, w) >= 0, each map with sum 1.

    Of a ViT: the attention of the CLS token to the patches in the last block, first the mean of all heads and then
    each head, M = 1 + heads. Of a network without attention: ||f(x)|| of the deepest map, M = 1.

    Args:
        features: Of `Backbone.features(images, attention=True)`.

    Source: Caron et al. 2021 (DINO), section 4.2.2; the norm stands in where there is no attention.
    """
    if features.attention is not None:
        heads = features.attention.detach().float()
        maps = torch.cat([heads.mean(1, keepdim=True), heads], 1)
    else:
        maps = features.maps[-1].values.detach().float().norm(dim=1, keepdim=True)
    return maps / maps.sum((2, 3), keepdim=True).clamp(min=torch.finfo(maps.dtype).tiny)


def most_attended(attention: NDArray[np.floating], share: float = MASS) -> NDArray[np.bool_]:
    """The fewest patches that hold at least this share of the attention.

    Args:
        attention: >= 0, any shape.
        share: 0 to 1, 0 exclusive.

    Raises:
        InputError: Another share, or negative or no attention.
    """
    values = np.asarray(attention, dtype=np.float64).ravel()
    if not 0 < share <= 1 or not (values >= 0).all() or not values.sum() > 0:
        raise InputError(f"share must be above 0 and at most 1 of attention >= 0, got share {share}.")
    order = np.argsort(-values, kind="stable")
    held = np.cumsum(values[order]) / values.sum()
    chosen = np.zeros(values.size, dtype=bool)
    chosen[order[: int(np.searchsorted(held, share - 1e-9)) + 1]] = True
    return chosen.reshape(np.shape(attention))


def enlarged(values: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float64]:
    """A map at the size of a picture, (h, w) -> (H, W), bilinear, with the borders of both on each other."""
    grid = torch.as_tensor(np.asarray(values, dtype=np.float64))[None, None]
    return interpolate(grid, size, mode="bilinear", align_corners=False)[0, 0].numpy()


def heat_overlay(
    grey: NDArray[np.uint8], attention: NDArray[np.floating], *, opacity: float = 0.75
) -> NDArray[np.uint8]:
    """Attention over an X-ray: dark violet, red, yellow; where there is no more than an even share, the X-ray as it is.

    An even share is 1 / (h w) of all. Yellow is the 99th percentile, or three even shares if that is more, so that a
    network that looks everywhere alike colours nothing.

    Args:
        grey: (H, W) uint8.
        attention: (h, w) >= 0, of any scale.
        opacity: Share of colour where it is yellow, 0 to 1.

    Returns:
        (H, W, 3) uint8.
    """
    even = max(float(np.mean(attention)), 1e-300)
    values = enlarged(attention, grey.shape) / even
    heat = np.clip((values - 1) / (max(float(np.percentile(values, 99)), STRONG) - 1), 0, 1)
    steps = np.linspace(0, 1, len(HEAT))
    colour = np.stack([np.interp(heat, steps, HEAT[:, part]) for part in range(3)], -1)
    share = (opacity * np.sqrt(heat))[..., None]
    return np.round(grey[..., None] * (1 - share) + colour * share).astype(np.uint8)
