"""Training images of a patient: line integrals, each with its own contrast of bone, and which of them show much."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from xraykit.render import Camera, Volume, render

from .rendered_patient import RenderedPatient

SHOWN, SHOWN_WITH_LABELS = 0.10, 0.05
"""Least share of pixels that meet the patient, or, where there are labels, any label; as published."""


class Views(NamedTuple):
    """A batch: images of line integrals (B, 1, H, W), camera_to_world (B, 4, 4), and which are worth learning from."""

    image: Tensor
    pose: Tensor
    kept: Tensor
    multiplier: Tensor | None = None
    organs: Tensor | None = None


def line_integrals(patient: RenderedPatient, camera: Camera, pose: Tensor, multiplier: Tensor) -> Tensor:
    """Images (B, 1, H, W) at camera_to_world (B, 4, 4), bone multiplied by `multiplier` (B,).

    Gradients: with respect to pose and multiplier.
    """
    tissue = _march(patient.tissue, camera, pose)
    if not bool((multiplier != 1).any()):
        return tissue
    return tissue + (multiplier - 1).to(tissue)[:, None, None, None] * _march(patient.bone, camera, pose)


def organ_lengths(patient: RenderedPatient, camera: Camera, pose: Tensor) -> Tensor | None:
    """Path in each label [mm], (B, L, H, W), differentiable in the pose; None without labels."""
    if patient.organs is None:
        return None
    return _march(patient.organs, camera, pose, soft=True)[:, 1:]


def worth_learning(image: Tensor, organs: Tensor | None) -> Tensor:
    """Which images (B,) show the patient on more than 10 % of the pixels, or with labels any label on 5 %."""
    if organs is not None:
        return (organs > 0).any(dim=1).float().mean(dim=(1, 2)) > SHOWN_WITH_LABELS
    return (image > 0).float().mean(dim=(1, 2, 3)) > SHOWN


def together(parts: Sequence[Views]) -> Views:
    """Views of several patients as one batch; without organs, whose labels are each patient's own."""
    images, poses, kept, *_ = zip(*parts, strict=True)
    return Views(torch.cat(images), torch.cat(poses), torch.cat(kept))


def _march(volume: Volume, camera: Camera, pose: Tensor, *, soft: bool = False) -> Tensor:
    with warnings.catch_warnings():  # an empty view is masked, not a mistake
        warnings.filterwarnings("ignore", message="no ray meets", category=UserWarning)
        return render(volume, camera, pose, method="joseph", labels="soft" if soft else None)


def drawn_views(
    patient: RenderedPatient, camera: Camera, pose: Tensor, *, bone: tuple[float, float], with_organs: bool = False
) -> Views:
    """Views of a patient at poses (B, 4, 4), each with a bone multiplier drawn from `bone` (torch's state)."""
    low, high = bone
    multiplier = low + (high - low) * torch.rand(len(pose))
    with torch.no_grad():
        multiplier = multiplier.to(patient.tissue.device)
        image = line_integrals(patient, camera, pose, multiplier)
        organs = organ_lengths(patient, camera, pose) if with_organs else None
    return Views(image, pose.to(image.device), worth_learning(image, organs), multiplier, organs)
