"""A vertebra from C3 to L5: waisted body, pedicles, laminae, articular, transverse and spinous processes; its disc.

Sizes follow the morphometry of adults: bodies grow from 15 x 29 to 27 x 52 mm (height x width) from T1 to L5, pedicles
are 15 mm high and 9 to 13 mm wide in the lumbar spine, 5 mm wide at T5 (Zindrick et al., Spine 12, 1987; Panjabi et
al., Spine 16, 1991 and 17, 1992).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..body.solids import DistanceField
from ..body.trunk_shape import VERTEBRAE, Level
from ..canvas import Array, Canvas, Coordinates, Region, merge, tube

_ORDER = tuple(VERTEBRAE)[::-1]
_KNOTS = ("C3", "C6", "C7", "T1", "T2", "T5", "T8", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")
_BACK = 0.95  # where the flat back wall cuts the body, as a share of its half depth
# Of each knot level [mm]: half width and half height of the pedicle, reach of the transverse process to the side and
# behind the back wall, how far the spinous process reaches behind the canal and how far its tip drops, half its height.
_TABLE = np.array(
    [
        (2.6, 3.4, 25, -2, 15, 5, 3.5),
        (2.7, 3.4, 27, 0, 22, 6, 3.5),
        (3.0, 3.8, 31, 6, 25, 12, 4.0),
        (3.8, 4.6, 36, 17, 26, 14, 5.0),
        (3.2, 5.4, 34, 20, 27, 18, 5.0),
        (2.5, 5.6, 31, 23, 26, 30, 4.6),
        (2.7, 5.9, 30, 24, 24, 31, 4.6),
        (3.2, 6.7, 27, 22, 23, 22, 5.4),
        (4.0, 7.6, 23, 18, 23, 13, 6.5),
        (4.0, 7.8, 19, 15, 24, 9, 8.0),
        (4.2, 7.6, 34, 13, 27, 7, 9.0),
        (4.3, 7.4, 40, 12, 29, 7, 9.6),
        (4.9, 7.2, 46, 12, 30, 7, 10.0),
        (5.8, 7.0, 43, 11, 28, 6, 9.4),
        (6.6, 6.6, 42, 9, 23, 5, 8.0),
    ]
)


@dataclass(frozen=True)
class Wear:
    """Spurs along the rims of a body.

    Args:
        reach: How far they stand out where they are largest [mm].
        side: Preference of one side, -1 to 1.
    """

    reach: float = 0.0
    side: float = 0.0


def vertebra(canvas: Canvas, level: Level, *, spinous: float = 1.0, wear: Wear = Wear()) -> DistanceField:
    """Region and distance field of a vertebra.

    Args:
        canvas: Where it will be painted.
        level: Its place and size.
        spinous: Factor on the length of the spinous process.
        wear: Spurs at the body.
    """
    reach = np.add(level.half, (8, 8, 9))
    region = canvas.region(np.array(level.center) - reach, np.array(level.center) + reach)
    parts = [(region, _body(region, level, wear))]
    for sign in (1, -1):
        parts += _arch(canvas, level, sign)
    parts.append(_spinous(canvas, level, spinous))
    return merge(canvas, parts, blend=2.0)


def disc(canvas: Canvas, level: Level, gap: float) -> DistanceField:
    """The disc on top of a vertebra, a drum that bulges a little beyond the end plates."""
    width, depth, height = level.half
    top = np.add(level.center, (0, 0, height + gap / 2))
    reach = np.array([width + 3, depth + 3, gap / 2 + 5])
    region = canvas.region(top - reach, top + reach)
    drum = replace(level, half=(width, depth, height + gap + 1.5))
    up = _turned(region, level)[1] - height - gap / 2
    return region, np.maximum(_body(region, drum, Wear(), waist=0.0), np.abs(up) - gap / 2 - 1.5)


def proportions(name: str) -> NDArray[np.float64]:
    """The row of sizes of a level, between those of the knots."""
    at = _ORDER.index(name)
    knots = [_ORDER.index(k) for k in _KNOTS]
    return np.array([np.interp(at, knots, column) for column in _TABLE.T])


def _turned(region: Region, level: Level) -> tuple[Array, Array]:
    """How far each point lies before and above the body's centre, along its own axes."""
    _, y, z = (np.float32(v) for v in level.center)
    lean = np.float32(level.lean)
    return (region.y - y) - lean * (region.z - z), (region.z - z) + lean * (region.y - y)


def _body(region: Region, level: Level, wear: Wear, *, waist: float = 0.10) -> Array:
    """A waisted drum with hollow end plates, leaning with the column, its rims drawn out by wear."""
    width, depth, height = (np.float32(v) for v in level.half)
    forward, up = _turned(region, level)
    x = region.x - np.float32(level.center[0])
    wedge = {"L5": 0.10, "L4": 0.04, "L": 0.02, "T12": -0.03, "T": -0.03}
    slope = wedge.get(level.name, wedge.get(level.name[0], 0.0))
    half = height * (1 + np.float32(slope) * forward / depth)
    girth = 1 - np.float32(waist) + np.float32(waist) * np.square(np.clip(up / half, -1, 1))
    side = _squarish(x, forward, width * girth, depth * girth)
    if wear.reach > 0:
        rim = np.exp(-np.square((np.abs(up) - half) / np.float32(2.2)))
        bias = np.clip(0.55 + 0.45 * forward / depth + np.float32(0.45 * wear.side) * x / width, 0, 1)
        side = side - np.float32(wear.reach) * rim * bias
    # The back wall is flat, a little hollow where the canal begins.
    side = np.maximum(side, -forward - depth * np.float32(_BACK) + np.float32(1.2) * np.exp(-np.square(x / 8)))
    hollow = np.maximum(0, 1 - np.square(x / width) - np.square(forward / depth))
    plate = np.abs(up) - half + np.float32(0.09 * height) * hollow
    corner = np.sqrt(np.square(np.maximum(side + 2, 0)) + np.square(np.maximum(plate + 2, 0))) - 2
    return np.where(np.maximum(side, plate) < -2, np.maximum(side, plate), corner).astype(np.float32)


def _squarish(x: Array, y: Array, width: Array, depth: Array) -> Array:
    """Distance to a cross-section between an ellipse and a rectangle, first order at its surface [mm]."""
    u, v = np.abs(x / width), np.abs(y / depth)
    q = np.power(u**2.5 + v**2.5, 0.4) + np.float32(1e-6)
    slope = np.hypot((u / q) ** 1.5 / width, (v / q) ** 1.5 / depth)
    return ((q - 1) / np.maximum(slope, 1 / np.maximum(width, depth) / 2)).astype(np.float32)


def _placed(level: Level, points: ArrayLike) -> Coordinates:
    """Offsets from the middle of the body's back wall to the atlas, turned with the column."""
    p = np.asarray(points, dtype=np.float64) - (0, _BACK * level.half[1], 0)
    x, y, z = level.center
    return np.stack([p[:, 0] + x, p[:, 1] + y + level.lean * p[:, 2], p[:, 2] + z - level.lean * p[:, 1]], axis=1)


def _arch(canvas: Canvas, level: Level, sign: int) -> list[DistanceField]:
    """Pedicle, lamina, transverse process and articular processes of one side."""
    width, _, h = level.half
    thin, tall, reach, behind, *_ = proportions(level.name)
    region = level.name[0]
    px = width * (0.66 if region != "C" else 1.0) + (0.0 if region != "C" else 1.0)
    canal = 13.0 if region == "C" else 15.0

    def bar(points: ArrayLike, radius: ArrayLike, flat: ArrayLike, wide: ArrayLike) -> DistanceField:
        line = _placed(level, np.multiply(points, (sign, 1, 1)))
        normals = [np.multiply(flat, (sign, 1, 1))] * len(line)
        return tube(canvas, line, radius, flat=normals, wide=wide)

    parts = [bar([(px, 3, 0.32 * h), (px + 0.5, -10, 0.26 * h)], thin, (1, 0, 0), [tall, tall])]
    foot = (px, -11.0, 0.0)
    tip = (reach, -float(behind), {"L": 0.45, "T": 0.8, "C": -0.1}[region] * h)
    ends = [4.2, 3.0] if region == "L" else ([4.0, 5.0] if region == "T" else [2.4, 2.2])
    parts.append(bar([(px, -9, 0.2 * h), tip], ends, (0, 1, 0), [5.5, 4.0] if region == "L" else [4.5, 4.2]))
    plate = {"C": 5.0, "T": 8.0, "L": 8.5}[region]
    ridge = (2.0, -canal - 5, -0.45 * h)
    parts.append(bar([foot, ridge], [3.0, 2.4], (0.6, -0.8, 0), [plate, plate]))
    gap = VERTEBRAE[level.name][1]
    if region == "L":
        parts.append(bar([(px + 3, -9, 0.3 * h), (px + 4.5, -13, h + gap + 1)], [4.6, 3.6], (0.7, 0.7, 0), [5.5, 5.5]))
        parts.append(bar([(px - 2, -14, -0.1 * h), (px - 4.5, -18, -h - gap)], [4.6, 4.2], (0.7, 0.7, 0), [6.0, 5.5]))
    elif region == "T":
        parts.append(bar([(px, -10, 0.4 * h), (px, -11, h + gap + 2)], [3.0, 2.2], (0, 1, 0), [5.0, 4.6]))
        parts.append(bar([(px - 1, -13, -0.2 * h), (px - 1, -16, -h - gap)], [3.0, 2.3], (0, 1, 0), [5.0, 4.8]))
    else:  # a pillar between two oblique joints
        end = h + gap / 2 - 1.8
        parts.append(bar([(px + 2, -5, end), (px + 2, -9, -end)], 2.5, (0, 1, 0), [5.5, 5.5]))
        parts.append(bar([(px + 2, -7, end - 1), (px + 2, -7, 1 - end)], 4.6, (1, 0, 0), [5.0, 5.0]))
    return parts


def _spinous(canvas: Canvas, level: Level, factor: float) -> DistanceField:
    *_, long, drop, tall = proportions(level.name)
    h, canal = level.half[2], 13.0 if level.name[0] == "C" else 15.0
    line = [(0, -canal - 4, -0.35 * h), (0, -canal - 0.7 * long * factor, -0.35 * h - 0.75 * drop)]
    line.append((0, -canal - long * factor, -0.35 * h - drop))
    placed = _placed(level, line)
    return tube(canvas, placed, [2.6, 2.4, 3.4], flat=[(1, 0, 0)] * 3, wide=[0.9 * tall, tall, 0.9 * tall])
