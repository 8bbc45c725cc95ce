"""KoLeo: keeps the features of a batch apart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from xraykit.render import InputError

LEAST = 1e-8


def koleo_loss(features: Tensor) -> Tensor:
    r"""Kozachenko-Leonenko estimate of the negative entropy of directions, up to a constant.

        loss = -1/B sum_b ln(d_b + 1e-8),    d_b = min_(c != b) |x_b - x_c|,    x = features / |features|

    Args:
        features: (B, D), B at least 2; of one view, since two views of an image shall be near.

    Returns:
        A scalar in float32 or better, at least -ln 2.

    Raises:
        InputError: Another shape, or one image alone.

    Gradients: to the features; which is the nearest counts as constant.

    Source: Sablayrolles et al., Spreading vectors for similarity search, 2019; Oquab et al., DINOv2, 2023.
    """
    if features.ndim != 2 or len(features) < 2:
        raise InputError(f"KoLeo needs (batch, dimension) with at least 2 images, got {tuple(features.shape)}.")
    with torch.autocast(features.device.type, enabled=False):
        full = features.to(torch.promote_types(features.dtype, torch.float32))
        x = functional.normalize(full, dim=1, eps=LEAST)
        with torch.no_grad():
            nearest = (x @ x.mT).fill_diagonal_(-2).argmax(1)
        distance = functional.pairwise_distance(x, x[nearest], eps=LEAST)
        return -(distance + LEAST).log().mean()
