"""Ulna and radius."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.skeleton import CARRYING_ANGLE, FOREARM, RADIAL_HEAD, ULNAR_HEAD, Side
from ..body.solids import DistanceField, carve, cube_about, half_space, piecewise_linear, sphere
from ..canvas import Array, Canvas, Region, ellipsoid, merge, tube
from .humerus import CAPITULUM_RADIUS, trochlea
from .solids import girth, limb_tube

# Ulna 268 mm and radius 240 mm long (men: about 270 and 250 mm, Trotter & Gleser, Am J Phys Anthropol 10, 1952),
# radial head 23 mm across; distal radius: inclination 22 degrees, palmar tilt 11 degrees, neutral ulnar variance
# (Schuind et al., J Hand Surg Am 17, 1992).
OLECRANON, ULNAR_STYLOID, RADIAL_STYLOID = (-7.5, -17.0, 18.0), (-18.6, -7.4, -250.0), (24.5, 1.0, -253.0)
_GAP = 2.0
_ULNA = (
    *((-8, -14, 11, 7, 9), (-8, -18, 4, 7.5, 11), (-8, -18.5, -6, 8, 11), (-8, -14, -19, 9.5, 11)),
    *((-7.5, -11, -34, 9.5, 9), (-6, -9, -60, 8.3, 7.4), (-4.5, -7, -100, 7.4, 6.8), (-5, -5, -150, 6.8, 6.4)),
    *(
        (-9, -3.5, -195, 5.9, 5.6),
        (-11.3, -3, -220, 5.8, 5.8),
        (-12.2, -3, -228, 7.4, 7.6),
        (-13, -3, -234.5, 7.6, 7.9),
    ),
)
_RADIUS = (
    *((13.6, -0.2, -34, 7, 7), (13, 0.4, -48, 7.2, 7.4), (15.3, 1, -70, 6.6, 7.4), (19.5, 1, -105, 6.4, 8)),
    *((21, 1, -135, 6.6, 8.2), (19.5, 1, -170, 6.8, 8.4), (15.5, 0.6, -205, 7.6, 10), (12.5, 0, -226, 9.3, 14)),
    *((11, -0.5, -240, 10.5, 16.2), (11, -1, -252, 11, 16.5)),
)


def paint_forearm(figure: Figure, side: Side, seed: int) -> None:
    """Paint ulna and radius of one side."""
    rng, thick = figure.rng(seed, "forearm"), girth(figure, seed)
    bow, styloid = float(rng.normal(1, 0.25)), float(rng.normal(0, 1.2))
    figure.paint_bone(
        f"ulna_{side}",
        lambda canvas: _ulna(canvas, thick, styloid, figure.osteophytes),
        frame=f"forearm_{side}",
        cortex=lambda r: piecewise_linear(r.z, (-244, -225, -195, -70, -35, 0), (0.9, 1.5, 2.8, 3.4, 2.2, 1.4)),
        shell=1250,
        core=lambda r: piecewise_linear(r.z, (-235, -205, -80, -40, -10), (210, 20, -10, 120, 240)),
    )
    figure.paint_bone(
        f"radius_{side}",
        lambda canvas: _radius(canvas, thick, bow),
        cortex=lambda r: piecewise_linear(r.z, (-250, -225, -190, -70, -40, -20), (0.9, 1.2, 2.7, 3.2, 1.8, 1.0)),
        shell=1250,
        core=lambda r: piecewise_linear(r.z, (-232, -195, -75, -40, -20), (210, 10, -10, 110, 230)),
    )


def _ulna(canvas: Canvas, thick: float, styloid: float, worn: float) -> DistanceField:
    """Olecranon and coronoid round the trochlear notch, shaft, head and styloid process."""
    shaft = limb_tube(canvas, _ULNA, girth=thick, n=44)
    beak = tube(canvas, [(-8, -17, 9), (-8, -11.5, 11.5)], thick * np.array([7.5, 4.5 + worn]))
    coronoid = tube(canvas, [(-9, -9, -20), (-10, 4, -17), (-10, 10 + worn, -11)], thick * np.array([9.5, 7.5, 3.5]))
    ledge = tube(canvas, [(-6, -6, -22), (2, 0, -21)], thick * np.array([9, 6.5]))
    body = merge(canvas, [shaft, beak, coronoid, ledge], blend=4)
    c, s = (np.float32(f(np.radians(CARRYING_ANGLE))) for f in (np.cos, np.sin))

    def notch(region: Region) -> Array:
        x, z = c * region.x - s * region.z, c * region.z + s * region.x
        wide = np.maximum(np.float32(-22), np.minimum(x / np.float32(thick), np.float32(6))) * np.float32(thick)
        return trochlea(wide, region.y, z, thick, _GAP)

    body = carve(canvas, body, (0, 0, 0), 32, notch)
    body = carve(canvas, body, RADIAL_HEAD, 20, lambda r: _about_axis(r)[0] - np.float32(11.4 * thick + 1.5))
    tip = tube(canvas, [(-17, -6.3, -235), (-18.5, -7.3, -248 - styloid)], [3.2 * thick, 2.3 * thick])
    return merge(canvas, [body, tip], blend=2)


def _about_axis(region: Region) -> tuple[Array, Array]:
    """Distance from the axis of pronation and height along it [mm]."""
    slope = np.subtract(RADIAL_HEAD, ULNAR_HEAD)[:2] / (RADIAL_HEAD[2] - ULNAR_HEAD[2])
    z = region.z - np.float32(RADIAL_HEAD[2])
    u = region.x - np.float32(RADIAL_HEAD[0]) - np.float32(slope[0]) * z
    v = region.y - np.float32(RADIAL_HEAD[1]) - np.float32(slope[1]) * z
    lean = z + np.float32(slope[0]) * u + np.float32(slope[1]) * v
    return np.sqrt(u * u + v * v), lean


def _radius(canvas: Canvas, thick: float, bow: float) -> DistanceField:
    """Head with its dish, neck, tuberosity, bowed shaft, broad distal end with styloid process."""
    table = np.array(_RADIUS, dtype=np.float64)
    chord = np.interp(-table[:, 2], (40, 250), (13, 11))
    table[:, 0] = chord + (table[:, 0] - chord) * np.where(table[:, 2] > -215, bow, 1)
    tuberosity = tube(canvas, [(8.5, 3, -42), (8.2, 3.2, -52)], thick * np.array([5.5, 5.0]))
    lister = tube(canvas, [(13, -10, -230), (13, -10.5, -240)], thick * np.array([2.5, 2.5]))
    styloid = tube(canvas, [(20, 0, -232), (24, 1, -249)], thick * np.array([7.5, 4.5]))
    shaft = merge(canvas, [limb_tube(canvas, table, girth=thick, n=44), tuberosity, lister, styloid], blend=3)
    return merge(canvas, [_distal(canvas, shaft, thick), _head(canvas, thick)], blend=2)


def _distal(canvas: Canvas, body: DistanceField, thick: float) -> DistanceField:
    """The joint surfaces for carpus and ulna."""
    plane = (0.37, -0.19, 1.0)
    body = carve(canvas, body, (10, 0, -252), 32, lambda r: half_space(r, (-4.0, 0.0, -241.0), plane))
    scoop = (3.0, 1.0, -FOREARM - 8.5)
    body = carve(canvas, body, scoop, 34, lambda r: ellipsoid(r, scoop, (27.5, 18, 23.8)))
    ulna = (ULNAR_HEAD[0] + 1.2, ULNAR_HEAD[1], -235.0)
    return carve(canvas, body, ulna, 16, lambda r: ellipsoid(r, ulna, (8 * thick + 2, 8 * thick + 2, 30)))


def _head(canvas: Canvas, thick: float) -> DistanceField:
    region = cube_about(canvas, (*RADIAL_HEAD[:2], -25.0), 20)
    rho, height = _about_axis(region)
    profile = piecewise_linear(height, (-22, -14, -9, -6, 1.5, 3.5), (7, 7.2, 9, 11.2, 11.4, 10.6)) * np.float32(thick)
    disc = np.maximum(rho - profile, np.maximum(height - 3.5, -20 - height)).astype(np.float32)
    lean = np.subtract(RADIAL_HEAD, ULNAR_HEAD) / (RADIAL_HEAD[2] - ULNAR_HEAD[2])
    ball = np.array(RADIAL_HEAD) + 15.0 * lean
    return carve(canvas, (region, disc), ball, 18, lambda r: sphere(r, ball, CAPITULUM_RADIUS * thick + _GAP))
