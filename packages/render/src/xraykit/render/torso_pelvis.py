"""The pelvis of the procedural torso: sacrum and hip bones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .implicit import Array, Canvas, Region, ellipsoid, merge, normalised, placed, spline, tube
from .patient.figure import Figure


def paint_pelvis(figure: Figure) -> None:
    """Paint sacrum and hip bones with their labels."""
    _sacrum(figure)
    for side, sign in (("right", 1), ("left", -1)):
        _hip(figure, side, sign)


def _mirror(points: ArrayLike, sign: int) -> NDArray[np.float64]:
    return np.asarray(points, dtype=np.float64) * (sign, 1, 1)


def _sacrum(figure: Figure) -> None:
    region, field = sacrum(figure.chart("sacrum"))
    figure.paint_bone("sacrum", lambda canvas: (region, field), cortex=1.8, shell=720, core=170)
    first = (field < 0) & (region.z > -27)
    figure.canvas.labels[region.window][first] = figure.ids["vertebrae_S1"]


def sacrum(canvas: Canvas) -> tuple[Region, Array]:
    """The sacrum with its foramina."""
    z = np.linspace(0, -112, 29)
    share = -z / 112
    y = -26 - 52 * np.sin(share * 1.75) + 22 * share**2
    half_width = np.interp(share, (0, 0.18, 0.5, 0.75, 1.0), (54, 52, 36, 22, 7))
    half_depth = np.interp(share, (0, 0.3, 0.7, 1.0), (19, 15, 9, 4))
    region = canvas.region((-64, -110, -122), (64, 5, 10))
    at = np.clip(-region.z[:, 0, 0].astype(np.float64) / 112, 0, 1)
    middle, lean, width, depth = (
        np.interp(at, share, v).astype(np.float32)[:, None, None]
        for v in (y, np.gradient(y, z), half_width, half_depth)
    )
    # A slab curved backwards: its sides (alae) sweep back to the sacroiliac joints.
    forward = (region.y - middle + np.square(region.x) * np.float32(0.006)) / np.sqrt(1 + lean * lean)
    field = normalised([region.x, forward], [width, depth])
    top = (region.z + np.float32(0.5) * (region.y + 26)) * np.float32(0.9) + np.square(region.x) * np.float32(0.004)
    field = np.maximum(field, np.maximum(top, -112 - region.z)).astype(np.float32)
    for number, height in enumerate((-26, -48, -68, -86)):
        for sign in (1, -1):
            hole_x, hole_y = sign * (23 - 3 * number), float(np.interp(-height / 112, share, y))
            hole, distance = tube(
                canvas,
                [(hole_x + sign * 6, hole_y - 40, height - 16), (hole_x - sign * 2, hole_y + 40, height + 16)],
                3.8 - 0.4 * number,
            )
            field = np.maximum(field, -placed(region, hole, distance))
    return region, field


def _hip(figure: Figure, side: str, sign: int) -> None:
    figure.paint_bone(f"hip_{side}", lambda canvas: hip(canvas, sign), cortex=1.5, shell=850, core=220)


def hip(canvas: Canvas, sign: int) -> tuple[Region, Array]:
    """Ilium, ischium and pubis with the socket of the hip joint."""
    crest = spline(
        [
            (46, -92, -8),
            (58, -92, 24),
            (84, -70, 44),
            (112, -32, 52),
            (129, 8, 44),
            (130, 44, 18),
            (116, 58, -8),
            (106, 52, -34),
        ],
        60,
    )
    rim = spline(
        [
            (50, -74, -42),
            (56, -60, -36),
            (64, -44, -36),
            (72, -28, -42),
            (80, -12, -50),
            (86, 4, -56),
            (92, 16, -58),
            (96, 26, -58),
        ],
        60,
    )
    wing = []
    for start, end in zip(crest, rim, strict=True):
        line = _mirror(spline([start, (start + end) / 2 + (5, -4, -4), end], 6), sign)
        wing.append(tube(canvas, line, [4.0, 3.0, 2.6, 3.0, 4.2, 6.0]))
    along = np.linspace(0, 1, 60)
    frame = [
        tube(canvas, _mirror(line, sign), radius)
        for line, radius in (
            (crest, np.interp(along, (0, 0.1, 0.5, 0.85, 1), (9, 7, 5.5, 6, 6))),
            (spline([(50, -74, -42), (62, -48, -34), (78, -16, -48), (74, 14, -66)], 20), np.linspace(9, 8, 20)),
            (spline([(82, 20, -60), (58, 44, -78), (34, 56, -88), (14, 58, -94)], 16), np.linspace(10, 8.5, 16)),
            (spline([(10, 58, -90), (9, 54, -112)], 6), np.linspace(8, 7.5, 6)),
            (spline([(12, 52, -116), (28, 32, -134), (46, 4, -152), (56, -22, -154)], 16), np.linspace(6.5, 9, 16)),
            (spline([(86, -22, -74), (74, -36, -104), (62, -36, -134), (57, -28, -152)], 16), np.linspace(15, 14, 16)),
            (spline([(58, -72, -46), (72, -50, -62), (82, -34, -76)], 12), np.linspace(8, 14, 12)),
            (spline([(74, -46, -84), (62, -60, -92)], 6), np.linspace(6, 3, 6)),
        )
    ]
    parts = [merge(canvas, wing), merge(canvas, frame, blend=3), _acetabulum(canvas, sign)]
    region, distance = merge(canvas, parts, blend=3)
    center = np.array(HIP_JOINT) * (sign, 1, 1)
    socket = ellipsoid(region, center, (27, 27, 27))
    return region, np.maximum(distance, -socket)


HIP_JOINT = (88.0, 2.0, -80.0)


def _acetabulum(canvas: Canvas, sign: int) -> tuple[Region, Array]:
    """The cup above, behind and inside the femoral head."""
    center = np.array(HIP_JOINT) * (sign, 1, 1)
    region = canvas.region(center - 42, center + 42)
    outward = np.array([0.75, 0.25, -0.6])
    opening = sum(
        np.float32(o * s) * (c - np.float32(m))
        for o, s, c, m in zip(outward, (sign, 1, 1), (region.x, region.y, region.z), center, strict=True)
    )
    return region, np.maximum(ellipsoid(region, center, (32, 32, 32)), opening - 6)
