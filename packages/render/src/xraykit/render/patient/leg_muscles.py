"""Outlines of thigh, shank, foot and toes: muscle and the fat on it."""

from __future__ import annotations

import numpy as np

from ..implicit import Chart, Region, tube
from .figure import Figure, Flesh
from .foot_rays import rays
from .leg_shape import LegShape
from .leg_solids import Section, corner, loft, oval, profile
from .skeleton import Side

# Height, centre x and y, then lateral, front, medial, back radius of the muscles; girths of a lean man of 75 kg.
_THIGH = (
    (-452, 0, 2, 46, 50, 46, 40),
    (-428, 0, 2, 49, 56, 50, 46),
    (-400, 2, 2, 52, 58, 53, 50),
    (-360, 5, 1, 56, 56, 56, 54),
    (-300, 9, 0, 62, 62, 64, 60),
    (-220, 14, -2, 66, 70, 74, 68),
    (-140, 17, -4, 64, 76, 80, 76),
    (-80, 16, -8, 62, 76, 82, 84),
    (-20, 12, -10, 64, 68, 72, 86),
    (30, 8, -6, 56, 58, 56, 70),
)
_SHANK = (
    (-410, 0, -4, 34, 26, 30, 34),
    (-385, 0, -4, 34, 26, 31, 40),
    (-350, 1, -6, 32, 25, 29, 40),
    (-300, 3, -8, 33, 30, 28, 38),
    (-240, 6, -12, 39, 36, 34, 44),
    (-180, 8, -16, 46, 42, 44, 54),
    (-120, 8, -18, 50, 45, 52, 60),
    (-70, 5, -12, 50, 50, 52, 54),
    (-30, 2, -4, 49, 48, 50, 48),
    (20, 0, 0, 46, 46, 48, 44),
)
# Along the foot from heel to toes: distance y, centre x and height, then lateral, dorsal, medial, plantar radius.
_FOOT = (
    (-52, 4, -38, 17, 20, 17, 18),
    (-36, 3, -30, 26, 40, 26, 29),
    (-15, 2, -24, 30, 50, 31, 34),
    (10, 1, -24, 31, 46, 34, 35),
    (35, 2, -30, 33, 36, 37, 31),
    (60, 3, -36, 36, 32, 37, 24),
    (90, 3, -44, 38, 26, 37, 18),
    (120, 3, -52, 44, 17, 43, 12),
    (142, 2, -55, 41, 12.5, 46, 10),
    (160, 0, -57, 36, 9, 42, 8),
)


def thigh_and_shank(figure: Figure, side: Side) -> list[Flesh]:
    """Muscle and fat between hip and ankle."""
    build = figure.physique
    bulk = 0.45 + 0.55 * build.muscle
    found = []
    for name, rows, low, high, fat in (
        ("femur", _THIGH, -440, 20, ((-430, 4), (-330, 6), (-100, 9.0))),
        ("tibia", _SHANK, -400, 12, ((-380, 2.5), (-300, 4.5), (-120, 6), (-20, 4.5))),
    ):
        chart = figure.chart(f"{name}_{side}")
        thick = np.array(fat, dtype=np.float64)
        reach = 95.0 + 30 * build.fat
        region = chart.region((-reach, -reach, rows[0][0] - 30), (reach, reach, rows[-1][0] + 30))
        sections = [oval(z, x, y, *(r * _grown(bulk, z, name) for r in radii)) for z, x, y, *radii in rows]
        field = loft(region, sections, smooth=30.0)
        field = corner(field, np.maximum(region.z - high, low - region.z).astype(np.float32), 30.0)
        layer = profile(region.z, thick[:, 0], thick[:, 1]) * np.float32(build.fat)
        found.append(Flesh(region, field * np.float32(chart.frame.scale), layer))
    return found


def _grown(bulk: float, z: float, name: str) -> float:
    """Factor on a radius: muscles grow, bones and tendons at knee and ankle do not."""
    knots = (
        ((-440, -330, -80), (0.15, 1, 1)) if name == "femur" else ((-400, -300, -240, -60, -20), (0, 0.3, 1, 1, 0.2))
    )
    return 1 + (bulk - 1) * float(np.interp(z, *knots))


def foot_and_toes(figure: Figure, side: Side, shape: LegShape) -> list[Flesh]:
    """The foot with its heel pad, and five toes."""
    chart = figure.chart(f"foot_{side}")
    scale, fat = np.float32(chart.frame.scale), 0.6 + 0.4 * figure.physique.fat
    region = chart.region((-75, -90, -100), (75, 190, 60))
    # Seen from behind: x lateral, z up, the axis to the front.
    view = Region(region.window, region.x, region.z, region.y)
    sections: list[Section] = [oval(*row) for row in _FOOT]
    field = corner(loft(view, sections, smooth=12.0), np.maximum(-54 - region.y, region.y - 158), 14.0)
    field = corner(field, np.float32(-61.0) - region.z, 10.0)
    pad = 2.2 * fat + 7.0 * np.clip((-44 - region.z) / 14, 0, 1) * np.clip((20 - region.y) / 30, 0.35, 1)
    found = [Flesh(region, field * scale, pad.astype(np.float32))]
    return found + [_toe(chart, number, shape, fat) for number in range(5)]


def _toe(chart: Chart, number: int, shape: LegShape, fat: float) -> Flesh:
    ray = rays(shape)[number]
    joints = np.array(ray.joints)
    joints[-1] -= (joints[-1] - joints[-2]) * 0.25
    thick = (9.0, 6.8, 6.6, 6.4, 6.4)[number]
    start = ray.head + (joints[0] - ray.head) * 0.2
    line = np.vstack([start, *joints])
    radius = np.linspace(thick + 1.0, thick, len(line))
    region, field = tube(chart, line, radius, margin=12.0)
    return Flesh(region, field * np.float32(chart.frame.scale), 2.4 * fat)
