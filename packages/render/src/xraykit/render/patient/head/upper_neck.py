"""Atlas and axis, the two vertebrae under the skull, in the trunk's atlas coordinates."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..canvas import Array, Canvas, Region, merge, spline, tube


def paint_upper_neck(figure: Figure) -> None:
    """Paint C2 with its dens, then C1 round it."""
    for name, draw in (("vertebrae_C2", axis), ("vertebrae_C1", atlas)):
        figure.paint_bone(name, draw, cortex=1.4, shell=850, core=300)


def axis(canvas: Canvas) -> tuple[Region, Array]:
    """The second cervical vertebra: body 16 mm deep, dens 11 mm thick and 16 mm tall, sloping joint surfaces.

    Sizes after Doherty and Heggeness, Spine 20, 1995.
    """
    body, drum = tube(canvas, [(0, -26, 577), (0, -25, 586)], [8.2, 7.0], flat=[(0, 1, 0)] * 2, wide=[9.5, 11])
    plate = 573.5 - 0.15 * (body.y + 26) - body.z  # its front hangs a little lower
    parts = [
        (body, np.maximum(drum, plate).astype(np.float32)),
        tube(canvas, [(0, -24.5, 588), (0, -22.5, 597), (0, -22.0, 602)], [5.0, 5.4, 4.0]),
        tube(canvas, [(0, -52, 578), (0, -68, 571)], [3.6, 4.2], flat=[(0, 0, 1)] * 2, wide=[4.5, 7.5]),
    ]
    for s in (1, -1):
        shoulder = [(s * 11, -25, 586.5), (s * 20, -26, 582.5)]
        parts.append(tube(canvas, shoulder, [3.6, 3.4], flat=[(s * 0.42, 0, 1)] * 2, wide=[7.5, 7]))
        parts.append(tube(canvas, [(s * 14, -29, 579), (s * 18, -36, 578)], [4.6, 4.4]))
        parts.append(tube(canvas, [(s * 18, -37, 578), (s * 3, -51, 578)], 3.4, flat=[(s, -1, 0)] * 2, wide=[6, 6]))
        parts.append(tube(canvas, [(s * 18, -28, 579), (s * 27, -32, 576)], [3.4, 2.4]))
        parts.append(tube(canvas, [(s * 18, -37, 577), (s * 17.5, -40, 570.5)], [4.4, 3.8]))
        parts.append(tube(canvas, [(s * 2, -66, 572), (s * 5, -71, 569)], [3.2, 2.6]))
    return merge(canvas, parts, blend=2)


def atlas(canvas: Canvas) -> tuple[Region, Array]:
    """The first cervical vertebra: two lateral masses joined by arches, the front one 2 mm before the dens."""
    front = spline([(-17, -20, 598), (-9, -14, 598), (0, -12.2, 598), (9, -14, 598), (17, -20, 598)], 14)
    back = spline([(-21, -33, 600), (-18, -44, 600), (0, -55, 599), (18, -44, 600), (21, -33, 600)], 20)
    high = np.interp(np.abs(np.linspace(-1, 1, 20)), (0, 0.3, 1), (5.5, 4.5, 3.2))
    parts = [
        tube(canvas, front, 2.9, flat=[(0, 1, 0)] * 14, wide=[5.5] * 14),
        tube(canvas, back, 2.9, flat=[(0, 1, 0)] * 20, wide=high),
    ]
    for s in (1, -1):
        mass = [(s * 14.5, -21, 597.5), (s * 21, -25, 597)]
        parts.append(tube(canvas, mass, [5.2, 7.6], flat=[(s * 0.15, 0, 1)] * 2, wide=[7.0, 10.0]))
        parts.append(tube(canvas, [(s * 24, -27, 598), (s * 37, -31, 596)], [4.6, 3.2]))
    return merge(canvas, parts, blend=2)
