"""The skeleton of the procedural torso: spine, ribs, sternum, shoulder girdle, pelvis, femora."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .implicit import Array, Canvas, Region, ellipsoid, merge, normalised, spline, tube
from .patient.figure import Figure
from .torso_shape import Level, levels, rib_line

Points = NDArray[np.float64]


def paint_bones(figure: Figure) -> None:
    """Paint spine, rib cage, shoulder girdle and pelvis with their labels."""
    stack = levels()
    for level in stack.values():
        _vertebra(figure, level)
    _sacrum(figure)
    _sternum(figure)
    for side, sign in (("right", 1), ("left", -1)):
        for number in range(1, 13):
            _rib(figure, number, side, sign, stack)
        _hip(figure, side, sign)


def paint_girdle(figure: Figure) -> None:
    """Paint clavicles, scapulae and the stumps of raised humeri and of femora: a torso without limbs."""
    for side, sign in (("right", 1), ("left", -1)):
        _clavicle(figure, side, sign)
        _scapula(figure, side, sign)
        _humerus(figure, side, sign)
        _femur(figure, side, sign)


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
            field = np.maximum(field, -_place(region, hole, distance))
    return region, field


def _place(region: Region, part: Region, distance: Array) -> Array:
    """The distance field of part on the larger or shifted region."""
    field = region.empty_field()
    inner, outer = [], []
    for big, small in zip(region.window, part.window, strict=True):
        low, high = max(big.start, small.start), min(big.stop, small.stop)
        outer.append(slice(low - big.start, high - big.start))
        inner.append(slice(low - small.start, high - small.start))
    field[tuple(outer)] = distance[tuple(inner)]
    return field


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


def _clavicle(figure: Figure, side: str, sign: int) -> None:
    line = spline([(22, 48, 441), (55, 52, 450), (95, 28, 462), (130, -2, 470), (152, -12, 470)], 24)
    s = np.linspace(0, 1, 24)
    radius = np.interp(s, (0, 0.12, 0.4, 0.8, 1), (10, 7, 6, 6.2, 6.5))
    figure.paint_bone(
        f"clavicula_{side}", lambda c: tube(c, _mirror(line, sign), radius), cortex=2.5, shell=1150, core=400
    )


def _scapula(figure: Figure, side: str, sign: int) -> None:
    figure.paint_bone(f"scapula_{side}", lambda canvas: scapula(canvas, sign), cortex=1.5)


def scapula(canvas: Canvas, sign: int) -> tuple[Region, Array]:
    """Blade, borders, glenoid, spine with acromion, and coracoid of a scapula."""
    medial = spline([(80, -96, 452), (74, -105, 425), (78, -108, 385), (90, -103, 345), (102, -97, 320)], 30)
    lateral = spline([(118, -70, 458), (146, -45, 434), (142, -58, 405), (126, -77, 355), (106, -94, 318)], 30)
    blade = [
        tube(canvas, [start, end], 2.0, flat=[(sign * 0.25, -1, 0)] * 2, wide=[4.0, 4.0])
        for start, end in zip(_mirror(medial, sign), _mirror(lateral, sign), strict=True)
    ]
    ridge = spline([(78, -106, 428), (110, -108, 446), (140, -84, 466), (160, -52, 478), (162, -22, 474)], 20)
    coracoid = spline([(138, -40, 452), (134, -20, 462), (140, 2, 456)], 10)
    glenoid = _mirror([(148, -38, 438), (151, -33, 432)], sign)
    thick = [
        tube(canvas, _mirror(medial, sign), 2.8),
        tube(canvas, _mirror(lateral[6:], sign), np.linspace(6.5, 4.0, 24)),
        tube(canvas, glenoid, [14, 15], flat=[(sign, 0.6, 0)] * 2, wide=[15, 17]),
        tube(canvas, _mirror(ridge, sign), np.interp(np.linspace(0, 1, 20), (0, 0.6, 1), (2.5, 4.5, 7))),
        tube(canvas, _mirror(coracoid, sign), np.linspace(7, 5, 10)),
    ]
    return merge(canvas, [merge(canvas, blade), merge(canvas, thick, blend=3)], blend=2)


def _humerus(figure: Figure, side: str, sign: int) -> None:
    shaft = _mirror([(174, -20, 446), (184, -14, 470), (192, -6, 510), (203, 4, 620)], sign)
    head = _mirror([(168, -24, 441), (169, -23, 442)], sign)
    lines = ((shaft, [15, 16, 12.5, 11]), (head, [23.5, 23.5]))
    _long_bone(figure, f"humerus_{side}", lines, blend=4, metaphysis=488, shaft=530)


def _long_bone(
    figure: Figure, label: str, lines: Iterable[Any], *, blend: float, metaphysis: float, shaft: float
) -> None:
    """Spongy at the joint, a thick cortex round a fatty canal in the shaft; it changes between two heights [mm]."""

    def share(region: Region) -> Array:
        return np.clip((region.z - metaphysis) / (shaft - metaphysis), 0, 1).astype(np.float32)

    figure.paint_bone(
        label,
        lambda canvas: merge(canvas, [tube(canvas, line, radius) for line, radius in lines], blend=blend),
        frame="trunk",
        cortex=lambda region: 1.8 + 3.0 * share(region),
        shell=950,
        core=lambda region: 220 - 220 * share(region),
    )


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


def _femur(figure: Figure, side: str, sign: int) -> None:
    shaft = _mirror([(126, -8, -118), (122, -4, -150), (112, 4, -250)], sign)
    lines = (
        (shaft, [17, 16.5, 14]),
        (_mirror([(136, -16, -100), (137, -13, -116), (128, -6, -140)], sign), [11, 15, 14]),
        (_mirror([(118, -16, -146), (107, -24, -152)], sign), [9, 7]),
        (_mirror([HIP_JOINT, (104, -2, -94), (124, -8, -114)], sign), [17, 15.5, 18]),
        (_mirror([HIP_JOINT, np.add(HIP_JOINT, (1, 0, -1)).tolist()], sign), [24.0, 24.0]),
    )
    _long_bone(figure, f"femur_{side}", lines, blend=5, metaphysis=-128, shaft=-185)
