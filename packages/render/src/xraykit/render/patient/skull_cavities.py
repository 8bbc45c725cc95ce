"""What the skull holds: brain, orbits, nose and sinuses; and the airway behind and below it."""

from __future__ import annotations

import numpy as np

from ..implicit import Chart, ellipsoid, merge, spline, tube
from .figure import Figure
from .skull_bones import cavity

AIR = -990.0


def paint_brain(figure: Figure) -> None:
    """Fluid, then brain, inside the braincase, down into the foramen magnum; the sella's walls stay."""
    chart = figure.chart("skull")
    region = chart.region((-80, -90, -30), (80, 112, 136))
    inside = cavity(region)
    hole, canal = tube(chart, [(0, -14, 10), (0, -14, -22)], [16, 13])
    region, inside = merge(chart, [(region, inside), (hole, canal)])
    sella = ellipsoid(region, (0, 33, 14), (14, 16, 9))
    ridges = [tube(chart, [(s * 20, 22, 9), (s * 38, 6, 13), (s * 58, -8, 14)], [4, 7, 8]) for s in (1, -1)]
    field = np.maximum(inside, -sella)
    for part, ridge in ridges:
        window = region.inner(region.part(part.window).window)
        field[window] = np.maximum(field[window], -ridge[tuple(slice(0, s.stop - s.start) for s in window)])
    chart.paint(region, field, 8.0)
    brain = figure.ids["brain"]
    chart.paint(region, field + 2.0, 36.0, brain)
    for sign in (1, -1):  # lateral ventricles
        part, horn = tube(
            chart,
            spline([(sign * 8, 50, 62), (sign * 12, 10, 74), (sign * 22, -32, 62)], 10),
            [4, 5, 7, 7, 7, 7, 7, 6, 5, 4],
        )
        chart.paint(part, horn, 8.0)


def paint_cavities(figure: Figure, rng: np.random.Generator) -> None:
    """Orbits with eyes, nasal cavity with septum and conchae, sinuses, ear canals."""
    chart = figure.chart("skull")
    for sign in (1, -1):
        _orbit(chart, sign)
        size = rng.uniform(0.85, 1.12)
        _sinus(figure, chart, "sinus_maxillary", (sign * 27, 70, -8), (12 * size, 17 * size, 15 * size))
        if rng.random() < 0.92:  # frontal sinuses are absent in about one adult in twelve
            frontal = rng.uniform(0.6, 1.3)
            _sinus(figure, chart, "sinus_frontal", (sign * 11, 90, 44), (11 * frontal, 5, 9 * frontal))
        for y in (60, 70, 80):  # ethmoid cells
            part = chart.region((sign * 8 - 8, y - 8, 10), (sign * 8 + 8, y + 8, 30))
            chart.paint(part, ellipsoid(part, (sign * 7, y, 20), (4.5, 4.6, 8)), -650.0)
        canal, ear = tube(chart, [(sign * 48, 2, 5), (sign * 84, 2, 5)], 3.2)
        chart.paint(canal, ear, AIR)
    part = chart.region((-16, 30, 2), (16, 62, 26))
    chart.paint(part, ellipsoid(part, (0, 47, 13), (12 * rng.uniform(0.8, 1.1), 12, 8)), AIR)
    _nose(figure, chart)


def _orbit(chart: Chart, sign: int) -> None:
    part, cone = tube(chart, [(sign * 33, 99, 20), (sign * 31, 84, 20), (sign * 15, 48, 18)], [17, 18, 5])
    chart.paint(part, cone, -60.0, 0)
    part, globe = tube(chart, [(sign * 33, 92, 20), (sign * 33, 92.5, 20)], 12.2)
    chart.paint(part, globe, 15.0)
    part, nerve = tube(chart, [(sign * 31, 80, 20), (sign * 15, 48, 18)], 2.2)
    chart.paint(part, nerve, 35.0)


def _sinus(
    figure: Figure, chart: Chart, label: str, center: tuple[float, float, float], radii: tuple[float, float, float]
) -> None:
    reach = np.array(radii) + 4
    part = chart.region(np.array(center) - reach, np.array(center) + reach)
    chart.paint(part, ellipsoid(part, center, radii), AIR, figure.ids[label])


def _nose(figure: Figure, chart: Chart) -> None:
    region = chart.region((-20, 40, -26), (20, 118, 26))
    pear = ellipsoid(region, (0, 76, -2), (14, 34, 20))
    chart.paint(region, np.maximum(pear, -18.5 - region.z), AIR, 0)
    septum = np.abs(region.x) - 1.0
    chart.paint(region, np.maximum(np.maximum(septum, pear), region.y - 104), 300.0)
    for sign in (1, -1):
        for height, wide in ((-11, 5.0), (2, 4.0)):
            part, concha = tube(chart, [(sign * 8, 60, height), (sign * 8, 92, height)], [3, wide - 1])
            chart.paint(part, concha, 70.0)


def paint_throat(figure: Figure) -> None:
    """Nasopharynx to larynx in the skull's frame, then larynx and trachea in the trunk's."""
    chart = figure.chart("skull")
    throat = spline([(0, 42, -8), (0, 30, -20), (0, 26, -48), (0, 28, -70)], 14)
    part, distance = tube(chart, throat, np.interp(np.linspace(0, 1, 14), (0, 0.3, 1), (10, 11, 8)))
    chart.paint(part, distance, AIR)
    mouth, gap = tube(chart, [(0, 40, -36), (0, 84, -40)], 1.5, flat=[(0, 0, 1)] * 2, wide=[18, 14])
    chart.paint(mouth, gap, -700.0)
    trunk = figure.chart("trunk")
    top = np.stack([_atlas(figure, figure.landmark("skull", (0.0, 28.0, -70.0))), (0.0, 8.0, 505.0)])
    part, wall = tube(trunk, top, [11, 11])
    trunk.paint(part, wall, 90.0)
    part, lumen = tube(trunk, top, [7, 8])
    trunk.paint(part, lumen, AIR, figure.ids["trachea"])


def _atlas(figure: Figure, world: np.ndarray) -> np.ndarray:
    """A world point in the trunk's coordinates."""
    x, y, z = (np.float32(v).reshape(1, 1, 1) for v in world)
    return np.array([float(a.reshape(-1)[0]) for a in figure.frame("trunk").to_local(x, y, z)])
