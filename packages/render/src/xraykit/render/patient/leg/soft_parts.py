"""Tendons, fat pads and vessels of the leg, painted into its muscle before the bones."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.layers import FAT_HU
from ..body.skeleton import Side
from ..canvas import ellipsoid, spline, tube
from .solids import landmark_in_frame

TENDON_HU, BLOOD_HU = 85.0, 45.0

# Centre lines of the arteries, in the frame of femur, tibia or foot, with radii at their ends [mm].
_ARTERIES = (
    (
        "femur",
        ((-2, 38, 40), (0, 34, -20), (-8, 26, -100), (-14, 14, -200), (-16, -4, -300), (-8, -24, -370)),
        4.3,
        3.4,
    ),
    ("femur", ((-8, -24, -370), (-2, -30, -410), (0, -31, -430)), 3.4, 3.2),
    ("femur", ((0, 32, -30), (8, 18, -60), (10, 4, -150), (12, -6, -230)), 3.0, 1.5),
    ("tibia", ((0, -30, 4), (1, -28, -30), (4, -24, -62)), 3.2, 2.8),
    ("tibia", ((4, -24, -62), (12, -14, -76), (18, 8, -90), (17, 8, -200), (9, 18, -340), (2, 24, -400)), 1.8, 1.3),
    ("tibia", ((4, -24, -62), (0, -26, -120), (-4, -26, -240), (-14, -20, -350), (-20, -16, -402)), 2.0, 1.3),
    ("tibia", ((2, -26, -100), (14, -24, -180), (20, -22, -300), (20, -18, -370)), 1.5, 0.9),
    ("foot", ((0, 32, 0), (-4, 50, 0), (-10, 80, -8), (-14, 100, -26)), 1.3, 1.0),
    ("foot", ((-22, -14, 4), (-22, -4, -28), (-14, 30, -50), (10, 90, -56)), 1.4, 1.0),
)


def paint_soft_parts(figure: Figure, side: Side) -> None:
    """Paint fat pads, tendons and, if they hold contrast agent, arteries; without labels."""
    _fat(figure, side)
    _tendons(figure, side)
    if figure.contrast > 0:
        for frame, line, start, end in _ARTERIES:
            chart = figure.chart(f"{frame}_{side}")
            points = spline(np.array(line, dtype=np.float64), 6 * len(line))
            region, field = tube(chart, points, np.linspace(start, end, len(points)))
            chart.paint(region, field, BLOOD_HU + figure.contrast)


def _fat(figure: Figure, side: Side) -> None:
    """Hoffa's pad below the patella, popliteal fossa, the pad before the femur, Kager's triangle."""
    knee, shank = figure.chart(f"femur_{side}"), figure.chart(f"tibia_{side}")
    for chart, center, radii in (
        (knee, (0, -30, -412), (13, 11, 36)),
        (knee, (0, 33, -382), (14, 3.5, 18)),
        (shank, (0, 36, -26), (20, 9, 15)),
        (shank, (0, -33, -352), (15, 7, 32)),
    ):
        region = chart.region(np.subtract(center, radii) - 4, np.add(center, radii) + 4)
        chart.paint(region, ellipsoid(region, center, radii), FAT_HU)


def _tendons(figure: Figure, side: Side) -> None:
    """Quadriceps and patellar tendon, Achilles tendon."""
    apex = landmark_in_frame(figure, side, "patella", "tibia", (1.5, 52, -14))
    base = landmark_in_frame(figure, side, "patella", "femur", (1.5, 50, 24))
    heel = landmark_in_frame(figure, side, "foot", "tibia", (4.0, -52, -36))
    for frame, knots, thin, wide in (
        ("tibia", [tuple(apex), (0.5, 36.5, -62)], (2.8, 2.8), (13, 11)),
        ("femur", [tuple(base), (6, 42, -348)], (3.5, 3.5), (16, 14)),
        ("tibia", [tuple(heel), (2, -45, -385), (2, -44, -350), (4, -44, -290)], (3.0, 2.6), (10, 8)),
    ):
        chart = figure.chart(f"{frame}_{side}")
        line = spline(np.array(knots, dtype=np.float64), 12)
        radius, half = np.linspace(*thin, 12), np.linspace(*wide, 12)
        region, field = tube(chart, line, radius, flat=[(0.0, 1.0, 0.1)] * 12, wide=half)
        chart.paint(region, field, TENDON_HU)
