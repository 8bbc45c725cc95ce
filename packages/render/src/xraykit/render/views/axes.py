"""Axes of bodies known by their points: principal axes, the shaft of a long bone, and frames built from two hints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import GeometryError

SHAFT_NEAR, SHAFT_FAR = 45.0, 170.0  # the stretch of a long bone that shows its direction, from the joint [mm]
SLANT = 0.35  # sine of the smallest angle between two hints that tell a frame
WIDER = 1.15  # a slab of bone has a broad side if it is by this factor wider than deep


class ViewFrame(NamedTuple):
    """Columns x (right), y (front), z (up) in the world, (3, 3) float64, and what they were found from."""

    axes: Tensor
    basis: str


def unit(vector: Tensor) -> Tensor:
    """The vector at length 1."""
    return vector / torch.linalg.vector_norm(vector)


def principal_axes(cloud: Tensor) -> tuple[Tensor, Tensor]:
    """Standard deviations [mm], ascending, and principal axes (columns) of a cloud (n, 3)."""
    values, axes = torch.linalg.eigh(torch.cov(cloud.T))
    return values.clamp_min(0).sqrt(), axes


def long_axis(cloud: Tensor, towards: Tensor) -> Tensor:
    """The long axis of a cloud, pointing to the side where `towards` (a direction) points, (3,)."""
    axis = principal_axes(cloud)[1][:, 2]
    return axis if float(axis @ towards) >= 0 else -axis


def shaft_from(joint: Tensor, cloud: Tensor) -> Tensor:
    """The direction in which a long bone (n, 3) leaves a joint (3,): the long axis of its stretch beyond the joint."""
    distance = torch.linalg.vector_norm(cloud - joint, dim=1)
    stretch = cloud[(distance > SHAFT_NEAR) & (distance < SHAFT_FAR)]
    stretch = stretch if len(stretch) >= 30 else cloud
    deviations = principal_axes(stretch)[0]
    away = stretch.mean(dim=0) - joint
    # A stump shorter than wide has no long axis that means anything.
    return long_axis(stretch, away) if float(deviations[2]) > 1.2 * float(deviations[1]) else unit(away)


def upright(z: Tensor, hints: Iterable[tuple[str, Tensor | None]]) -> ViewFrame:
    """The frame with this z whose y is as near as can be to the first hint that is there and not along z.

    Raises:
        GeometryError: No hint tells a direction across z.
    """
    z = unit(z)
    chosen = next(((name, across(hint, z)) for name, hint in hints if hint is not None and is_slanted(hint, z)), None)
    if chosen is None:
        raise GeometryError("a bone that points to the front needs a neighbour that tells its own front, got none.")
    basis, y = chosen[0], unit(chosen[1])
    return ViewFrame(torch.stack([torch.linalg.cross(y, z), y, z], dim=1), basis)


def across(vector: Tensor, z: Tensor) -> Tensor:
    """The part of a vector perpendicular to a unit vector."""
    return vector - (vector @ z) * z


def is_slanted(vector: Tensor, z: Tensor) -> bool:
    """Whether a vector is far enough from the direction of a unit vector to tell a direction across it."""
    return float(torch.linalg.vector_norm(across(vector, z))) > SLANT * float(torch.linalg.vector_norm(vector)) > 0


def front_of_slab(slab: Tensor, z: Tensor, hint: Tensor, *, within: float) -> Tensor | None:
    """The direction across z and across the broad side of a slab of bone (condyles), on the side of a hint.

    None where the slab has no broad side, or its front is further than `within` (a cosine) from the hint.
    """
    if len(slab) < 30 or not is_slanted(hint, z):
        return None
    flat = slab - (slab @ z)[:, None] * z
    deviations, axes = principal_axes(flat)
    front = torch.linalg.cross(axes[:, 2], z)
    if float(deviations[2]) < WIDER * float(deviations[1]) or float(torch.linalg.vector_norm(front)) < 0.9:
        return None
    cosine = float(unit(front) @ unit(across(hint, z)))
    return None if abs(cosine) < within else unit(front) * (1 if cosine > 0 else -1)
