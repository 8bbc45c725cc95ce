"""Supervised contrast: samples of one class attract each other, all others repel."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError


def supervised_contrast(features: Tensor, classes: Tensor, scale: Tensor | float) -> Tensor:
    r"""Supervised InfoNCE over a batch.

    With unit vectors z_i, P(i) the others of i's class and s the scale,
    L = mean_i -1/|P(i)| sum_{p in P(i)} log( exp(s z_i z_p) / sum_{j != i} exp(s z_i z_j) ); the mean is over those
    that have a P(i).

    Args:
        features: (N, D), of any length; computed in float32 at least.
        classes: (N,) whole numbers.
        scale: s, the inverse of the temperature.

    Returns:
        A scalar. Gradients: to features and scale.

    Raises:
        InputError: Shapes that do not fit, or no two samples of one class.

    Source: Khosla et al., Supervised contrastive learning, NeurIPS 2020, equation 2.
    """
    if features.ndim != 2 or classes.shape != features.shape[:1]:
        raise InputError(
            f"features must be (N, D) and classes (N,), got {tuple(features.shape)} and {tuple(classes.shape)}."
        )
    with torch.autocast(features.device.type, enabled=False):
        z = F.normalize(features if features.dtype == torch.float64 else features.float(), dim=1)
        itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
        same = (classes[:, None] == classes[None]) & ~itself
        count = same.sum(1)
        if not bool(count.any()):
            raise InputError(f"a batch must hold two samples of some class, got {len(z)} of as many classes.")
        logits = (scale * (z @ z.T)).masked_fill(itself, -torch.inf)
        log_share = F.log_softmax(logits, dim=1).masked_fill(~same, 0.0)
        return -(log_share.sum(1) / count.clamp(min=1))[count > 0].mean()
