"""Mandible and hyoid."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.frames import MovedFrame, move_by, turn_about
from ..canvas import Array, Canvas, Chart, Region, merge, spline, tube
from .skull_face import bow
from .skull_shape import HINGE, HeadShape

# The right half from the chin to the angle: x, y, height of the middle, half height and half thickness of the body.
_BODY = np.array(
    [
        (0, 83, -53.5, 16.5, 6.5),
        (11, 81.5, -53, 16, 6.3),
        (21.5, 74, -51, 15, 6.2),
        (29, 61, -48.5, 14, 6.8),
        (34.5, 47, -45.5, 13, 7.0),
        (41, 34, -41, 12, 5.5),
        (45.5, 25, -36.5, 11.5, 4.5),
    ]
)
_CANAL = [(47, 27, -8), (45.5, 29, -24), (40.5, 39, -40), (32, 56, -50), (26.5, 67, -52), (30, 69, -49)]


def jaw_chart(figure: Figure, shape: HeadShape) -> Chart:
    """The reference skull's coordinates, turned about the temporomandibular joints as far as the mouth is open.

    An opening jaw also glides forward, 1 mm for every 3 degrees up to 10 mm.
    """
    opening = figure.skeleton.posture.jaw_opening
    glide = min(opening / 3, 10.0)
    motion = move_by(*HINGE) @ move_by(0, glide, -0.3 * glide) @ turn_about("x", -opening)
    grown = shape.on(figure.chart("skull")).frame
    return Chart(figure.canvas, MovedFrame(grown, motion @ move_by(*(-np.array(HINGE)))))


def paint_mandible(figure: Figure, shape: HeadShape) -> None:
    """Body, rami, condyles and coronoid processes, with the canals of the inferior alveolar nerves."""
    chart, label, build = jaw_chart(figure, shape), figure.ids["mandible"], figure.physique
    region, distance = mandible(chart, shape)
    core = -20 + 300 * build.bone_density
    chart.paint_bone(region, distance, label, cortex=2.6 * build.cortex, shell=1250, core=core)
    for s in (1, -1):
        line = spline(np.array(_CANAL, dtype=np.float64) * (s * shape.jaw, 1, 1), 20)
        part, wall = tube(chart, line, 2.5)
        chart.paint(part, wall, 560.0)
        chart.paint(part, wall + 0.9, 0.0)


def mandible(canvas: Canvas, shape: HeadShape) -> tuple[Region, Array]:
    """The lower jaw in the skull's coordinates, mouth closed."""
    half = _BODY * (shape.jaw, 1, 1, 1, 1)
    whole = spline(np.concatenate([half[:0:-1] * (-1, 1, 1, 1, 1), half]), 45)
    tangent = np.gradient(whole[:, :2], axis=0)
    flat = np.stack([-tangent[:, 1], tangent[:, 0], np.zeros(45)], axis=1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    parts = [tube(canvas, whole[:, :3], whole[:, 4], flat=flat, wide=whole[:, 3])]
    crest, normal = bow(88.5, 25.5 * (0.5 + 0.5 * shape.jaw), 30, 46, -43.5)
    parts.append(tube(canvas, crest, 5.4, flat=normal, wide=[7.0] * len(crest)))
    knob = 9 * shape.chin
    parts.append(tube(canvas, [(-knob, 84, -63), (knob, 84, -63)], 5.0 + 1.2 * shape.chin))
    for s in (1, -1):
        gonion = s * 47 * shape.jaw
        ramus = [(gonion, 27, -34), ((gonion + s * 48) / 2, 28, -14), (s * 48, 28, -4)]
        parts.append(tube(canvas, spline(ramus, 10), 3.9, flat=[(1, 0, 0)] * 10, wide=np.linspace(16, 14.5, 10)))
        neck = [(s * 49, 17, -6), (s * 50, 15.5, 8.5)]
        parts.append(tube(canvas, neck, [3.8, 3.9], flat=[(0, 1, 0)] * 2, wide=[5, 9.0]))
        parts.append(tube(canvas, [(s * 48, 38, -6), (s * 47, 41, 8)], [3.4, 1.8], flat=[(1, 0, 0)] * 2, wide=[6, 2.5]))
        parts.append(tube(canvas, [(gonion, 19, -26), (gonion, 23, -36)], [4.0, 4.0]))
    return merge(canvas, parts, blend=3)


def paint_hyoid(figure: Figure) -> None:
    """The hyoid bone: body, greater and lesser horns, in front of the third and fourth cervical vertebrae."""

    def draw(chart: Chart) -> tuple[Region, Array]:
        line = spline([(-20, -9, 545), (-15, 9, 540), (0, 18, 538), (15, 9, 540), (20, -9, 545)], 19)
        radius = np.interp(np.abs(np.linspace(-1, 1, 19)), (0, 0.35, 0.5, 1), (3.2, 3.0, 2.0, 1.8))
        high = np.interp(np.abs(np.linspace(-1, 1, 19)), (0, 0.35, 0.5, 1), (5.5, 4.5, 2.8, 2.0))
        tangent = np.gradient(line, axis=0)
        flat = np.stack([-tangent[:, 1], tangent[:, 0], np.zeros(19)], axis=1)
        horns = [tube(chart, [(s * 11, 13, 542), (s * 13, 9, 548)], [1.8, 1.0]) for s in (1, -1)]
        return merge(chart, [tube(chart, line, radius, flat=flat, wide=high), *horns], blend=1)

    figure.paint_bone("hyoid", draw, frame="trunk", cortex=1.2, shell=700)
