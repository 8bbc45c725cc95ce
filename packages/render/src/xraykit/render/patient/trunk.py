"""The trunk of a procedural patient: the torso's atlas, painted in the frame of build and posture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..torso_bones import paint_bones
from ..torso_organs import paint_abdomen, paint_cavity, paint_chest, smooth_max, trunk_fat, trunk_surface
from ..torso_pelvis import HIP_JOINT
from ..torso_shape import levels
from .figure import Figure, Flesh
from .layers import SKIN

NECK_TOP = 545.0


def trunk_flesh(figure: Figure, seed: int) -> list[Flesh]:
    """Chest, abdomen, buttocks."""
    chart = figure.chart("trunk")
    region = chart.whole()
    fat = trunk_fat(region)
    scale = figure.skeleton.trunk.scale
    surface = smooth_max(trunk_surface(region), region.z - np.float32(NECK_TOP), 20)
    muscle = (surface + SKIN + fat) * np.float32(scale)
    return [Flesh(region, muscle, fat * np.float32(figure.physique.fat) + np.float32(SKIN))]


def paint_trunk_organs(figure: Figure, seed: int) -> None:
    """Cavities, lungs, heart, vessels, abdominal organs."""
    chart = figure.chart("trunk")
    ids = dict(figure.ids)
    region = chart.whole()
    paint_cavity(chart, region, trunk_surface(region) + SKIN + trunk_fat(region))
    paint_chest(chart, ids, figure.rng(seed, "lungs"))
    paint_abdomen(chart, ids)


def paint_trunk_bones(figure: Figure, seed: int) -> None:
    """Spine from C3 down, ribs with cartilages, sternum, pelvis."""
    paint_bones(figure)


def trunk_landmarks(figure: Figure) -> dict[str, NDArray[np.float64]]:
    """Vertebral bodies, points of the pelvis and of the sternum."""
    points = {
        f"vertebrae_{name}_center": figure.landmark(f"vertebrae_{name}", level.center)
        for name, level in levels().items()
    }
    points["pubic_symphysis"] = figure.landmark("trunk", (0.0, 57.0, -100.0))
    points["jugular_notch"] = figure.landmark("trunk", (0.0, 42.0, 443.0))
    for side, sign in (("right", 1.0), ("left", -1.0)):
        points[f"asis_{side}"] = figure.landmark("trunk", (sign * 130.0, 47.0, 14.0))
        points[f"acetabulum_{side}"] = figure.landmark("trunk", (sign * HIP_JOINT[0], *HIP_JOINT[1:]))
    return points
