"""The trunk of a procedural patient: the torso's atlas, shaped for a person and painted in their build and posture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..body.figure import Figure, Flesh
from ..body.layers import SKIN
from ..body.trunk_shape import levels
from .bend import soft_chart, soft_frame
from .bones import paint_bones
from .bowel import sample_content
from .chest import paint_chest
from .flesh import paint_cavity, smooth_max, trunk_fat, trunk_surface
from .organs import paint_abdomen
from .pelvis import pelvic_points
from .ribs import sternum_y
from .soft_tissue import breasts, paint_back, paint_beside_spine, paint_cysts, paint_glands
from .variation import sample_trunk
from .vessels import paint_plaques

NECK_TOP = 545.0


def trunk_flesh(figure: Figure, seed: int) -> list[Flesh]:
    """Chest with breasts, abdomen, buttocks."""
    chart, shape = soft_chart(figure), sample_trunk(figure, seed)
    region = chart.whole()
    fat = trunk_fat(region)
    scale = figure.skeleton.trunk.scale
    surface = smooth_max(trunk_surface(region, shape), region.z - np.float32(NECK_TOP), 20)
    muscle = (surface + SKIN + fat) * np.float32(scale)
    body = Flesh(region, muscle, fat * np.float32(figure.physique.fat) + np.float32(SKIN))
    return [body, *breasts(figure, shape)]


def paint_trunk_organs(figure: Figure, seed: int) -> None:
    """Glands, cavities, lungs, heart, vessels, abdominal organs, muscles with names."""
    chart, shape = soft_chart(figure), sample_trunk(figure, seed)
    rng = figure.rng(seed, "bowel")
    paint_glands(figure, shape)
    region = chart.region((-200, -150, -130), (200, 160, 315))
    paint_cavity(chart, region, trunk_surface(region, shape) + SKIN + trunk_fat(region), shape)
    paint_chest(chart, figure.ids, figure.rng(seed, "lungs"), shape, contrast=figure.contrast)
    paint_beside_spine(figure)
    paint_abdomen(
        chart,
        figure.ids,
        shape,
        contrast=figure.contrast,
        content=sample_content(rng, upright=bool(rng.random() < 0.5)),
        prostate=figure.physique.sex == "male",
    )
    paint_cysts(figure, seed, 0.35 * shape.diaphragm)
    paint_back(figure)
    paint_plaques(chart, shape.plaque, figure.rng(seed, "plaques"))


def paint_trunk_bones(figure: Figure, seed: int) -> None:
    """Spine from C3 down with its discs, ribs with cartilages, sternum, pelvis."""
    paint_bones(figure, sample_trunk(figure, seed))


def trunk_landmarks(figure: Figure, seed: int) -> dict[str, NDArray[np.float64]]:
    """Vertebral bodies, points of pelvis, sternum and airways that radiographers and registration use."""
    shape = sample_trunk(figure, seed)
    points = {
        f"vertebrae_{name}_center": figure.landmark(f"vertebrae_{name}", level.center)
        for name, level in levels().items()
    }
    soft = {
        "jugular_notch": (0.0, sternum_y(440.0, shape), 442.0),
        "sternal_angle": (0.0, sternum_y(392.0, shape) + 5.0, 392.0),
        "xiphoid_tip": (0.0, sternum_y(284.0, shape) - 1.0, 260.0),
        "carina": (3.0, -16.0, 388.0),
    }
    frame = soft_frame(figure.skeleton.trunk)
    points |= {name: frame.to_world(place) for name, place in soft.items()}
    return points | {name: figure.landmark("trunk", place) for name, place in pelvic_points(shape).items()}
