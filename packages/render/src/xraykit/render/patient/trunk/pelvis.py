"""The pelvis of the procedural torso: sacrum and hip bones with their labels, and its landmarks."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.trunk_shape import ATLAS, TrunkShape
from ..canvas import Array, Region
from .hip import CENTER, hip, mould
from .sacrum import middle_y, promontory, sacrum

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
    figure.paint_bone("sacrum", lambda canvas: (region, field), cortex=0.8, shell=700, core=_spongy)
    first = (field < 0) & (region.z > -31) & (np.abs(region.x) < 29) & (region.y > middle_y(region.z) - 12)
    figure.canvas.labels[region.window][first] = figure.ids["vertebrae_S1"]
    for side, sign in (("right", 1), ("left", -1)):
        figure.paint_bone(
            f"hip_{side}",
            lambda canvas, sign=sign: hip(canvas, sign, shape, figure.osteophytes),
            cortex=1.1,
            shell=850,
            core=95,
        )


def _spongy(region: Region) -> Array:
    """HU of the sacrum's spongy bone: dense in the body of S1, nearly marrow alone in the wings."""
    middle = np.exp(-np.square(region.x / 26)) * np.clip((region.z + 60) / 25, 0, 1)
    return (45 + 120 * middle).astype(np.float32)


def pelvic_points(shape: TrunkShape = ATLAS) -> dict[str, tuple[float, float, float]]:
    """Landmarks of both halves in the atlas [mm], {"asis_right": (x, y, z)}."""
    found = {"pubic_symphysis": (0.0, 57.0, -107.0), "sacral_promontory": promontory(shape)}
    for name, place in _POINTS.items():
        x, y, z = (float(v) for v in mould(place, shape))
        found |= {f"{name}_right": (x, y, z), f"{name}_left": (-x, y, z)}
    return found
