"""The femur in its frame: hip joint centre at the origin, flexion axis of the knee through (0, 0, -THIGH)."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.skeleton import THIGH, Side
from ..body.solids import apart, corner, piecewise_linear
from ..canvas import Array, Canvas, Region, ellipsoid, merge, smooth_union, tube
from .shape import LegShape
from .solids import Section, loft, oval

# The shaft's axis leans 6 degrees from the line of the joint centres and is bowed to the front with a radius of about
# 1.1 m. Whole length 472 mm, widest diameter at mid-shaft 30 mm (464 (24) and 31 (2) mm in men of 1.71 m: Mall et al.,
# Forensic Sci Int 113, 2000); cortex 6-7 mm at the isthmus.
_AXIS_Z = (-428.0, -380.0, -320.0, -260.0, -180.0, -100.0, -60.0, -38.0, 0.0)
_AXIS_X = (0.0, 5.0, 11.3, 17.6, 26.0, 34.4, 38.6, 41.0, 46.0)
_AXIS_Y = (9.0, 12.0, 15.5, 15.0, 11.0, 2.0, -5.0, -8.5, -12.0)


def paint_femur(figure: Figure, side: Side, shape: LegShape) -> None:
    """Paint the femur with its label."""

    def hollow(region: Region) -> Array:
        return _shaft_share(region.z)

    figure.paint_bone(
        f"femur_{side}",
        lambda canvas: femur(canvas, shape, figure.osteophytes),
        cortex=lambda region: (
            1.3 + piecewise_linear(region.z, (-410, -370, -320, -230, -110, -70, -30), (0, 1, 3.8, 5.6, 4.4, 2, 0))
        ),
        shell=1150.0,
        core=lambda region: 280 - 295 * hollow(region),
    )


def _shaft_share(z: Array) -> Array:
    """1 where the femur holds marrow, 0 where it is spongy."""
    return piecewise_linear(z, (-385, -325, -110, -60), (0, 1, 1, 0))


def femur(canvas: Canvas, shape: LegShape, wear: float = 0.0) -> tuple[Region, Array]:
    """Region and distance field of a femur."""
    shaft = canvas.region((-20, -30, -350), (75, 50, -95))
    return merge(canvas, [_proximal(canvas, shape, wear), (shaft, _loft(shaft, shape)), _distal(canvas, shape, wear)])


def shaft_axis(z: float) -> tuple[float, float, float]:
    """Middle of the shaft at a height."""
    return float(np.interp(z, _AXIS_Z, _AXIS_X)), float(np.interp(z, _AXIS_Z, _AXIS_Y)), z


def neck_root(shape: LegShape) -> tuple[float, float, float]:
    """Where the axis of the neck meets that of the shaft."""
    slope = 1 / np.tan(np.radians(180 - shape.neck_shaft - 6.0))
    z = float(-42.0 * slope)
    x = float(np.interp(z, _AXIS_Z, _AXIS_X))
    return x, float(-x * np.tan(np.radians(shape.anteversion))), z


def _loft(region: Region, shape: LegShape) -> Array:
    g = shape.girth
    # height, lateral, front, medial, back
    outline = (
        (-446, 36, 18, 37, 14),
        (-434, 36, 18, 37, 14),
        (-424, 37, 20, 38, 20),
        (-412, 33, 21, 33.5, 22),
        (-396, 25.5, 19, 25.5, 18),
        (-380, 22, 17, 22, 16.5),
        (-348, 18.2 * g, 15.5 * g, 18.2 * g, 15.5 * g),
        (-318, 16.2 * g, 14.8 * g, 16.2 * g, 15 * g),
        (-260, 14.4 * g, 14 * g, 14.4 * g, 15.8 * g),
        (-180, 14 * g, 14 * g, 14 * g, 16.5 * g),
        (-120, 15 * g, 14.5 * g, 15.5 * g, 15.5 * g),
        (-92, 16.5, 15, 18, 15.5),
        (-64, 18, 16, 20, 17),
        (-40, 18, 16, 19, 17),
        (-14, 13, 14, 14, 14),
        (-2, 13, 14, 14, 14),
    )
    sections: list[Section] = []
    for z, lateral, front, medial, back in outline:
        x, y, _ = shaft_axis(z)
        sections.append(oval(z, x, y, lateral, front, medial, back))
    return loft(region, sections, smooth=14.0)


def _proximal(canvas: Canvas, shape: LegShape, wear: float) -> tuple[Region, Array]:
    """Head, neck, trochanters."""
    region = canvas.region((-32, -48, -130), (78, 34, 32))
    t = shape.trochanter
    root = np.array(neck_root(shape))
    along = -root / np.linalg.norm(root)
    flat = np.cross(along, np.cross((0.0, 1.0, 0.0), along))
    beam = tube(
        canvas,
        [root - 6 * along, root + 12 * along, 0.42 * root, -2 * along],
        [15.0, 13.2, 12.2, 15.0],
        flat=[flat] * 4,
        wide=[20.0, 16.5, 14.6, 16.0],
        margin=9,
    )
    body = corner(_loft(region, shape), region.z + np.float32(12.0), 7.0)
    greater = [
        tube(canvas, [(52, -13, -36), (50.5, -15, -14), (49, -16, -8)], np.array([15, 11, 8.5]) * t, margin=9),
        tube(canvas, [(53, -3, -40), (52, -8, -24)], np.array([11, 9]) * t, margin=9),
    ]
    lesser = tube(canvas, [(29, -13, -66), (19, -21, -73)], np.array([12, 7.0]) * t, margin=9)
    crest = tube(canvas, [(48, -22, -18), (36, -23, -46), (24, -21, -70)], [6, 5, 6], margin=9)
    parts = [(region, body), beam, *greater, crest, lesser]
    region, field = merge(canvas, parts, blend=6.0)
    head = ellipsoid(region, (0, 0, 0), (shape.head,) * 3)
    if wear > 0:
        head = np.minimum(head, _collar(region, along, shape.head, wear))
    field = smooth_union(field, head, 2.5)
    fovea = ellipsoid(region, (-shape.head - 0.5, -2, 5), (3.0, 5.5, 5.5))
    return region, apart(field, fovea, 0.0)


def _collar(region: Region, along: Array, radius: float, wear: float) -> Array:
    """A spur round the head's edge towards the neck."""
    a = [np.float32(c) for c in along]
    height = a[0] * region.x + a[1] * region.y + a[2] * region.z
    rho = np.sqrt(np.maximum(region.x**2 + region.y**2 + region.z**2 - height * height, 0))
    return (np.hypot(rho - np.float32(radius - 4.5), height + 10) - np.float32(1.5 + 3.5 * wear)).astype(np.float32)


def _distal(canvas: Canvas, shape: LegShape, wear: float) -> tuple[Region, Array]:
    """Condyles with trochlear groove, intercondylar notch and epicondyles.

    Epicondylar breadth 84 mm, condyles 62 mm deep, notch 20 mm wide (men 82.7 (4.0), 61.9 (4.0), 19.3 (4.1): Kapur et
    al., Folia Medica; 88.6 (4.2), 61.1 (3.4), 22.0 (1.8): Terzidis et al., Anat Res Int 2012).
    """
    region = canvas.region((-52, -34, -462), (52, 58, -330))
    x, y, z = region.x / np.float32(shape.knee), region.y, region.z + np.float32(THIGH)
    back = piecewise_linear(
        x,
        (-60, -41, -39, -36, -31, -24, -17, -12, -9, 9, 12, 17, 24, 31, 35, 38, 40, 60),
        (-30, 9, 16, 20.3, 21.7, 22, 21, 17.5, 12, 12, 16.5, 20, 21.3, 21, 18.8, 15, 8, -30),
    )
    front = piecewise_linear(
        x,
        (-60, -42, -38, -33, -28, -23, -17, -9, 1, 10, 18, 24, 30, 35, 40, 43, 60),
        (-30, 6, 17, 22.3, 24.2, 24.6, 23.8, 21, 19.4, 22, 25.4, 25, 23.9, 21, 13, 6, -30),
    )
    hind = (np.hypot(y + 1, z) - back) * np.float32(0.9)
    fore = (np.hypot(y - 14, z - 3) - front) * np.float32(0.9)
    condyles = smooth_union(hind, fore, 5.0)
    neck = corner(_loft(Region(region.window, x, y, region.z), shape), -z - 6, 8.0)
    view = Region(region.window, x, y, z)
    field = smooth_union(condyles, neck, 7.0)
    for center, radii in (((-35, -3, 9), (8.0, 11, 12)), ((34.5, -3, 7), (7.0, 10, 11))):
        field = smooth_union(field, ellipsoid(view, center, radii), 6.0)
    if wear > 0:
        for center in ((-37, 6, -13), (36.5, 6, -12), (-14, 33.5, 13), (20, 35.5, 14)):
            field = smooth_union(field, ellipsoid(view, center, (2 + 4 * wear, 5, 2.5 + 2 * wear)), 3.0)
    roof = np.float32(-0.76) * (y - 11) + np.float32(-0.65) * (z + 13)
    notch = corner(np.abs(x - 0.5) - np.float32(10.2), -roof, 8.0)
    return region, _cut(field, notch)


def _cut(field: Array, hole: Array) -> Array:
    """A body without a hole, its edge a little rounded."""
    return corner(field, -hole, 2.0)
