"""Muscle and skin of head and neck."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure, Flesh
from ..canvas import Array, Chart, Region, ellipsoid, merge, tube
from .skull_shape import HeadShape
from .skull_vault import vault


def head_flesh_parts(figure: Figure, shape: HeadShape) -> list[Flesh]:
    """Scalp, face, ears and neck; fat lies thin on the head."""
    chart = shape.on(figure.chart("skull"))
    scale = np.float32(chart.frame.scale)
    region = chart.region((-92, -106, -30), (92, 124, 160))
    fat = figure.physique.fat
    head = Flesh(region, (vault(region) - np.float32(2.5)) * scale, 2.5 + 0.8 * fat)
    place, face = _face(chart, fat)
    parts = [head, Flesh(place, face * scale, 1.5 + 1.2 * fat), *_neck(figure)]
    for sign in (1, -1):
        pinna = [(sign * 74, -2, 34), (sign * 79, -10, 28), (sign * 75, -3, 5)]
        ear, shell = tube(chart, pinna, [1.7, 1.4, 1.7], flat=[(1, 0.4 * sign, 0)] * 3, wide=[13, 15, 7], margin=12)
        parts.append(Flesh(ear, shell * scale, 0.6))
    return parts


def _face(chart: Chart, fat: float) -> tuple[Region, Array]:
    """Face from the brow to the chin with cheeks, jaw and the floor of the mouth; nose and chin stand out."""
    margin = 16.0  # twice the seams' width, beyond any skin
    full = 2.0 * (fat - 1)
    region, low = chart.region((-76, -20, -60), (76, 112, 76)), chart.region((-68, -20, -88), (68, 104, -4))
    parts = [(region, ellipsoid(region, (0, 46, 8), (58, 48, 50)))]
    parts.append((low, ellipsoid(low, (0, 42, -46), (45 + full, 44, 24))))
    parts.append(
        tube(
            chart,
            [(0, 84, 2), (0, 86, -20), (0, 85, -34), (0, 80, -52)],
            [17.5, 19, 18, 14],
            flat=[(0, 1, 0)] * 4,
            wide=[26, 28, 28, 24],
            margin=margin,
        )
    )
    parts.append(tube(chart, [(-27, 65, -53), (-8, 82, -57), (8, 82, -57), (27, 65, -53)], 15, margin=margin))
    for s in (1, -1):
        parts.append(tube(chart, [(s * 31, 76, 36), (s * 31, 77, 36)], [16, 16], margin=margin))
        parts.append(tube(chart, [(s * 10, 93, 57), (s * 32, 89, 57), (s * 46, 76, 50)], [8, 9, 9], margin=margin))
        parts.append(tube(chart, [(s * 46, 69, 36), (s * 43, 69, 10)], [11, 13], margin=margin))
        parts.append(tube(chart, [(s * 50, 54, 14), (s * 62, 26, 14), (s * 58, 0, 8)], [12, 7, 10], margin=margin))
        parts.append(tube(chart, [(s * 40, 66, 6), (s * 44, 48, -22)], [13, 15 + full], margin=margin))
        parts.append(tube(chart, [(s * 54, 26, 6), (s * 45, 24, -34)], [13, 14.5 + full], margin=margin))
        parts.append(tube(chart, [(s * 55, -22, 20), (s * 48, -26, -25)], [14, 14], margin=margin))
    muzzle = merge(chart, parts, blend=8)
    nose = [
        tube(chart, [(0, 98, 44), (0, 106, 27), (0, 115, 8)], [4.5, 5.5, 6.5], margin=margin),
        *(tube(chart, [(s * 8, 103, 3), (s * 6, 110, 4)], [5.5, 5.0], margin=margin) for s in (1, -1)),
    ]
    return merge(chart, [muzzle, *nose], blend=4)


def _neck(figure: Figure) -> list[Flesh]:
    """Neck from the shoulders to the base of the skull, thicker with muscle and fat."""
    trunk, build = figure.chart("trunk"), figure.physique
    thick = (0.94 + 0.06 * build.muscle) * (1 + 0.05 * (build.fat - 1)) * (1.0 if build.sex == "male" else 0.92)
    line = [(0, -26, 470), (0, -25, 520), (0, -30, 562), (0, -40, 602)]
    part, distance = tube(
        trunk,
        line,
        np.array([57, 52, 49, 46]) * thick,
        flat=[(0, 1, 0)] * 4,
        wide=np.array([60, 53, 52, 50]) * thick,
        margin=20 + 3.5 * build.fat,
    )
    return [Flesh(part, distance * np.float32(trunk.frame.scale), 3.5 * build.fat)]
