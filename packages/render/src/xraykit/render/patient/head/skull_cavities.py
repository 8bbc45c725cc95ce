"""What the skull holds: brain with ventricles, eyes, nose, sinuses, air cells and ear canals."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..canvas import Chart, ellipsoid, merge, spline, tube
from .skull_face import maxillary_sinus, nasal_cavity, orbit
from .skull_shape import HeadShape
from .skull_vault import braincase

AIR, FLUID, BRAIN, FAT, MUCOSA = -990.0, 8.0, 36.0, -90.0, 40.0


# Ethmoid cells, y and z.
_ETHMOID = ((51, 39), (53, 30), (60, 36), (62, 27), (68, 40), (70, 32), (77, 38), (78, 29), (85, 35), (86, 43))


def paint_brain(figure: Figure, shape: HeadShape) -> None:
    """Inner table, fluid, then brain inside the braincase, down through the foramen magnum (36 by 30 mm)."""
    chart = shape.on(figure.chart("skull"))
    region = chart.region((-78, -86, -12), (78, 106, 136))
    inside = braincase(region, shape.thickness)[1]
    chart.paint(region, inside - np.float32(1.4), 1100.0, figure.ids["skull"])
    hole = tube(chart, [(0, -12, 8), (0, -12, -9)], [15, 15], flat=[(1, 0, 0)] * 2, wide=[18, 18])
    region, field = merge(chart, [(region, inside), hole])
    chart.paint(region, field, FLUID, 0)
    chart.paint(region, field + 2.0, BRAIN, figure.ids["brain"])
    cord, stem = tube(chart, [(0, -6, 12), (0, -14, -14)], [8, 6])
    chart.paint(cord, stem, BRAIN, figure.ids["brain"])
    for sign in (1, -1):
        horn = spline([(sign * 8, 50, 76), (sign * 12, 10, 86), (sign * 22, -32, 74)], 10)
        part, distance = tube(chart, horn, [4, 5, 6, 6, 6, 6, 6, 5, 5, 4])
        chart.paint(part, distance, FLUID)


def paint_orbits(figure: Figure, shape: HeadShape) -> None:
    """Fat, eyes and optic nerves in the orbits."""
    chart = shape.on(figure.chart("skull"))
    region = chart.region((-56, 40, 12), (56, 96, 60))
    chart.paint(region, orbit(region), FAT, 0)
    for s in (1, -1):
        part, globe = tube(chart, [(s * 31, 79, 36), (s * 31, 79.5, 36)], 12.2)
        chart.paint(part, globe, 15.0)
        part, nerve = tube(chart, [(s * 30, 67, 36), (s * 15, 46, 30)], 2.2)
        chart.paint(part, nerve, 35.0)
        part, canal = tube(chart, [(s * 15, 47, 30), (s * 11, 38, 36)], 2.2)
        chart.paint(part, canal, 30.0)


def paint_nose(figure: Figure, shape: HeadShape) -> None:
    """Nasal cavity with septum, conchae and nostrils; ethmoid cells beside it."""
    chart = shape.on(figure.chart("skull"))
    region = chart.region((-16, 42, -6), (16, 112, 48))
    cavity = nasal_cavity(region)
    chart.paint(region, cavity, MUCOSA, 0)
    chart.paint(region, cavity + np.float32(1.0), AIR)
    chart.paint(region, np.maximum(np.abs(region.x) - np.float32(1.6), cavity), MUCOSA)
    bony = np.maximum(cavity + 2, region.y - 62 - 0.7 * region.z)
    chart.paint(region, np.maximum(np.abs(region.x) - np.float32(0.6), bony), 320.0)
    for s in (1, -1):
        for x, z, thick, front in ((8, 2, 4.2, 88), (7.5, 14, 3.4, 84)):
            part, concha = tube(chart, [(s * x, 52, z), (s * x, front, z)], thick, flat=[(1, 0, 0)] * 2, wide=[5, 5])
            chart.paint(part, concha, MUCOSA + 30)
        part, nostril = tube(chart, [(s * 6, 90, 2), (s * 6.5, 104, -1), (s * 7, 107, -7)], [5, 4.5, 4])
        chart.paint(part, nostril, AIR)
    for n, (y, z) in enumerate(_ETHMOID):
        for s in (1, -1):
            center, radii = (s * (7.6 + 0.4 * (n % 3)), y, z), (3.0, 4.6 + 0.5 * (n % 2), 4.2 + 0.5 * (n % 3))
            part = chart.region(np.subtract(center, 7), np.add(center, 7))
            chart.paint(part, ellipsoid(part, center, radii), AIR)


def paint_sinuses(figure: Figure, shape: HeadShape) -> None:
    """Maxillary and sphenoid sinuses, and frontal ones between the tables of the frontal bone."""
    chart = shape.on(figure.chart("skull"))
    frontal, maxillary = shape.sinuses
    region = chart.region((-46, 42, -8), (46, 98, 26))
    shrink = np.float32(4 * (1 - min(maxillary, 1.0)))
    chart.paint(region, maxillary_sinus(region) + shrink, AIR, figure.ids["sinus_maxillary"])
    if frontal >= 0.5:  # frontal sinuses are absent in about one adult in twenty
        region = chart.region((-32, 80, 48), (32, 106, 84))
        outer, inner = braincase(region, shape.thickness)
        fan = [ellipsoid(region, (s * 11 * frontal, 95, 60), (9.5 * frontal, 11, 11 * frontal)) for s in (1, -1)]
        fan += [ellipsoid(region, (s * 4.5 * frontal, 95, 57), (4 * frontal, 11, 7.5 * frontal)) for s in (1, -1)]
        walls = np.maximum(outer + np.float32(2.2), -inner + np.float32(1.4))
        fan = np.maximum(np.minimum(*(np.minimum(a, b) for a, b in (fan[:2], fan[2:]))), 0.7 - np.abs(region.x))
        chart.paint(region, np.maximum(walls, fan).astype(np.float32), AIR, figure.ids["sinus_frontal"])
    region = chart.region((-16, 26, 18), (16, 50, 44))
    sphenoid = ellipsoid(region, (0, 39, 28), (12.5 * maxillary, 10.0, 7.0))
    roof = np.maximum(region.z - (33.5 + 0.35 * np.clip(region.y - 35, 0, 20)), 0.7 - np.abs(region.x - 2.0))
    chart.paint(region, np.maximum(sphenoid, roof).astype(np.float32), AIR, 0)


def paint_ears(figure: Figure, shape: HeadShape, rng: np.random.Generator) -> None:
    """External canals, middle and inner ears, and the air cells of the mastoids, alike on both sides."""
    chart = shape.on(figure.chart("skull"))
    cells = np.column_stack([rng.uniform(48, 60, 34), rng.uniform(-24, -2, 34), rng.uniform(-2, 26, 34)])
    radii = rng.uniform(1.2, 2.6, 34)
    for s in (1, -1):
        for path, radius, hu in (
            ([(s * 41, 6, 20), (s * 52, 5, 18), (s * 86, 3, 17)], [3.2, 3.4, 4.0], AIR),
            ([(s * 43, 7, 18), (s * 46, 2, 26)], [2.6, 3.4], AIR),
            ([(s * 18, 7, 26), (s * 31, 9, 25)], [3.0, 2.2], FLUID),
            ([(s * 32, 11, 22), (s * 35, 9, 24)], [2.0, 1.6], FLUID),
            ([(s * 36, 2, 24), (s * 38, 0, 28), (s * 35, -2, 30)], [1.0, 1.0, 1.0], FLUID),
        ):
            part, distance = tube(chart, path, radius)
            chart.paint(part, distance, hu)
        for (x, y, z), r in zip(cells, radii, strict=True):
            if z > 12 - 0.9 * (y + 24) - 8 and z > 20 - 22 * shape.mastoid:
                _bubble(chart, (s * x, y, z), r)


def _bubble(chart: Chart, center: tuple[float, float, float], radius: float) -> None:
    reach = radius + 2
    part = chart.region(np.array(center) - reach, np.array(center) + reach)
    chart.paint(part, ellipsoid(part, center, (radius,) * 3), -850.0)
