"""How implants and bones are drawn where tracking found them: the sum of what each by itself does to the beam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from xraykit.render import Camera
from xraykit.render.meshes import thickness

from ..implants.implant import Implant
from ..refine.structure import NamedStructures, Structure
from ..tracking.starting import Followed
from .live_rendering import line_integrals


@dataclass(frozen=True, eq=False)
class DrawnBody:
    """A body of a track.

    Args:
        name: What the track calls it.
        draw: From a camera, a pose (4, 4), camera to body, and whether it is for a draft to what it does to the beam,
            (H, W): line integrals of a bone, of an implant the share of the beam that it takes out.
    """

    name: str
    draw: Callable[[Camera, Tensor, bool], Tensor]


def drawn_bodies(followed: Followed) -> tuple[DrawnBody, ...]:
    """The bodies that were followed, in the order of the track."""
    if isinstance(followed.bodies, NamedStructures):
        parts = zip(followed.names, followed.bodies.bodies, strict=True)
        return tuple(DrawnBody(name, partial(_bone, body)) for name, body in parts)
    return tuple(DrawnBody(implant.name, partial(_implant, implant)) for implant in followed.bodies)


def _implant(implant: Implant, camera: Camera, pose: Tensor, draft: bool) -> Tensor:
    return implant.shadow(thickness([implant.mesh], camera, pose[None])[0, 0]).float()


def _bone(bone: Structure, camera: Camera, pose: Tensor, draft: bool) -> Tensor:
    return line_integrals(bone.volume, camera, pose.to(torch.float64), draft=draft)
