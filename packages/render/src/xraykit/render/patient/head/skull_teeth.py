"""Both rows of teeth: crowns with enamel, tapering roots, pulp."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..canvas import Chart, tube
from .skull_face import bow
from .skull_jaw import jaw_chart
from .skull_shape import HeadShape

ENAMEL, DENTINE, PULP = 2300.0, 1150.0, 60.0
# From the midline outwards: half width of the crown and half thickness across the arch, length of crown and of root
# [mm], number of roots in its length (after Wheeler's Dental Anatomy, tables of average dimensions).
_UPPER = (
    (4.25, 3.5, 10.5, 13, 1),
    (3.25, 3.0, 9, 13, 1),
    (3.75, 4.0, 10, 17, 1),
    (3.5, 4.5, 8.5, 14, 1),
    (3.5, 4.5, 8.5, 14, 1),
    (5.0, 5.2, 7.5, 12.5, 2),
    (4.5, 5.2, 7, 11.5, 2),
    (4.2, 4.8, 6.5, 11, 2),
)
_LOWER = (
    (2.5, 3.0, 9, 12.5, 1),
    (2.75, 3.1, 9.5, 14, 1),
    (3.5, 3.8, 11, 16, 1),
    (3.5, 3.8, 8.5, 14, 1),
    (3.5, 4.0, 8, 14.5, 1),
    (5.5, 5.0, 7.5, 14, 2),
    (5.2, 5.0, 7, 13, 2),
    (5.0, 4.7, 7, 11, 2),
)
_EDGE = {"teeth_upper": -27.4, "teeth_lower": -27.8}


def paint_teeth(figure: Figure, shape: HeadShape) -> None:
    """Paint the teeth that are there."""
    rows = (("teeth_upper", shape.on(figure.chart("skull")), _UPPER, 96.5, 26.0),)
    rows += (("teeth_lower", jaw_chart(figure, shape), _LOWER, 93.0, 25.5 * (0.5 + 0.5 * shape.jaw)),)
    for n, (name, chart, sizes, front, half) in enumerate(rows):
        line, normals = bow(front, half, 30.0, 44.0, _EDGE[name], 120)
        s = np.cumsum(np.append(0, np.linalg.norm(np.diff(line, axis=0), axis=1)))
        along = 0.0
        for k, size in enumerate(sizes):
            middle, along = along + size[0], along + 2 * size[0]
            for side, sign in ((0, -1), (1, 1)):
                if shape.teeth[16 * n + 8 * side + k]:
                    at = s[-1] / 2 - sign * middle
                    point, out = ([np.interp(at, s, column) for column in array.T] for array in (line, normals))
                    _tooth(figure, chart, name, np.array(point), np.array(out), size)


def _tooth(figure: Figure, chart: Chart, name: str, edge: np.ndarray, out: np.ndarray, size: tuple[float, ...]) -> None:
    half, thick, crown, root, roots = size
    up = np.array([0.0, 0.0, 1.0 if name == "teeth_upper" else -1.0])
    along = np.cross(out, up)
    front = edge[1] > 85  # incisors lean outwards and end in an edge
    lean = -0.28 * out if front else -0.05 * out
    axis, tip = up + lean, 0.35 if front else 0.85
    neck = edge + crown * axis
    inset = np.minimum(thick * tip, 1.5)
    for n in range(int(roots)):
        spread = along * half * (0.5 * (2 * n - 1) if roots > 1 else 0)
        line = [neck + spread, neck + root * axis + spread * 0.9]
        wide = half * (0.45 if roots > 1 else 0.7)
        part, distance = tube(chart, line, [wide, 0.8], flat=[along] * 2, wide=[0.75 * thick, 0.9])
        chart.paint(part, distance, DENTINE, figure.ids[name])
        part, distance = tube(chart, [line[0], line[0] + 0.8 * (line[1] - line[0])], [0.6, 0.3])
        chart.paint(part, distance, PULP)
    line = [edge + inset * axis, edge + 0.55 * crown * axis, neck]
    part, distance = tube(
        chart, line, np.array([tip, 1.0, 0.85]) * thick, flat=[out] * 3, wide=np.array([0.9, 0.95, 0.75]) * half
    )
    chart.paint_bone(part, distance, figure.ids[name], cortex=1.0, shell=ENAMEL, core=DENTINE)
