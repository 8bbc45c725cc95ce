"""Poses that a nearly symmetric implant could be taken for: turned, or mirrored in depth, onto itself."""

from __future__ import annotations

from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render.geometry import nearest_rotation, rigid_inverse, rigid_matrix

from .implant import Implant

POINTS = 2000  # vertices at most that are compared


def likely_symmetries(implant: Implant) -> tuple[Float[Tensor, "symmetries 3 3"], Float[Tensor, " symmetries"]]:
    """The seven turns and reflections along the principal axes, and how well each maps the implant onto itself.

    Returns:
        Orthogonal matrices (7, 3, 3) in the mesh's frame, about its pivot, determinant 1 or -1; and the median
        distance from a mapped vertex to the nearest vertex (7,) [mm], the most symmetric first. Along axes of equal
        spread (a rod, a ball) the choice of axes is arbitrary, and so are the answers that come of it.
    """
    vertices = implant.mesh.vertices.double() - implant.pivot
    some = vertices[:: max(1, len(vertices) // POINTS)]
    centred = some - some.mean(0)
    axes = torch.linalg.eigh(centred.mT @ centred).eigenvectors
    signs = torch.tensor([s for s in product((1.0, -1.0), repeat=3) if min(s) < 0], dtype=torch.float64)
    maps = axes @ torch.diag_embed(signs) @ axes.mT
    away = torch.stack([torch.cdist(some @ one.mT, some).amin(1).median() for one in maps])
    order = away.argsort()
    return maps[order], away[order]


def lookalikes(implant: Implant, pose: Float[Tensor, "views 4 4"], maps: Tensor) -> Float[Tensor, "maps views 4 4"]:
    """Where the implant would be seen about as it is at `pose` if each map took it onto itself.

    A turn S gives the pose R S. A reflection gives F R S with F the reflection in depth along the first view's ray
    through the pivot: shadows of parallel beams do not tell front from back. The other views keep their places to the
    first.

    Args:
        implant: The implant.
        pose: Camera to mesh of V views.
        maps: Orthogonal matrices (S, 3, 3), see `likely_symmetries`.
    """
    to_camera = rigid_inverse(pose[0])
    middle = to_camera[:3, :3] @ implant.pivot + to_camera[:3, 3]
    ray = middle / middle.norm()
    flip = torch.eye(3, dtype=torch.float64) - 2 * ray[:, None] * ray
    proper = torch.where((torch.linalg.det(maps) > 0)[:, None, None], torch.eye(3, dtype=torch.float64), flip)
    rotation = nearest_rotation(proper @ to_camera[:3, :3] @ maps)
    first = rigid_inverse(rigid_matrix(rotation, middle - rotation @ implant.pivot))
    return first[:, None] @ (rigid_inverse(pose[0]) @ pose)
