"""The airway from the nose to the trachea, with tongue, soft palate, larynx and thyroid gland."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..body.figure import Figure
from ..body.layers import MUSCLE_HU
from ..canvas import Chart, ellipsoid, merge, spline, tube
from .skull_shape import HeadShape

AIR, CARTILAGE, THYROID = -990.0, 95.0, 105.0
TRACHEA_JOINT = (0.0, -7.6, 482.0)
"""Where the neck's airway runs into the trunk's trachea, in the trunk's atlas."""

# Middle line of the airway with half depth and half width [mm]: upper pharynx in the skull's coordinates, the rest in
# the trunk's atlas.
# What lies between it and the spine is 3 to 7 mm at C2 and 10 to 20 mm at C6 (Penning, Am J Roentgenol 136, 1981).
_PHARYNX = (
    ((0, 38, 8), 7.0, 12.0),
    ((0, 29, 5), 8.5, 13.0),
    ((0, 22, -8), 6.0, 13.0),
    ((0, 18.5, -24), 5.5, 13.0),
)
_LARYNX = (
    ((0, -5.5, 568), 6.5, 14.0),
    ((0, -3, 551), 6.5, 14.0),
    ((0, 1, 538), 8.0, 10.0),
    ((0, 5, 527), 9.5, 6.0),
    ((0, 5.5, 521), 10.0, 2.2),
    ((0, 4.5, 516), 9.0, 6.0),
    ((0, 2, 506), 8.5, 8.0),
    ((0, -4, 494), 8.5, 8.5),
    (TRACHEA_JOINT, 8.5, 8.5),
)


def airway(figure: Figure, shape: HeadShape) -> tuple[NDArray, NDArray, NDArray]:
    """Middle line in the trunk's atlas, (n, 3), half depths and half widths [mm]; it stays before the spine."""
    upper = [(*_atlas(figure, shape, point), deep, wide) for point, deep, wide in _PHARYNX]
    lower = [(*point, deep, wide) for point, deep, wide in _LARYNX]
    line = spline([*upper, *lower], 60)
    spine = np.interp(line[:, 2], (545, 560, 585, 593, 604, 610), (-30, -18, -17.5, -9.5, -9.5, -14))
    line[:, 1] = np.maximum(line[:, 1], spine + line[:, 3] + 2)
    return line[:, :3], line[:, 3], line[:, 4]


def paint_throat(figure: Figure, shape: HeadShape) -> None:
    """Pharynx and larynx into the trunk's trachea; mouth, tonsils and soft palate are what the air leaves."""
    chart, skull = figure.chart("trunk"), shape.on(figure.chart("skull"))
    old = [(0, -4.5, 615), (0, -4.5, 540), (0, -7.9, 484)]
    part, wall = tube(chart, old, 11.5)
    chart.paint(part, np.maximum(wall, 484 - part.z), MUSCLE_HU, 0)
    part, gullet = tube(chart, [(0, -22, 512), (0, -21, 564)], [7.5, 7.0])
    chart.paint(part, gullet, MUSCLE_HU, 0)
    _paint_larynx(figure, chart, shape)
    line, deep, wide = airway(figure, shape)
    part, lumen = tube(chart, line, deep, flat=[(0, 1, 0)] * len(line), wide=wide)
    below = np.maximum(lumen, part.z - 519)
    wall = np.maximum(np.maximum(lumen - 2.0, part.z - 506), TRACHEA_JOINT[2] - part.z)
    chart.paint(part, wall, CARTILAGE)
    chart.paint(part, lumen, AIR, 0)
    chart.paint(part, below, AIR, figure.ids["trachea"])
    heights = np.array([532.0, 545.0, 556.0])
    front = np.interp(-heights, -line[:, 2], line[:, 1] + deep * np.interp(line[:, 2], (532, 556), (0.95, 0.55)))
    leaf = np.stack([np.zeros(3), front, heights], axis=1)
    part, epiglottis = tube(chart, leaf, [2.0, 1.5, 1.2], flat=[(0, 1, 0.4)] * 3, wide=[4, 8, 9])
    chart.paint(part, epiglottis, 75.0)
    mouth = spline([(0, 40, -22), (0, 58, -14), (0, 82, -20)], 12)
    part, gap = tube(skull, mouth, 0.7, flat=[(0, 0, 1)] * 12, wide=[14.0] * 12)
    skull.paint(part, gap, -700.0, 0)


def _paint_larynx(figure: Figure, chart: Chart, shape: HeadShape) -> None:
    """Thyroid and cricoid cartilages, ossified in part as people age, and the isthmus of the thyroid gland."""
    part, gland = tube(chart, [(-13, 10, 490), (13, 10, 490)], 3.5, flat=[(0, 1, 0)] * 2, wide=[7, 7])
    chart.paint(part, gland, THYROID + 0.4 * figure.contrast, figure.ids["thyroid_gland"])
    male = figure.physique.sex == "male"
    peak, back = (24.5, 19.0) if male else (21.0, 17.0)
    parts, rims = [], []
    for s in (1, -1):
        plate = [(s * 0.5, peak, 525), (s * 10, 13, 526), (s * back, -1, 526)]
        parts.append(tube(chart, plate, 1.7, flat=[(s, 0.9, 0)] * 3, wide=[9, 11, 13]))
        parts.append(tube(chart, [(s * back, -2, 508), (s * back, -2, 547)], [1.8, 1.8]))
        rims.append(tube(chart, [(s * 1.5, peak - 1, 517), (s * 10, 13, 515), (s * back, -1, 513)], 1.5))
        rims.append(tube(chart, [(s * back, -2, 509), (s * back, -2, 543)], 1.4))
    signet = tube(chart, [(0, -10, 503), (0, -10, 519)], 2.5, flat=[(0, 1, 0)] * 2, wide=[9, 8])
    turn = np.linspace(0, 2 * np.pi, 21)
    ring = np.stack([12 * np.sin(turn), 2 - 12 * np.cos(turn), 508 - 2.5 * np.cos(turn)], axis=1)
    cricoid = tube(chart, ring, 1.7, flat=np.stack([np.sin(turn), -np.cos(turn), 0 * turn], axis=1), wide=[3.2] * 21)
    part, cartilage = merge(chart, [*parts, signet, cricoid], blend=1)
    chart.paint(part, cartilage, CARTILAGE)
    part, bone = merge(chart, [*rims, signet], blend=0.5)
    grown = bone + np.float32(1.4 * (1 - shape.calcification))
    chart.paint(part, grown, CARTILAGE + 420 * shape.calcification)
    part = chart.region((-14, 4, 505), (14, 34, 540))
    fold = ellipsoid(part, (0, 14, 528), (5, 4, 9))
    chart.paint(part, fold, -40.0)


def _atlas(figure: Figure, shape: HeadShape, local: tuple[float, float, float]) -> NDArray[np.float64]:
    """A point of the skull in the trunk's coordinates."""
    world = shape.on(figure.chart("skull")).frame.to_world(np.array(local, dtype=np.float64))
    x, y, z = (np.float32(v).reshape(1, 1, 1) for v in world)
    return np.array([float(a.reshape(-1)[0]) for a in figure.frame("trunk").to_local(x, y, z)])
