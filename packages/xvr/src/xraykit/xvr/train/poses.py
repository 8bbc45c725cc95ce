"""Where the training looks from: a preset of poses with a user's own numbers, and draws that depend on nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from xraykit.render import Camera, InputError, Volume
from xraykit.render.converters import diffdrr_parameters
from xraykit.render.views import POSE_RANGES, PoseRange, sample_pose

from ..network.pose_network import PoseNetwork
from .settings import TrainingPoseSettings

NUMBERS = ("alpha", "beta", "gamma", "tx", "ty", "tz")


def chosen_range(settings: TrainingPoseSettings) -> PoseRange:
    """The preset with the numbers that the settings give instead.

    Raises:
        InputError: An unknown preset, a range that does not increase, or a source inside the patient.
    """
    if settings.preset not in POSE_RANGES:
        raise InputError(f"preset must be one of {', '.join(POSE_RANGES)}, got {settings.preset!r}.")
    own = {name: value for name in NUMBERS if (value := getattr(settings, name)) is not None}
    for name, (low, high) in own.items():
        if not (np.isfinite([low, high]).all() and low <= high):
            raise InputError(f"{name} must be a lower and an upper number, got {low} {high}.")
    chosen = replace(POSE_RANGES[settings.preset], **own)
    if chosen.ty[0] <= 0:
        raise InputError(f"ty is the distance from source to isocentre and must be positive, got {chosen.ty[0]} mm.")
    return chosen


def draw(poses: PoseRange, isocenter: Tensor, n: int, key: tuple[int, ...], camera: Camera) -> Tensor:
    """n poses (n, 4, 4) float64 about the isocentre; equal keys give equal poses.

    The range counts from where the isocentre is seen in the middle of the detector, wherever its principal point is.
    """
    pose = sample_pose(poses, isocenter, np.random.default_rng(key), n)
    if camera.principal_point is None:
        return pose
    sdd, spacing, centre = camera.tensors(dtype=pose.dtype, device=pose.device)
    axes, place = pose[:, :3, :3], pose[:, :3, 3]
    depth = ((isocenter.to(pose) - place) * axes[:, :, 2]).sum(-1, keepdim=True)
    middle = pose.new_tensor([camera.width / 2, camera.height / 2])
    aside = (middle - centre) * spacing.flip(-1) * depth / sdd[:, None]
    moved = pose.clone()
    moved[:, :3, 3] -= (axes[:, :, :2] @ aside[..., None])[..., 0]
    return moved


def start_in_the_middle(network: PoseNetwork, poses: PoseRange, patient: Volume, warp: Tensor | None) -> None:
    """Let a new network begin with the middle of the range: the biases of its heads say it, their weights shrink."""
    middle = replace(poses, **{name: (sum(getattr(poses, name)) / 2,) * 2 for name in NUMBERS})
    E = network.frame.from_world(draw(middle, patient.center, 1, (0,), network.frame.camera()), patient, warp=warp)
    frame = network.frame
    rotation, translation = diffdrr_parameters(E, parameterization=frame.parameterization, convention=frame.convention)
    with torch.no_grad():
        for head, numbers in (
            (network.rot_regression, rotation),
            (network.xyz_regression, translation / frame.unit_factor),
        ):
            head.weight.mul_(0.1)
            head.bias.copy_(numbers[0])
