"""The heart of the procedural torso."""

from __future__ import annotations

import numpy as np

from ..body.trunk_shape import TrunkShape
from ..canvas import Canvas, ellipsoid, smooth_union
from .flesh import diaphragm

BLOOD_HU = 45.0
_MIDDLE = np.array([-16.0, 28.0, 300.0])


def heart_lift(shape: TrunkShape) -> float:
    """How far the heart follows the diaphragm [mm]."""
    return 0.35 * shape.diaphragm


def paint_heart(canvas: Canvas, label: int, appendage: int, shape: TrunkShape, contrast: float) -> None:
    """Ventricles, atria and the left appendage, their walls less bright than the blood where that holds contrast agent.

    The breadth is 0.46 of the chest's inner one in the atlas; 0.42 to 0.50 is usual (Danzer, Am J Med Sci 157, 1919).
    """
    size, lift = shape.heart, np.array([0.0, 0.4 * shape.forward(300.0), heart_lift(shape)])
    turn = np.radians(shape.heart_turn)
    axis = np.array([-0.72, 0.42, -0.55]) / np.linalg.norm([-0.72, 0.42, -0.55])
    cos, sin = np.cos(turn), np.sin(turn)
    axis = np.array([cos * axis[0] + sin * axis[2], axis[1], cos * axis[2] - sin * axis[0]])
    side = np.cross(axis, [0, 0, 1.0])
    side /= np.linalg.norm(side)
    frame = np.stack([axis, side, np.cross(axis, side)]).astype(np.float32)
    region = canvas.region((-118, -60, 190), (78, 130, 400))

    def body(center: tuple[float, float, float], radii: tuple[float, float, float], tilt: np.ndarray | None = None):
        place = _MIDDLE + size * (np.array(center) - _MIDDLE) + lift
        return ellipsoid(region, place, [size * r for r in radii], tilt)

    ventricles = body((-30, 36, 293), (54, 38, 40), frame)
    atrium = body((17, 20, 302), (26, 32, 38))
    base = body((-16, 26, 262), (44, 38, 32))
    left_atrium = body((-8, -6, 322), (35, 23, 24))
    heart = smooth_union(smooth_union(smooth_union(ventricles, atrium, 20), left_atrium, 14), base, 18)
    floor = np.maximum(-2 - diaphragm(region, shape), 232 + shape.diaphragm - region.z)
    heart = np.maximum(heart, floor)
    canvas.paint(region, heart, 48.0 + 0.3 * contrast, label)
    if contrast > 0:
        chambers = np.minimum(ventricles + 11, np.minimum(atrium + 3, left_atrium + 3))
        canvas.paint(region, np.maximum(chambers, heart + 3), BLOOD_HU + 0.9 * contrast, label)
    canvas.paint(region, body((-40, 26, 338), (9, 14, 12)), BLOOD_HU + 0.8 * contrast, appendage)
