"""Atlas and axis, the two vertebrae under the skull, in the trunk's atlas coordinates."""

from __future__ import annotations

from ..implicit import Array, Canvas, Region, merge, spline, tube
from .figure import Figure


def paint_upper_neck(figure: Figure) -> None:
    """Paint C2 with its dens, then C1 round it."""
    for name, draw in (("vertebrae_C2", axis), ("vertebrae_C1", atlas)):
        figure.paint_bone(name, draw, cortex=1.4, shell=850, core=300)


def axis(canvas: Canvas) -> tuple[Region, Array]:
    """The second cervical vertebra."""
    parts = [
        tube(canvas, [(0, -25, 573), (0, -24, 588)], [8.0, 7.0], flat=[(0, 1, 0)] * 2, wide=[11, 9]),
        tube(canvas, [(0, -23, 588), (0, -21, 604)], [5.6, 4.6]),
        tube(canvas, [(0, -60, 576), (0, -74, 570)], [4.0, 4.5], flat=[(0, 0, 1)] * 2, wide=[5, 8]),
    ]
    for s in (1, -1):
        parts.append(
            tube(canvas, [(s * 15, -25, 584), (s * 17, -26, 587)], 4.0, flat=[(s * 0.3, 0, 1)] * 2, wide=[8, 8])
        )
        parts.append(tube(canvas, [(s * 12, -28, 581), (s * 17, -38, 577)], [4.5, 4.0]))
        parts.append(tube(canvas, [(s * 17, -38, 577), (s * 3, -60, 577)], 3.4))
        parts.append(tube(canvas, [(s * 16, -27, 578), (s * 26, -30, 574)], [3.2, 2.4]))
        parts.append(tube(canvas, [(s * 17, -37, 576), (s * 17, -40, 569)], [4.0, 3.6]))
    return merge(canvas, parts, blend=2)


def atlas(canvas: Canvas) -> tuple[Region, Array]:
    """The first cervical vertebra: two lateral masses joined by arches."""
    front = spline([(-17, -18, 599), (-9, -12, 599), (0, -10.5, 599), (9, -12, 599), (17, -18, 599)], 14)
    back = spline([(-20, -30, 600), (-17, -48, 600), (0, -62, 600), (17, -48, 600), (20, -30, 600)], 20)
    parts = [tube(canvas, front, 3.4, flat=[(0, 1, 0)] * 14, wide=[5.0] * 14), tube(canvas, back, 3.2)]
    for s in (1, -1):
        parts.append(tube(canvas, [(s * 19, -30, 598), (s * 18, -16, 599)], [7.0, 6.5]))
        parts.append(tube(canvas, [(s * 24, -26, 598), (s * 40, -30, 597)], [4.5, 3.4]))
    return merge(canvas, parts, blend=2)
