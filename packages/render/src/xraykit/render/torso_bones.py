"""The skeleton of the procedural torso: spine, rib cage, sternum; pelvis and limbs have files of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .implicit import Array, Canvas, Region, merge, normalised, spline, tube
from .patient.figure import Figure
from .torso_pelvis import paint_pelvis
from .torso_shape import Level, levels, rib_line

Points = NDArray[np.float64]


def paint_bones(figure: Figure) -> None:
    """Paint spine, rib cage and pelvis with their labels."""
    stack = levels()
    for level in stack.values():
        _vertebra(figure, level)
    paint_pelvis(figure)
    _sternum(figure)
    for side, sign in (("right", 1), ("left", -1)):
        for number in range(1, 13):
            _rib(figure, number, side, sign, stack)


def _mirror(points: ArrayLike, sign: int) -> Points:
    return np.asarray(points, dtype=np.float64) * (sign, 1, 1)


def _vertebra(figure: Figure, level: Level) -> None:
    name = f"vertebrae_{level.name}"
    figure.paint_bone(name, lambda canvas: vertebra(canvas, level), cortex=1.3, shell=820, core=270)


def vertebra(canvas: Canvas, level: Level) -> tuple[Region, Array]:
    """Body, pedicles, laminae, processes and facets of a vertebra."""
    x, y, z = level.center
    width, depth, height = level.half
    cervical, lumbar = level.name[0] == "C", level.name[0] == "L"
    reach = np.array([width, depth, height]) + 8
    region = canvas.region(np.array(level.center) - reach, np.array(level.center) + reach)
    parts = [(region, _body(region, level))]

    def local(points: ArrayLike) -> Points:
        """Offsets from the body's centre, turned with the column."""
        p = np.asarray(points, dtype=np.float64)
        return np.stack([p[:, 0] + x, p[:, 1] + y + level.lean * p[:, 2], p[:, 2] + z - level.lean * p[:, 1]], axis=1)

    back, canal = -depth, 15.0 if not cervical else 13.0
    spine_drop = {"C": -6, "L": -8}.get(level.name[0], -22)
    spine_tip = back - canal - {"C": 22, "L": 30}.get(level.name[0], 24)
    tip_x = 40 if lumbar else (23 if cervical else width + 17)
    tip_y = back - (4 if lumbar else (0 if cervical else 14))
    pedicle_x = width * (0.66 if not cervical else 0.8)
    for sign in (1, -1):
        foot, root = (sign * pedicle_x, back + 3, height * 0.35), (sign * pedicle_x, back - 9, height * 0.3)
        parts.append(tube(canvas, local([foot, root]), 4.0))
        parts.append(tube(canvas, local([root, (sign * 3, back - canal - 3, -height * 0.3)]), 3.2))
        parts.append(tube(canvas, local([root, (sign * tip_x, tip_y - 4, height * 0.25)]), [4.0, 3.4]))
        facet = [(sign * pedicle_x, back - 10, height * 0.95), (sign * pedicle_x, back - 13, -height * 1.1)]
        parts.append(tube(canvas, local(facet), [4.0, 4.2]))
    blade = local([(0, back - canal - 2, -height * 0.2), (0, spine_tip, spine_drop - height * 0.2)])
    wide = 10.0 if lumbar else 6.0
    parts.append(tube(canvas, blade, [2.6, 3.2], flat=[(1, 0, 0)] * 2, wide=[wide, wide]))
    return merge(canvas, parts, blend=2.0)


def _body(region: Region, level: Level) -> Array:
    """A waisted drum with flat end plates, leaning with the column."""
    x, y, z = level.center
    width, depth, height = (np.float32(v) for v in level.half)
    up = (region.z - z) + np.float32(level.lean) * (region.y - y)
    forward = (region.y - y) - np.float32(level.lean) * (region.z - z)
    waist = 0.87 + 0.13 * np.square(np.clip(up / height, -1, 1))
    side = normalised([region.x - np.float32(x), forward], [width * waist, depth * waist])
    # The back wall is flat where the canal begins.
    side = np.maximum(side, -forward - depth * np.float32(0.85))
    plate = np.abs(up) - height
    corner = np.sqrt(np.square(np.maximum(side + 2, 0)) + np.square(np.maximum(plate + 2, 0))) - 2
    return np.where(np.maximum(side, plate) < -2, np.maximum(side, plate), corner).astype(np.float32)


def _rib(figure: Figure, number: int, side: str, sign: int, stack: dict[str, Level]) -> None:
    line = rib_line(number, stack)
    outward = np.stack([line[:, 0] / 1.3, line[:, 1] + 10, np.full(len(line), 18.0 if number > 2 else 55.0)], axis=1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    s = np.linspace(0, 1, len(line))
    thin = np.interp(s, (0, 0.1, 0.3, 1), (4.2, 3.6, 3.8, 3.6)) * (0.85 if number > 10 else 1)
    wide = np.interp(s, (0, 0.1, 0.3, 0.8, 1), (4.6, 4.4, 6.4, 6.8, 7.6)) * (0.75 if number > 10 else 1)
    if number > 10:
        thin, wide = thin * np.interp(s, (0.8, 1), (1, 0.6)), wide * np.interp(s, (0.8, 1), (1, 0.5))
    points, flat = _mirror(line, sign), _mirror(outward, sign)
    if number <= 10:
        _cartilage(figure, number, sign, line)
    label = f"rib_{side}_{number}"
    figure.paint_bone(
        label, lambda canvas: tube(canvas, points, thin, flat=flat, wide=wide), cortex=1.6, shell=1150, core=420
    )


def _cartilage(figure: Figure, number: int, sign: int, line: Points) -> None:
    end, before = line[-1], line[-4]
    if number <= 7:
        joint_z = (428, 392, 372, 352, 332, 312, 298)[number - 1]
        target = np.array([17 if number > 1 else 24, sternum_y(joint_z), joint_z])
    else:
        target = rib_line(number - 1, levels())[-1] + np.array([-16, 4, 6])
    middle = end + 0.45 * (target - end) + 0.5 * (end - before) * (0.6 if number > 4 else 0.2)
    curve = spline([end, middle, target], 10)
    chart = figure.chart("trunk")
    region, distance = tube(chart, _mirror(curve, sign), np.linspace(6.0, 5.0, 10))
    chart.paint(region, distance, 110.0, figure.ids["costal_cartilages"])


def sternum_y(z: float) -> float:
    """Anterior position of the sternum's middle at height z [mm]."""
    return float(np.interp(z, (255, 290, 392, 440), (97, 97, 66, 44)))


def _sternum(figure: Figure) -> None:
    z = np.array([438, 425, 400, 392, 380, 340, 300, 288])
    points = np.stack([np.zeros(8), [sternum_y(v) for v in z], z], axis=1)
    wide = [26, 27, 19, 16, 15, 18, 18, 12]
    thin = [5.5, 6, 5.5, 5, 5, 5, 5, 4.5]
    figure.paint_bone(
        "sternum", lambda canvas: tube(canvas, points, thin, flat=[(0, 1, 0.3)] * 8, wide=wide), cortex=1.2
    )
    xiphoid = [(0, 97, 284), (0, 96, 262)]
    figure.paint_bone(
        "sternum", lambda canvas: tube(canvas, xiphoid, [3.5, 2.5], flat=[(0, 1, 0)] * 2, wide=[8, 4]), cortex=1.2
    )
