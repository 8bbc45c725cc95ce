"""The rib cage of the procedural torso: ribs, costal cartilages, sternum."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..body.figure import Figure
from ..body.trunk_shape import ATLAS, TrunkShape, rib_line
from ..canvas import Array, Canvas, Coordinates, Region, spline, tube
from .bend import bend_points, soft_chart

_JOINTS = (428, 392, 372, 352, 332, 312, 298)  # heights at which ribs 1 to 7 reach the sternum
CARTILAGE_HU = 110.0


def paint_rib_cage(figure: Figure, shape: TrunkShape = ATLAS) -> None:
    """Paint sternum, cartilages and ribs with their labels."""
    _sternum(figure, shape)
    for side, sign in (("right", 1), ("left", -1)):
        for number in range(1, 13):
            _rib(figure, number, side, sign, shape)


def sternum_y(z: float, shape: TrunkShape = ATLAS) -> float:
    """Anterior position of the sternum's middle at height z [mm]."""
    return float(np.interp(z, (255, 290, 392, 440), (97, 97, 66, 44)) + shape.forward(z))


def _mirror(points: ArrayLike, sign: int) -> Coordinates:
    return np.asarray(points, dtype=np.float64) * (sign, 1, 1)


def _rib(figure: Figure, number: int, side: str, sign: int, shape: TrunkShape) -> None:
    line = rib_line(number, shape)
    outward = np.stack([line[:, 0] / 1.3, line[:, 1] + 10, np.full(len(line), 18.0 if number > 2 else 55.0)], axis=1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    s = np.linspace(0, 1, len(line))
    thin = np.interp(s, (0, 0.1, 0.3, 1), (4.2, 3.6, 3.8, 3.6)) * (0.85 if number > 10 else 1)
    wide = np.interp(s, (0, 0.1, 0.3, 0.8, 1), (4.6, 4.4, 6.4, 6.8, 7.6)) * (0.75 if number > 10 else 1)
    if number > 10:
        thin, wide = thin * np.interp(s, (0.8, 1), (1, 0.6)), wide * np.interp(s, (0.8, 1), (1, 0.5))
    points = bend_points(figure, _mirror(line, sign), np.clip(1.75 * s - 0.15, 0, 1))
    flat = _mirror(outward, sign)
    if number <= 10:
        _cartilage(figure, number, sign, line, shape)
    label = f"rib_{side}_{number}"
    figure.paint_bone(
        label, lambda canvas: tube(canvas, points, thin, flat=flat, wide=wide), cortex=0.9, shell=1150, core=130
    )


def _cartilage(figure: Figure, number: int, sign: int, line: Coordinates, shape: TrunkShape) -> None:
    end, before = line[-1], line[-4]
    if number <= 7:
        joint_z = _JOINTS[number - 1]
        target = np.array([17 if number > 1 else 24, sternum_y(joint_z, shape), joint_z])
    else:
        target = rib_line(number - 1, shape)[-1] + np.array([-16, 4, 6])
    middle = end + 0.45 * (target - end) + 0.5 * (end - before) * (0.6 if number > 4 else 0.2)
    curve = spline([end, middle, target], 10)
    chart = soft_chart(figure)
    region, distance = tube(chart, _mirror(curve, sign), np.linspace(6.0, 5.0, 10))
    chart.paint(region, distance, CARTILAGE_HU, figure.ids["costal_cartilages"])
    if shape.rind > 0:
        _calcify(chart, region, distance, number * sign, shape.rind, figure.physique.sex == "male")


def _calcify(canvas: Canvas, region: Region, distance: Array, key: int, degree: float, marginal: bool) -> None:
    """Patches of calcium: along the margins in men, in the core in women (Navani et al., Arch Intern Med 126, 1966)."""
    phase = np.float32(1.7 * key)
    waves = np.sin(region.x * 0.33 + phase) + np.sin(region.y * 0.41 - phase) + np.sin(region.z * 0.37 + 2 * phase)
    patches = (np.float32(1.9 - 2.2 * degree) - waves).astype(np.float32) * 2
    place = np.abs(distance + 1.2) - 1.2 if marginal else distance + 3.0
    canvas.paint(region, np.maximum(np.maximum(place, patches), distance), CARTILAGE_HU + 120 + 420 * degree)


def _sternum(figure: Figure, shape: TrunkShape) -> None:
    z = np.array([438, 425, 400, 392, 380, 340, 300, 288])
    points = bend_points(figure, np.stack([np.zeros(8), [sternum_y(v, shape) for v in z], z], axis=1))
    wide = [26, 27, 19, 16, 15, 18, 18, 12]
    thin = [5.5, 6, 5.5, 5, 5, 5, 5, 4.5]
    figure.paint_bone(
        "sternum", lambda canvas: tube(canvas, points, thin, flat=[(0, 1, 0.3)] * 8, wide=wide), cortex=0.8, core=95
    )
    forward = sternum_y(284, shape)
    xiphoid = bend_points(figure, np.array([(0.0, forward, 284.0), (0.0, forward - 1, 262.0)]))
    figure.paint_bone(
        "sternum",
        lambda canvas: tube(canvas, xiphoid, [3.5, 2.5], flat=[(0, 1, 0)] * 2, wide=[8, 4]),
        cortex=0.8,
        core=95,
    )
