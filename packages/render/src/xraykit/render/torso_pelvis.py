"""The pelvis of the procedural torso: sacrum and hip bones with their labels, and its landmarks."""

from __future__ import annotations

import numpy as np

from .patient.figure import Figure
from .torso_hip import CENTER, hip, mould
from .torso_sacrum import promontory, sacrum
from .torso_shape import ATLAS, TrunkShape

HIP_JOINT = CENTER
# Landmarks of the right half in the atlas [mm].
_POINTS = {
    "asis": (127.0, 54.0, 11.0),
    "aiis": (108.0, 47.0, -33.0),
    "psis": (46.0, -95.0, -20.0),
    "iliac_crest": (112.0, -24.0, 61.0),
    "pubic_tubercle": (26.0, 67.0, -90.0),
    "ischial_tuberosity": (53.0, -20.0, -157.0),
    "ischial_spine": (53.0, -57.0, -92.0),
    "acetabulum": HIP_JOINT,
}


def paint_pelvis(figure: Figure, shape: TrunkShape = ATLAS) -> None:
    """Paint sacrum and hip bones with their labels."""
    region, field = sacrum(figure.chart("sacrum"), shape)
    figure.paint_bone("sacrum", lambda canvas: (region, field), cortex=1.4, shell=760, core=170)
    first = (field < 0) & np.broadcast_to(region.z > -27, field.shape)
    figure.canvas.labels[region.window][first] = figure.ids["vertebrae_S1"]
    for side, sign in (("right", 1), ("left", -1)):
        figure.paint_bone(
            f"hip_{side}",
            lambda canvas, sign=sign: hip(canvas, sign, shape, figure.osteophytes),
            cortex=1.4,
            shell=900,
            core=210,
        )


def pelvic_points(shape: TrunkShape = ATLAS) -> dict[str, tuple[float, float, float]]:
    """Landmarks of both halves in the atlas [mm], {"asis_right": (x, y, z)}."""
    found = {"pubic_symphysis": (0.0, 57.0, -107.0), "sacral_promontory": promontory(shape)}
    for name, place in _POINTS.items():
        x, y, z = (float(v) for v in mould(place, shape))
        found |= {f"{name}_right": (x, y, z), f"{name}_left": (-x, y, z)}
    return found
