"""Poses near and far from the one found, at which the similarity is looked at once more."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import rigid_matrix, rotation_from

TURN, SHIFT = 5.0, 8.0  # of near probes: degrees, mm
FAR_TURN, FAR_SHIFT = 20.0, 30.0  # standard deviations of far probes: degrees, mm
DEPTH = 4.0  # shifts along the beam show less, so they are longer by this
FAR = 12


def probes(poses: Tensor, pivots: Tensor, structure: int) -> tuple[Tensor, Tensor]:
    """Poses where one structure is displaced about its pivot, along and about the axes of the first view's camera.

    Args:
        poses: Those found, (K, V, 4, 4) float64.
        pivots: (K, 3) world [mm] float64.
        structure: Which one moves.

    Returns:
        near (12, K, V, 4, 4), one displacement in either direction of each of the six; far (12, K, V, 4, 4), random
        but always the same ones.
    """
    size = torch.tensor([TURN] * 3 + [SHIFT, SHIFT, DEPTH * SHIFT], dtype=torch.float64)
    near = torch.cat([torch.diag(size), -torch.diag(size)])
    spread = torch.tensor([FAR_TURN] * 3 + [FAR_SHIFT, FAR_SHIFT, DEPTH * FAR_SHIFT], dtype=torch.float64)
    far = spread * torch.randn(FAR, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return _displaced(poses, pivots, structure, near), _displaced(poses, pivots, structure, far)


def _displaced(poses: Tensor, pivots: Tensor, structure: int, twists: Tensor) -> Tensor:
    """The poses after turns [degrees] and shifts [mm] (P, 6) of one structure, (P, K, V, 4, 4)."""
    axes, pivot = poses[structure, 0, :3, :3], pivots[structure]
    rotation = rotation_from(torch.deg2rad(twists[:, :3]) @ axes.T, parameterization="so3_log_map")
    motion = rigid_matrix(rotation, pivot - rotation @ pivot + twists[:, 3:] @ axes.T)
    moved = poses.expand(len(twists), -1, -1, -1, -1).clone()
    moved[:, structure] = motion[:, None] @ poses[structure]
    return moved
