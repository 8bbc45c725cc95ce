"""Muscle and fat of shoulder, upper arm, forearm and hand; brachial, radial and ulnar arteries."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..implicit import FAR, Array, Chart, Region, smooth_union, tube
from .figure import Figure, Flesh
from .hand_digits import digits
from .layers import SKIN
from .skeleton import SHOULDER, Side

Layer = tuple[Region, Array, float]  # region, distance to muscle and thickness of fat and skin, world mm
# Rows of x, y, z, half-thickness, half-width of the muscles [local mm]: mid-arm circumference about 33 cm with the fat,
# forearm 28 cm, wrist 17.5 cm (US men: Fryar et al., NCHS Vital Health Stat 3(46), 2021; Gordon et al., ANSUR, 1988).
_UPPER_ARM = (
    *((2, -2, 4, 42, 42), (9, 0, -30, 46, 47), (9, 1, -75, 46, 47), (6, 3, -130, 43, 42)),
    *((3, 4, -190, 43, 40), (0, 1, -245, 38, 38), (0, -2, -301, 31, 36)),
)
_FOREARM = ((0, -2, 0, 31, 37), (5, 1, -35, 34, 42), (7, 1, -75, 34, 41), (6, 0, -115, 31, 35))
_WRIST = ((-150, 26, 20), (-185, 21, 15.5), (-220, 17.5, 13.5), (-250, 17, 13))  # z, half-thickness, beyond the bones
_PALM = (
    *((1, 1, 10, 16, 27), (2, 1, -8, 14.5, 29), (1, 2, -28, 13, 33), (-3, 2, -55, 12, 36)),
    *((-4, 1.5, -76, 10.5, 36), (-4, 1, -86, 9, 33)),
)


def soft_tissue(figure: Figure, side: Side, seed: int) -> list[Flesh]:
    """The flesh of one arm as a single body: seams between its own parts are narrower than those between limbs."""
    strong = 0.65 + 0.35 * figure.physique.muscle
    upper = figure.chart(f"humerus_{side}")
    lower = figure.chart(f"forearm_{side}")
    layers = [*_shoulder(figure, side, strong)]
    layers.append(_flat_tube(figure, upper, _UPPER_ARM, 5.5, strong))
    layers.append(_flat_tube(figure, lower, _FOREARM, 4.0, strong))
    layers.append(_wrist(figure, side))
    palm = [_flat_tube(figure, figure.chart(f"hand_{side}"), _PALM, 1.8, 1.0), *_fingers(figure, side, seed)]
    return [_one(figure, [(layer, 14.0) for layer in layers] + [(layer, 4.0) for layer in palm])]


def _one(figure: Figure, layers: list[tuple[Layer, float]]) -> Flesh:
    """Muscle and skin of all layers, each run together, on one region."""
    windows = [layer[0].window for layer, _ in layers]
    bounds = [slice(min(w[d].start for w in windows), max(w[d].stop for w in windows)) for d in range(3)]
    region = figure.canvas.at((bounds[0], bounds[1], bounds[2]))
    muscle, skin = region.empty_field(), region.empty_field()
    for (part, distance, fat), blend in layers:
        inner = region.inner(part.window)
        muscle[inner] = smooth_union(muscle[inner], distance, blend)
        skin[inner] = smooth_union(skin[inner], distance - np.float32(fat), blend)
    return Flesh(region, muscle, np.where(muscle < FAR, muscle - skin, 0).astype(np.float32))


def _layer(
    figure: Figure, chart: Chart, points: ArrayLike, radius: ArrayLike, fat: float, *, flat=None, wide=None
) -> Layer:
    scale = chart.frame.scale
    thick = fat * figure.physique.fat + SKIN
    region, distance = tube(chart, points, radius, flat=flat, wide=wide, margin=(thick + 25) / scale)
    return region, distance * np.float32(scale), thick


def _flat_tube(figure: Figure, chart: Chart, table: ArrayLike, fat: float, strong: float) -> Layer:
    rows = np.asarray(table, dtype=np.float64)
    flat = np.tile((0.0, 1.0, 0.0), (len(rows), 1))
    return _layer(figure, chart, rows[:, :3], strong * rows[:, 3], fat, flat=flat, wide=strong * rows[:, 4])


def _shoulder(figure: Figure, side: Side, strong: float) -> list[Layer]:
    """Trapezius, pectoral fold and the fold of latissimus and teres: from the trunk to where the humerus now is."""
    trunk, humerus = figure.chart("trunk"), f"humerus_{side}"
    sign = 1.0 if side == "right" else -1.0
    shoulder = np.array(SHOULDER) * (sign, 1, 1)

    def local(frame: str, point: tuple[float, float, float]) -> NDArray[np.float64]:
        world = figure.landmark(frame, point)
        return np.array([float(v.item()) for v in figure.skeleton.trunk.to_local(*world.reshape(3, 1, 1, 1))])

    tip = local(f"scapula_{side}", (-15.0, -15.0, 22.0))
    folds = (
        ((sign * 62.0, -45.0, 468.0), tip, (30, 27)),
        ((sign * 100.0, -45.0, 420.0), local(humerus, (0.0, 0.0, 0.0)), (48, 42)),
        ((sign * 98.0, 38.0, 392.0), local(humerus, (4.0, 12.0, -55.0)), (30, 24)),
        ((sign * 112.0, -80.0, 352.0), local(humerus, (0.0, -12.0, -50.0)), (28, 24)),
    )
    return [
        _layer(
            figure,
            trunk,
            [start, (np.array(start) + end) / 2 + 0.04 * (shoulder - end), end],
            strong * np.array([r[0], (r[0] + r[1]) / 2, r[1]]),
            5.0,
        )
        for start, end, r in folds
    ]


def _wrist(figure: Figure, side: Side) -> Layer:
    """The lower forearm, an oval about ulna and radius however they are crossed."""
    chart, radius = figure.chart(f"forearm_{side}"), figure.skeleton.frames[f"radius_{side}"]
    inverse = np.linalg.inv(figure.skeleton.frames[f"forearm_{side}"].matrix) @ radius.matrix
    points, flats, thin, wide = [], [], [], []
    for z, half, beyond in _WRIST:
        ulna = np.array((float(np.interp(-z, (150, 195, 236), (-5, -9, -13))), -4.0, z))
        other = inverse[:3, :3] @ (float(np.interp(-z, (135, 205, 245), (21, 15, 11))), 0.0, z) + inverse[:3, 3]
        across = other - ulna
        points.append((ulna + other) / 2)
        flats.append(np.cross((0, 0, 1.0), across))
        thin.append(half)
        wide.append(float(np.linalg.norm(across)) / 2 + beyond)
    return _layer(figure, chart, points, thin, 2.5, flat=np.array(flats), wide=wide)


def _fingers(figure: Figure, side: Side, seed: int) -> list[Layer]:
    """Fingers, ball of the thumb and of the little finger."""
    chart = figure.chart(f"hand_{side}")
    layers = [
        _layer(figure, chart, [(17, 7, -12), (31, 15, -36), (42, 21, -52)], [11, 14, 11], 2.0),
        _layer(figure, chart, [(12, 4, -40), (30, 12, -42)], [12, 11], 2.0),
        _layer(figure, chart, [(-17, 7, -6), (-25, 7, -40), (-30, 6, -62)], [10, 12, 9], 2.0),
    ]
    bones = digits(figure, side, seed)
    for digit, girth in ((1, 1.14), (2, 1.0), (3, 1.03), (4, 0.96), (5, 0.84)):
        chain = [bone for bone in bones if bone.digit == digit]
        points = [chain[0].tip - 8 * chain[0].direction, *(b.base for b in chain[1:]), chain[-1].tip]
        points = [*points[:-1], points[-1] - 3.0 * chain[-1].direction]
        radius = girth * np.array([8.5, *(8.6, 7.7)[: len(chain) - 2], 7.2, 5.8])
        shift = 0.8 * chain[-1].palmar
        layers.append(_layer(figure, chart, np.array(points) + shift, radius, 1.2))
    return layers


def paint_arteries(figure: Figure, side: Side) -> None:
    """Brachial artery with its two branches, where contrast agent fills them."""
    if figure.contrast <= 0:
        return
    lines = (
        ("humerus", [(-16, 4, -30), (-15, 8, -110), (-12, 14, -200), (-6, 20, -280), (0, 18, -300)], 2.3),
        ("forearm", [(-1, 18, -10), (-4, 14, -50), (-14, 8, -110), (-17, 9, -180), (-17, 9, -245)], 1.6),
        ("radius", [(3, 18, -30), (16, 15, -80), (22, 12, -150), (19, 11, -215), (20, 12, -250)], 1.5),
    )
    for frame, line, radius in lines:
        chart = figure.chart(f"{frame}_{side}")
        region, distance = tube(chart, line, radius)
        chart.paint(region, distance, 45.0 + figure.contrast)
