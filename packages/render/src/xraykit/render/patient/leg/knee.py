"""Patella, tibia and fibula: the patella in its own frame, the others in the tibia's (flexion axis at its origin)."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.skeleton import SHANK, Side
from ..body.solids import apart, corner, piecewise_linear
from ..canvas import Array, Canvas, Region, ellipsoid, merge, smooth_union, tube
from .foot_tarsals import mortise
from .shape import LegShape
from .solids import Section, loft, oval

PLATEAU = -26.3
"""Height of the tibial plateau in the tibia's frame [mm]: 4 to 5 mm below the condyles."""


def paint_patella(figure: Figure, side: Side, shape: LegShape) -> None:
    """Paint the patella with its label."""
    flexion = getattr(figure.skeleton.posture, f"leg_{side}").knee_flexion
    figure.paint_bone(
        f"patella_{side}",
        lambda canvas: patella(canvas, flexion, shape, figure.osteophytes),
        cortex=1.8,
        shell=1000.0,
        core=400.0,
    )


def paint_shank(figure: Figure, side: Side, shape: LegShape) -> None:
    """Paint tibia and fibula with their labels."""
    figure.paint_bone(
        f"tibia_{side}",
        lambda canvas: tibia(canvas, shape, figure.osteophytes),
        cortex=lambda r: (
            1.3 + piecewise_linear(r.z, (-376, -350, -310, -200, -110, -70, -45), (0, 0.5, 2.8, 5, 4, 1, 0))
        ),
        shell=1150.0,
        core=lambda r: 280 - 295 * piecewise_linear(r.z, (-365, -310, -110, -65), (0, 1, 1, 0)),
    )
    figure.paint_bone(
        f"fibula_{side}",
        lambda canvas: fibula(canvas, shape),
        frame=f"tibia_{side}",
        cortex=lambda r: 1.1 + piecewise_linear(r.z, (-392, -350, -300, -100, -56), (0, 1.2, 2.4, 2.2, 0)),
        shell=1100.0,
        core=lambda r: 230 - 230 * piecewise_linear(r.z, (-385, -330, -90, -60), (0, 1, 1, 0)),
    )


def patella_shift(flexion: float) -> float:
    """How much nearer to the flexion axis the patella lies in a bent knee, sunk into the notch [mm]."""
    return float(np.interp(flexion, (0, 20, 45, 70, 110), (0, -0.5, -3.5, -7, -11)))


def patella(canvas: Canvas, flexion: float, shape: LegShape, wear: float = 0.0) -> tuple[Region, Array]:
    """Region and distance field of a patella, 45 mm wide, 43 mm high, 21 mm thick.

    Breadth 44.8 (4.8) and thickness 22.4 (2.3) mm: Iranpour et al., Clin Orthop Relat Res 466, 2008.
    """
    depth = patella_shift(flexion)
    center = (1.5, 49.0 + depth, 6.0)
    region = canvas.region(np.subtract(center, (30, 18, 30)), np.add(center, (30, 18, 30)))
    x, y, z = ((c - np.float32(o)) for c, o in zip(region.axes, center, strict=True))
    x = x / np.float32(shape.knee)
    # Seen from the front: x lateral, z up; the loft's axis points to the front.
    view = Region(region.window, x, z, y)
    sections = [
        (-12.0, 0, 3, 4, 7, 13, 7, 4, 6, 8, 6),
        (-7.0, 0, 2, 15, 15, 17, 14, 12, 12, 12, 13),
        (-1.0, 0, 1, 22, 20, 20.5, 20, 22, 17, 17, 17),
        (4.0, 0, 1, 22.5, 20.5, 20, 20.5, 22.5, 17.5, 21.5, 17.5),
        (8.0, 0, 1, 18, 17.5, 18, 17.5, 18, 14.5, 17, 14.5),
        (11.0, 0, 1, 10, 10, 10, 10, 10, 9, 9, 9),
    ]
    field = loft(view, sections, smooth=4.0, rounding=3.0)
    if wear > 0:
        for pole in (19.5, -15.5):
            field = smooth_union(field, ellipsoid(view, (0, pole, 3), (8, 3 + 4 * wear, 3)), 3.0)
    return region, field


def tibia(canvas: Canvas, shape: LegShape, wear: float = 0.0) -> tuple[Region, Array]:
    """Region and distance field of a tibia.

    Plateau 76 mm wide and 48 deep (men 76.1 (4.0) and 48.2 (3.3): Kwak et al., Knee 14, 2007); length with malleolus
    386 mm (382 at a stature of 1.75 m: Trotter and Gleser, Am J Phys Anthropol 10, 1952). Three pieces on windows of
    their own.
    """
    middle = canvas.region((-40, -40, -350), (40, 50, -100))
    shaft = (middle, _shaft(middle, shape))
    return merge(canvas, [_plateau(canvas, shape, wear), shaft, _plafond(canvas, shape, wear)])


def _shaft(region: Region, shape: LegShape) -> Array:
    g, bump = shape.girth, shape.tuberosity
    sections: list[Section] = [
        # z, x, y, then lateral, front-lateral, front, front-medial, medial, back-medial, back, back-lateral
        oval(-410, -22, 2, 4, 8, 4.5, 8),
        oval(-398, -21.5, 2, 5, 10, 5, 10),
        (-386, -4, 0, 20, 21, 19, 21, 22.5, 20, 18, 20),
        (-374, -3, 0, 20.5, 21.5, 19, 20.5, 21.5, 20, 18, 20.5),
        (-362, -2, 0, 18.5, 19.5, 18, 18.5, 19, 18, 17, 18),
        (-345, -1, 1, 14.5, 16, 16, 15, 15.5, 14.5, 14, 14.5),
        (-310, 0, 2, 11.8 * g, 13 * g, 15 * g, 12.5 * g, 13 * g, 12.4 * g, 12.4 * g, 12 * g),
        (-260, 0, 2, 12.0 * g, 13 * g, 16.5 * g, 12 * g, 13 * g, 12.6 * g, 12.6 * g, 12 * g),
        (-200, 0, 2, 12.8 * g, 14 * g, 19 * g, 13 * g, 14 * g, 13.6 * g, 13.4 * g, 13 * g),
        (-140, 1, 2, 14.3 * g, 15.5 * g, 22 * g, 15 * g, 15.8 * g, 14.5 * g, 15 * g, 14.5 * g),
        (-100, 1, 1, 17, 19, 26, 19, 18.5, 17.5, 17, 17),
        (-76, 0, 1, 21, 23, 30 + bump, 23.5, 23.5, 21.5, 18.5, 20),
        (-60, 0, 1, 28, 28, 34 + bump, 28, 29.5, 25, 19.5, 25),
        (-48, 0, 1, 34.5, 32, 30, 33, 36, 31, 20, 30),
        (-38, 0, 1, 37, 34.5, 26, 35.5, 38.8, 34, 20, 33),
        (-4, 0, 1, 37, 34.5, 25, 35.5, 39, 35, 19, 33.5),
    ]
    wide = piecewise_linear(region.z, (-200, -80), (1.0, shape.knee))
    return loft(Region(region.window, region.x / wide, region.y, region.z), sections, smooth=7.0)


def _plateau(canvas: Canvas, shape: LegShape, wear: float) -> tuple[Region, Array]:
    """Upper end with its two surfaces, spines and tuberosity."""
    region = canvas.region((-50, -36, -115), (48, 50, -8))
    x, y, z = region.x / np.float32(shape.knee), region.y, region.z
    hollow = piecewise_linear(x, (-44, -36, -22, -12, 12, 22, 32, 42), (0.8, 0.4, -0.9, 0.6, 0.8, 0.2, 0, -1.2))
    spines = [
        np.float32(height) * np.exp(-np.square((x - cx) / np.float32(wide)) - np.square((y - cy) / np.float32(8)))
        for cx, cy, height, wide in ((-5.5, 4, shape.spines + 2 * wear, 3.6), (6.0, 0, shape.spines - 1.2, 3.4))
    ]
    # The surfaces fall by 5 degrees to the back.
    top = z - (np.float32(PLATEAU) + np.float32(0.085) * (y - 3) + hollow + spines[0] + spines[1])
    steep = 1 + 0.25 * (spines[0] + spines[1]) / np.float32(shape.spines)
    field = corner(_shaft(region, shape), (top / steep).astype(np.float32), 3.5)
    if wear > 0:
        view = Region(region.window, x, y, z)
        for center in ((-38, 2, -29), (36.5, 2, -29)):
            field = smooth_union(field, ellipsoid(view, center, (2.5 + 5 * wear, 8, 2.0)), 2.5)
    return region, field


def _plafond(canvas: Canvas, shape: LegShape, wear: float) -> tuple[Region, Array]:
    """Lower end: the roof of the ankle joint and the medial malleolus."""
    region = canvas.region((-36, -30, -416), (30, 30, -335))
    shaft = _shaft(region, shape)
    body = corner(shaft, np.float32(-SHANK + 13) - region.z, 2.5)
    line = [(-15.0, 2, -362), (-21.3, 3.0, -385), (-22.2, 2.5, -399)]
    part = tube(canvas, line, [6, 5.4, 4.6], flat=[(1.0, 0.18, 0)] * 3, wide=[11, 11.5, 8.5 + 2 * wear], margin=5)
    region, field = merge(canvas, [(region, body), part], blend=5.0)
    field = apart(field, _fibula(region, shape), 2.5)
    return region, corner(field, -mortise(region, -SHANK), 1.5)


def fibula(canvas: Canvas, shape: LegShape) -> tuple[Region, Array]:
    """Region and distance field of a fibula: head behind and below the lateral plateau, malleolus to z = -413."""
    region = canvas.region((10, -36, -420), (60, 14, -30))
    field = _fibula(region, shape)
    upper = region.part(canvas.window((-5, -36, -115), (60, 14, -30)))
    near = region.inner(upper.window)
    field[near] = apart(field[near], _shaft(upper, shape), 1.8)
    return region, field


def _fibula(region: Region, shape: LegShape) -> Array:
    g = shape.girth
    sections: list[Section] = [
        oval(-413, 24.5, -9, 4, 5, 3, 5),
        oval(-405, 24.3, -8, 6.5, 9, 5.5, 9),
        oval(-392, 24.3, -7, 7.8, 11, 6, 10.5),
        oval(-376, 24.8, -7.5, 7.2, 10, 6.2, 9.5),
        oval(-355, 26, -8.5, 6, 7.5, 6, 7.5),
        oval(-330, 27.5, -10, 5.8 * g, 6.5 * g, 5.8 * g, 6.5 * g),
        oval(-250, 31, -13, 6.2 * g, 7 * g, 6.2 * g, 7 * g),
        oval(-150, 34, -15, 6.6 * g, 7 * g, 6.6 * g, 7 * g),
        oval(-90, 36, -16, 5.8, 6.2, 5.8, 6.2),
        oval(-66, 38, -17, 7, 7.5, 6.5, 7.5),
        oval(-52, 40, -18, 10, 11, 8.5, 10),
        oval(-43, 41, -19, 8, 9, 7.5, 8),
        oval(-38, 41.5, -19.5, 4.5, 5, 4, 5),
    ]
    wide = piecewise_linear(region.z, (-200, -80), (1.0, shape.knee))
    return loft(Region(region.window, region.x / wide, region.y, region.z), sections, smooth=8.0, rounding=3.0)
