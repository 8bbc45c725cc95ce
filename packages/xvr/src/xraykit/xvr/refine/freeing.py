"""What was taken as exact set free: each view of a joint answer by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render.geometry import full_precision, rigid_inverse, rigid_matrix, se3_log

from ..xray.shot import Shot
from .climb_settings import RegistrationSettings
from .covariance import balanced_inverse
from .registration import Registration, register_structures
from .structure import Structure

ITERATIONS = 10  # at most, at one scale: an answer is close


def freed_views(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> tuple[Registration, ...]:
    """Each of V views registered alone at the last scale, from where a joint answer has it.

    Args:
        found: The joint answer for K structures.
        shots: The V X-rays.
        structures: All that was rendered.
        settings: As they were for the joint answer.

    Returns:
        V registrations of one view.
    """
    last = replace(settings.part(slice(-1, None)), iterations=ITERATIONS, intrinsics=())
    seen = [replace(shot, camera=camera) for shot, camera in zip(shots, found.cameras, strict=True)]
    return tuple(
        register_structures(shot, structures, found.poses[None, :, v : v + 1], last, scatter=found.scatter[v : v + 1])
        for v, shot in enumerate(seen)
    )


@full_precision
def twist_between(first: Tensor, second: Tensor, pivot: Tensor) -> Float[Tensor, "*poses 6"]:
    """The left twist (w [rad], v [mm]) about a pivot (..., 3) that takes poses (..., 4, 4) to others.

    second = T(p) exp(x) T(-p) first
    """
    identity = torch.eye(3, dtype=torch.float64)
    to, back = (rigid_matrix(identity.expand(*pivot.shape[:-1], 3, 3), sign * pivot.double()) for sign in (1, -1))
    shift, turn = se3_log(back @ second.double() @ rigid_inverse(first.double()) @ to).split(3, dim=-1)
    return torch.cat([turn, shift], dim=-1)


def deviation(twist: Tensor, covariance: Tensor) -> float:
    """How many standard deviations a twist (6,) of covariance (6, 6) is from none, per degree of freedom.

    sqrt(x' C^-1 x / 6), with C inverted where it is determined.
    """
    if not bool(torch.isfinite(covariance).all()):
        return 0.0
    x = twist.double()
    return math.sqrt(max(float(x @ balanced_inverse(covariance) @ x), 0.0) / len(x))
