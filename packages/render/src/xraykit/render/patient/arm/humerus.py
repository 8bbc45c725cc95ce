"""The humerus: head, tubercles, shaft, and the condyles that the elbow turns about."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.skeleton import UPPER_ARM, Side
from ..body.solids import DistanceField, carve, cube_about, half_space, piecewise_linear, sphere
from ..canvas import Array, Canvas, Region, ellipsoid, merge, smooth_union, tube
from .girdle import HEAD_RADIUS
from .solids import girth, limb_tube

# Humerus 335 mm long with a head of 48 mm and 63 mm across the epicondyles (men: about 334, 49 and 64 mm, Spradley &
# Jantz, J Forensic Sci 56, 2011); neck-shaft angle 135 +- 4 degrees, retroversion 20 +- 8, cap of 0.75 radius
# (Boileau & Walch, J Bone Joint Surg Br 79, 1997). Half-thickness and half-width along the shaft:
_SHAFT = (
    *((7, 2, -12, 17, 18), (9, 2, -30, 14.5, 15), (9, 2, -55, 12.3, 12.5), (8, 1, -95, 11.3, 11.3)),
    *((7.5, 0, -135, 10.8, 12), (4, -2.5, -190, 10.3, 10.5), (1, -6.5, -235, 9.5, 12), (0, -8.5, -262, 8.5, 17)),
    *((-1, -8, -278, 8, 22), (-1, -5, -290, 7.5, 23)),
)
ELBOW = -UPPER_ARM
CAPITULUM, CAPITULUM_RADIUS = (17.8, 0.0, ELBOW), 10.8
LATERAL_EPICONDYLE, MEDIAL_EPICONDYLE = (30.5, -2.0, ELBOW + 10), (-32.0, -4.0, ELBOW + 9)
_SPOOL = ((-23.0, -20.0, -15.0, -9.0, -3.0, 3.0, 7.0, 13.0), (10.0, 12.4, 10.6, 8.8, 9.2, 10.2, 9.4, 7.0))


def paint_humerus(figure: Figure, side: Side, seed: int) -> None:
    """Paint the humerus of one side."""
    rng, thick = figure.rng(seed, "humerus"), girth(figure, seed)
    neck, version = np.radians(135 + 3 * rng.normal()), np.radians(20 + 7 * rng.normal())
    level = np.sin(neck - np.pi / 2)
    axis = np.array([-np.cos(version) * np.sqrt(1 - level**2), -np.sin(version) * np.sqrt(1 - level**2), level])
    tubercle = float(rng.normal(0, 0.8))

    def draw(canvas: Canvas) -> DistanceField:
        parts = [limb_tube(canvas, _SHAFT, girth=thick, n=40)]
        parts.append(_proximal(canvas, thick, axis, tubercle, figure.osteophytes))
        whole = merge(canvas, [merge(canvas, parts, blend=5), _condyles(canvas, thick)], blend=2.5)
        return _hollowed(canvas, whole, thick)

    figure.paint_bone(
        f"humerus_{side}",
        draw,
        cortex=lambda r: piecewise_linear(
            r.z, (-301, -275, -255, -215, -110, -65, -35, 0), (1.0, 1.6, 3.0, 4.2, 4.2, 2.8, 1.3, 1.0)
        ),
        shell=1250,
        core=lambda r: piecewise_linear(r.z, (-290, -268, -235, -90, -55, -25, 0), (240, 150, 0, -10, 50, 150, 230)),
    )


def _proximal(canvas: Canvas, thick: float, axis: np.ndarray, tubercle: float, worn: float) -> DistanceField:
    """The cap of the head, the greater tubercle lateral to it, the lesser in front with the groove between them."""
    radius = HEAD_RADIUS * thick
    region = cube_about(canvas, (0, 0, 0), radius + 4)
    head = np.maximum(sphere(region, (0, 0, 0), radius), -half_space(region, -0.05 * radius * axis, axis))
    greater = [(13, -12, 2), (16 + tubercle / 2, -3, 5 + tubercle), (17, 6, 1), (15, 8, -16)]
    lesser = [(4, 15, -3), (7, 13, -18)]
    parts = [
        (region, head),
        tube(canvas, greater, thick * np.array([9.5, 10, 9, 6.5])),
        tube(canvas, lesser, thick * np.array([6.5, 4.5])),
        tube(canvas, [(3, 1, -3), (7, 2, -20)], thick * np.array([17.0, 16.0])),
    ]
    if worn > 0:  # the spur below the head
        under = np.array((-18.0, -4.0, -15.0)) * thick
        parts.append(tube(canvas, [under, under + np.array((-1.0, 0, -6 * worn))], [3.0 + worn, 1.5 + worn]))
    return merge(canvas, parts, blend=4)


def _hollowed(canvas: Canvas, body: DistanceField, thick: float) -> DistanceField:
    """The body with olecranon and coronoid fossa, thin bone between them and a column on either side."""
    fossae = (((-6, -16.5, ELBOW + 21), (13.5, 13, 13)), ((-5, 5, ELBOW + 19), (10, 5.5, 8)))
    for center, radii in fossae:
        center = np.array(center) * (thick, 1, 1)
        body = carve(
            canvas, body, center, 16, lambda r, c=center, h=radii: ellipsoid(r, c, [thick * v for v in h]), 5.0
        )
    return carve(canvas, body, (-6, -10, ELBOW + 4), 24, lambda r: _behind(r, thick), 1.5)


def _behind(region: Region, thick: float) -> Array:
    """The way of the olecranon: nothing lies behind the trochlea, up to the fossa."""
    way = ellipsoid(region, (-8 * thick, -16.5, ELBOW + 8), (15.5 * thick, 13, 14))
    joint = trochlea(region.x, region.y, region.z - np.float32(ELBOW), thick, 0.3)
    return np.maximum(way, -joint).astype(np.float32)


def _condyles(canvas: Canvas, thick: float) -> DistanceField:
    """Trochlea and capitulum, and the epicondyles above them."""
    region = cube_about(canvas, (0, 0, ELBOW), 38)
    z = region.z - np.float32(ELBOW)
    joint = trochlea(region.x, region.y, z, thick)
    ball = sphere(region, CAPITULUM, CAPITULUM_RADIUS * thick)
    joint = smooth_union(joint, ball, 1.5)
    scale = np.array((thick, 1, 1))
    parts = [
        (region, joint),
        tube(
            canvas, np.array([(-15, -6, -281), (-21, -5, -288), (-26, -4, -292)]) * scale, thick * np.array([7, 7, 6])
        ),
        tube(canvas, np.array([(14, -6, -280), (19, -4, -288), (25, -2, -292)]) * scale, thick * np.array([7, 7, 5.5])),
    ]
    return merge(canvas, parts, blend=3)


def trochlea(x: Array, y: Array, z: Array, thick: float, gap: float = 0.0) -> Array:
    """Distance to the spool about the elbow's axis, `gap` mm off; x, y, z in the humerus's frame from that axis."""
    rho = np.sqrt(y * y + z * z)
    radius = piecewise_linear(x / np.float32(thick), _SPOOL[0], _SPOOL[1]) * np.float32(thick)
    ends = np.abs(x + np.float32(5 * thick)) - np.float32(18 * thick + gap)
    return -smooth_union(radius + np.float32(gap) - rho, -ends, 3.0)
