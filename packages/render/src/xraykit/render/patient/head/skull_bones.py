"""The skull's bones round the brain: vault, base with petrous bones, mastoids and condyles, sella."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..body.figure import Figure
from ..canvas import Array, Canvas, Chart, Region, merge, spline, tube
from .skull_shape import HeadShape
from .skull_vault import braincase, on_vault, vault


def paint_braincase(figure: Figure, shape: HeadShape) -> None:
    """Vault with two tables and diploe, base, petrous bones, mastoids and styloid processes."""
    solid = partial(figure.paint_bone, "skull", frame="skull")
    solid(lambda c: _braincase(shape.on(c), shape), cortex=1.7, shell=1250, core=480)
    for sign in (1, -1):
        solid(partial(_petrous, sign=sign, shape=shape), cortex=2.5, shell=1350, core=600)
        solid(partial(_mastoid, sign=sign, shape=shape), cortex=1.6, shell=950, core=60)
        solid(partial(_styloid, sign=sign, shape=shape), cortex=1.0, shell=800)


def paint_sella(figure: Figure, shape: HeadShape) -> None:
    """Dorsum sellae and clinoid processes, which stand out into the fluid about the brain."""

    def draw(chart: Chart) -> tuple[Region, Array]:
        c = shape.on(chart)
        parts = [tube(c, [(0, 20.5, 34), (0, 20, 43.5)], [2.6, 2.2], flat=[(0, 1, 0)] * 2, wide=[8.5, 8.5])]
        parts += [tube(c, [(s * 20, 47, 46), (s * 12, 37, 46)], [2.6, 1.8]) for s in (1, -1)]
        return merge(c, parts, blend=1)

    figure.paint_bone("skull", draw, frame="skull", cortex=1.0, shell=950, core=400)


def paint_sutures(figure: Figure, shape: HeadShape) -> None:
    """Coronal, sagittal and lambdoid sutures through the vault, thin and serrated, fainter in old age."""
    chart = shape.on(figure.chart("skull"))
    first, second, third = shape.serration
    half = np.float32(shape.sutures / 2)

    def teeth(along: Array, phase: float) -> Array:
        return 1.3 * np.sin(along * 1.15 + phase) + 0.8 * np.sin(along * 0.47 + 2 * phase)

    region = chart.region((-66, 12, 44), (66, 66, 140))
    coronal = region.y - np.interp(region.z, (44, 134), (52, 22)).astype(np.float32) - teeth(region.x + region.z, first)
    _slit(chart, region, np.abs(coronal) * np.float32(0.95) - half)
    region = chart.region((-8, -82, 80), (8, 22, 140))
    _slit(chart, region, np.abs(region.x - teeth(region.y, second)) - half)
    region = chart.region((-66, -90, 24), (66, -40, 86))
    lambdoid = region.z - (82 - 0.95 * np.abs(region.x)) - teeth(np.abs(region.x) * 1.4, third)
    _slit(chart, region, np.abs(lambdoid) * np.float32(0.72) - 1.5 * half)


def paint_grooves(figure: Figure, shape: HeadShape) -> None:
    """Grooves of the middle meningeal arteries on the inner table."""
    chart = shape.on(figure.chart("skull"))
    front = [(50, 42, 38), (56, 37, 58), (60, 24, 78), (60, 20, 96), (48, 4, 118)]
    middle = [(58, 30, 68), (62, 12, 84), (60, -8, 98), (52, -22, 112)]
    back = [(52, 38, 46), (60, 20, 52), (65, -6, 58), (64, -30, 72), (52, -54, 84)]
    for points, depth in ((front, 4.6), (middle, 5.0), (back, 4.8)):
        for sign in (1, -1):
            line = spline(np.array(points, dtype=np.float64) * (sign, 1, 1), 24)
            part, distance = tube(chart, on_vault(line, depth * shape.thickness), np.linspace(1.4, 0.6, 24))
            chart.paint(part, distance, 40.0)


def _slit(chart: Chart, region: Region, distance: Array) -> None:
    chart.paint(region, np.maximum(distance, vault(region) + np.float32(0.3)), 130.0)


def _braincase(canvas: Canvas, shape: HeadShape) -> tuple[Region, Array]:
    """Vault and base, solid: the brain is painted into it."""
    region = canvas.region((-82, -90, -16), (82, 110, 140))
    parts = [(region, braincase(region)[0])]
    for s in (1, -1):
        parts.append(tube(canvas, [(s * 20, -8, 2), (s * 15, 8, 1)], [5.4, 5.0]))
        parts.append(tube(canvas, [(s * 41, 28, 17), (s * 60, 25, 16.5)], 3.6))
        brow = [(s * 4, 97.5, 57), (s * 18, 96.5, 58), (s * 34, 90, 59)]
        parts.append(tube(canvas, brow, np.array([3.0, 3.4, 3.0]) + np.array([0.9, 1.4, 0.4]) * shape.brow))
    parts.append(tube(canvas, [(-5, -65, 22), (5, -65, 22)], 3.0 + 1.2 * shape.brow))
    return merge(canvas, parts, blend=3)


def _petrous(chart: Chart, *, sign: int, shape: HeadShape) -> tuple[Region, Array]:
    line = [(sign * 56, -2, 23), (sign * 38, 8, 24), (sign * 13, 21, 25)]
    region, distance = tube(shape.on(chart), line, [8.5, 8.5, 4.5])
    return region, np.maximum(distance, vault(region) + 2)


def _mastoid(chart: Chart, *, sign: int, shape: HeadShape) -> tuple[Region, Array]:
    c, m = shape.on(chart), shape.mastoid
    tip = (sign * 51, -7, 16 - 22 * m)
    return tube(c, [(sign * 55, -16, 17), (sign * 54, -9, 6), tip], np.array([12.0, 9.5, 4.5]) * (0.6 + 0.4 * m))


def _styloid(chart: Chart, *, sign: int, shape: HeadShape) -> tuple[Region, Array]:
    return tube(shape.on(chart), [(sign * 45, 4, 8), (sign * 37, 15, -19)], [2.2, 1.0])
