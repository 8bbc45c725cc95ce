"""The training loss: how far the pose is off, and how unlike the X-ray and the labels of the predicted pose are."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render.geometry import rotation_angle

from ..refine.similarity import mncc

PATH = 2.0
"""Path inside a label [mm] at which its soft mask has reached 1 - 1/e."""


def double_geodesic(pose: Tensor, target: Tensor, *, isocenter: Tensor, sdd: float) -> Tensor:
    r"""Distance of two camera poses that weighs angles by a lever of half the source to detector distance.

        d = sqrt(r^2 + x^2 + 1e-6),    r = sdd / 2 * angle(R^T R'),    x = |t - t'|,    t = R^T (source - isocentre)

    Args:
        pose: camera_to_world (B, 4, 4).
        target: Same shape.
        isocenter: (3,) [mm], the centre of the patient.
        sdd: Source to detector [mm].

    Returns:
        (B,) [mm].

    Gradients: to both poses; finite where they coincide, though the distance has a kink there.

    Source: Gopalakrishnan et al. (xvr); t counts in the turned frame, so it does not depend on the orientation used.
    """
    R, Q = pose[:, :3, :3], target[:, :3, :3]
    center = isocenter.to(pose)[:, None]
    offset = R.mT @ (pose[:, :3, 3:] - center) - Q.mT @ (target[:, :3, 3:] - center)
    turned = sdd / 2 * rotation_angle(R.mT @ Q)
    return (turned.square() + offset.square().sum(dim=(1, 2)) + 1e-6).sqrt()


def soft_mask(lengths: Tensor) -> Tensor:
    """Masks in [0, 1) from paths inside labels [mm]: 1 - exp(-length / 2 mm), with a gradient wherever a ray passes."""
    return 1 - torch.exp(-lengths / PATH)


def soft_dice(first: Tensor, second: Tensor) -> Tensor:
    r"""One minus the mean Dice coefficient over labels that either mask shows, (B,), in [0, 1].

        D = 2 sum(a b) / (sum a^2 + sum b^2)

    Args:
        first: Soft masks (B, L, H, W) in [0, 1].
        second: Same shape.

    Gradients: to both masks. An image that shows no label at all has the loss 0.
    """
    overlap = 2 * (first * second).sum(dim=(2, 3))
    total = first.square().sum(dim=(2, 3)) + second.square().sum(dim=(2, 3))
    seen = (total > 1e-6).to(total)
    dice = overlap / total.clamp_min(1e-6)
    return (seen * (1 - dice)).sum(1) / seen.sum(1).clamp_min(1)


def image_loss(first: Tensor, second: Tensor) -> Tensor:
    """1 - mNCC of two images, (B,), in [0, 2]."""
    return 1 - mncc(first, second)


def masked_mean(values: Tensor, kept: Tensor) -> Tensor:
    """The mean of the values (B,) that count; 0, with a gradient of 0, if none does."""
    return torch.where(kept, values, 0.0).sum() / kept.sum().clamp_min(1)
