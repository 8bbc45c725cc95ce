"""Mandible, teeth and hyoid."""

from __future__ import annotations

import numpy as np

from ..implicit import Array, Canvas, Chart, Region, merge, spline, tube
from .figure import Figure
from .frames import MovedFrame, move_by, turn_about
from .skull_bones import MANDIBLE_HINGE

ENAMEL, DENTINE = 2500.0, 1300.0
# Half widths of the crowns from the midline outwards [mm], after Wheeler's Dental Anatomy, upper and lower.
_UPPER = (4.2, 3.3, 3.8, 3.5, 3.4, 5.0, 4.7, 4.4)
_LOWER = (2.6, 2.8, 3.4, 3.5, 3.6, 5.4, 5.2, 5.0)


def jaw_chart(figure: Figure) -> Chart:
    """The skull's coordinates, turned about the temporomandibular joints as far as the mouth is open."""
    hinge = move_by(*MANDIBLE_HINGE)
    back = move_by(*(-np.array(MANDIBLE_HINGE)))
    motion = hinge @ turn_about("x", -figure.skeleton.posture.jaw_opening) @ back
    return Chart(figure.canvas, MovedFrame(figure.frame("skull"), motion))


def paint_mandible(figure: Figure) -> None:
    """Body, rami, condyles and coronoid processes."""
    chart, label = jaw_chart(figure), figure.ids["mandible"]
    region, distance = mandible(chart)
    chart.paint_bone(
        region,
        distance,
        label,
        cortex=2.6 * figure.physique.cortex,
        shell=1250,
        core=250 * figure.physique.bone_density,
    )


def mandible(canvas: Canvas) -> tuple[Region, Array]:
    """The lower jaw in the skull's coordinates, mouth closed."""
    body = spline(
        [
            (-46, 24, -52),
            (-38, 52, -60),
            (-22, 80, -64),
            (-9, 90, -65),
            (0, 91.5, -65),
            (9, 90, -65),
            (22, 80, -64),
            (38, 52, -60),
            (46, 24, -52),
        ],
        44,
    )
    tangent = np.gradient(body, axis=0)
    flat = np.stack([-tangent[:, 1], tangent[:, 0], np.zeros(44)], axis=1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    parts = [tube(canvas, body, 5.6, flat=flat, wide=[14.0] * 44), tube(canvas, [(-8, 91, -77), (8, 91, -77)], 6.0)]
    for s in (1, -1):
        ramus = spline([(s * 46, 24, -54), (s * 48, 22, -36), (s * 49, 22, -16), (s * 49, 21, -4)], 12)
        parts.append(tube(canvas, ramus, 3.6, flat=[(1, 0, 0)] * 12, wide=np.linspace(16, 14, 12)))
        parts.append(tube(canvas, [(s * 49, 15, -8), (s * 50, 14, 1)], [4.0, 5.0], flat=[(0, 1, 0)] * 2, wide=[6, 9.5]))
        parts.append(tube(canvas, [(s * 48, 32, -10), (s * 47, 36, 2)], [3.5, 2.2]))
    return merge(canvas, parts, blend=3)


def paint_teeth(figure: Figure, rng: np.random.Generator) -> None:
    """Both rows of teeth; older people miss some."""
    missing = 0.004 * max(figure.physique.age - 30, 0)
    for name, chart, widths, edge, root, top in (
        ("teeth_upper", figure.chart("skull"), _UPPER, -42.0, -18.0, True),
        ("teeth_lower", jaw_chart(figure), _LOWER, -43.0, -66.0, False),
    ):
        for s in (1, -1):
            along = 0.0
            for width in widths:
                angle, along = along + width, along + 2 * width
                x, y = _arch(angle, top)
                if rng.random() < missing:
                    continue
                lean = 0.10 if top else 0.06
                crown = [(s * x, y, edge), (s * x * (1 - lean / 4), y - 1.0, edge + np.sign(root - edge) * 8)]
                tip = (s * x * (1 - lean), y - 3.5, root)
                part, distance = tube(chart, [crown[1], tip], [0.72 * width, 1.4])
                chart.paint(part, distance, DENTINE, figure.ids[name])
                part, distance = tube(chart, crown, [0.8 * width, 0.92 * width])
                chart.paint_bone(part, distance, figure.ids[name], cortex=1.2, shell=ENAMEL, core=DENTINE)


def _arch(length: float, top: bool) -> tuple[float, float]:
    """Where the dental arch is, a length from the midline along it: half an ellipse, half straight."""
    a, b, front = (25.0, 30.0, 97.0) if top else (24.0, 30.0, 95.0)
    t = np.linspace(0, 2.4, 200)
    x, y = (
        np.where(t < np.pi / 2, a * np.sin(t), a + 2.5 * (t - np.pi / 2)),
        np.where(t < np.pi / 2, front - b * (1 - np.cos(t)), front - b - 30 * (t - np.pi / 2)),
    )
    s = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    return float(np.interp(length, s, x)), float(np.interp(length, s, y))


def paint_hyoid(figure: Figure) -> None:
    """The hyoid bone, a small horseshoe under the jaw."""
    line = spline([(-19, 30, -84), (-14, 46, -88), (0, 52, -90), (14, 46, -88), (19, 30, -84)], 16)
    radius = np.interp(np.linspace(-1, 1, 16), (-1, 0, 1), (2.2, 4.5, 2.2))
    figure.paint_bone("hyoid", lambda c: tube(c, line, radius), frame="skull", cortex=1.2, shell=700)
