"""Trunks painted alone on a grid in the atlas's box of a part of them."""

from __future__ import annotations

import numpy as np
from support.legs import IDS
from xraykit.render.patient.body.figure import Figure
from xraykit.render.patient.body.joint_angles import Posture
from xraykit.render.patient.body.layers import paint_flesh
from xraykit.render.patient.body.physique import Physique
from xraykit.render.patient.body.skeleton import Skeleton
from xraykit.render.patient.canvas import Canvas
from xraykit.render.patient.trunk.trunk import paint_trunk_bones, paint_trunk_organs, trunk_flesh

MAN = Physique()
WOMAN = Physique(sex="female", height=1613.0, hip_width=1.07, shoulder_width=0.95)
TRUNK = ((-225, -150, -190), (225, 160, 560))
CHEST = ((-200, -145, 170), (200, 150, 500))


def trunk_figure(
    box: tuple[tuple[float, float, float], tuple[float, float, float]] = TRUNK,
    spacing: float = 5.0,
    *,
    physique: Physique = MAN,
    posture: Posture | None = None,
    osteophytes: float = 0.0,
    contrast: float = 0.0,
) -> Figure:
    """An empty figure on a box of the atlas."""
    skeleton = Skeleton(physique, posture or Posture())
    corners = np.array(np.meshgrid(*np.array(box).T, indexing="ij"), dtype=np.float64).reshape(3, -1).T
    world = skeleton.trunk.to_world(corners)
    canvas = Canvas(world.min(axis=0), world.max(axis=0), spacing)
    return Figure(canvas, skeleton, IDS, osteophytes=osteophytes, contrast=contrast)


def painted_trunk(figure: Figure, *, seed: int = 0) -> Figure:
    """The figure with flesh, organs and bones."""
    paint_flesh(figure, trunk_flesh(figure, seed))
    paint_trunk_organs(figure, seed)
    paint_trunk_bones(figure, seed)
    return figure
