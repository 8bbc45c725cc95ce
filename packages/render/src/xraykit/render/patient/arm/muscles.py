"""The muscles of shoulder, upper arm, forearm and hand as overlapping tubes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..body.figure import Figure
from ..body.layers import SKIN
from ..body.skeleton import Side
from ..canvas import Array, Chart, Region, tube
from .hand_digits import digits

Layer = tuple[Region, Array, float]  # region, distance to muscle and thickness of fat and skin, world mm
# Rows of x, y, z, half-thickness, half-width of the muscles [local mm]: mid-arm circumference about 33 cm with the fat,
# forearm 28 cm, wrist 17.5 cm (US men: Fryar et al., NCHS Vital Health Stat 3(46), 2021; Gordon et al., ANSUR, 1988).
_UPPER_ARM = (
    *((2, -2, 4, 42, 42), (9, 0, -30, 46, 47), (9, 1, -75, 46, 47), (6, 3, -130, 43, 42)),
    *((3, 4, -190, 43, 40), (0, 1, -245, 38, 38), (0, -2, -301, 31, 36)),
)
# Along the forearm: z, ulna's x and y, radius's x and y (in their frames), half-thickness, what lies beyond the two.
_FOREARM = (
    *((2, -8, -8, 14, 2, 31, 26), (-35, -7, -7, 14, 6, 35, 31), (-75, -5, -4, 16, 5, 35, 29)),
    *((-115, -4, -4, 19, 2, 30, 23), (-150, -5, -4, 20, 1, 26, 20), (-185, -8, -3, 17, 1, 21, 15.5)),
    *((-220, -12, -3, 13, 0, 17.5, 13.5), (-250, -14, -3, 11, -1, 17, 13)),
)
_PALM = (
    *((1, 1, 10, 16, 27), (2, 1, -8, 14.5, 29), (1, 2, -28, 13, 33), (-3, 2, -55, 12, 36)),
    *((-4, 1.5, -76, 10.5, 36), (-4, 1, -86, 9, 33)),
)


def muscle_layers(figure: Figure, side: Side, seed: int) -> list[tuple[Layer, float]]:
    """All tubes of an arm, each with the width of its seam to the others before it [mm]."""
    strong = 0.65 + 0.35 * figure.physique.muscle
    limb = [
        *_shoulder(figure, side, strong),
        _flat_tube(figure, figure.chart(f"humerus_{side}"), _UPPER_ARM, 5.5, strong, 25),
        _forearm(figure, side, strong),
    ]
    palm = [_flat_tube(figure, figure.chart(f"hand_{side}"), _PALM, 1.8, 1.0, 16), *_balls(figure, side)]
    fingers = _fingers(figure, side, seed)
    return [(layer, seam) for group, seam in ((limb, 14.0), (palm, 6.0), (fingers, 3.0)) for layer in group]


def _layer(
    figure: Figure, chart: Chart, points: ArrayLike, radius: ArrayLike, fat: float, *, reach: float, **oval: ArrayLike
) -> Layer:
    """A tube of muscle under `fat` mm of fat; its field reaches `reach` mm beyond the skin, as far as seams do."""
    scale = chart.frame.scale
    thick = fat * figure.physique.fat + SKIN
    region, distance = tube(chart, points, radius, margin=(thick + reach) / scale, **oval)
    return region, distance * np.float32(scale), thick


def _flat_tube(figure: Figure, chart: Chart, table: ArrayLike, fat: float, strong: float, reach: float) -> Layer:
    rows = np.asarray(table, dtype=np.float64)
    flat = np.tile((0.0, 1.0, 0.0), (len(rows), 1))
    return _layer(
        figure, chart, rows[:, :3], strong * rows[:, 3], fat, reach=reach, flat=flat, wide=strong * rows[:, 4]
    )


def _shoulder(figure: Figure, side: Side, strong: float) -> list[Layer]:
    """Trapezius, pectoral fold and the fold of latissimus and teres: from the trunk to where the humerus now is."""
    trunk, humerus = figure.chart("trunk"), f"humerus_{side}"
    sign = 1.0 if side == "right" else -1.0

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
            np.array([start, end]),
            strong * np.array(radii),
            5.0,
            reach=25,
        )
        for start, end, radii in folds
    ]


def _forearm(figure: Figure, side: Side, strong: float) -> Layer:
    """An oval about ulna and radius however they are crossed."""
    chart, radius = figure.chart(f"forearm_{side}"), figure.skeleton.frames[f"radius_{side}"]
    moved = np.linalg.inv(figure.skeleton.frames[f"forearm_{side}"].matrix) @ radius.matrix
    table = np.array(_FOREARM, dtype=np.float64)
    z, thin, beyond = table[:, 0], table[:, 5], table[:, 6]
    factor = 1 + (strong - 1) * np.clip((z + 250) / 150, 0, 1)
    ulna = np.stack([table[:, 1], table[:, 2], z], axis=1)
    other = np.stack([table[:, 3], table[:, 4], z], axis=1) @ moved[:3, :3].T + moved[:3, 3]
    across = other - ulna
    wide = np.linalg.norm(across, axis=1) / 2 + beyond
    flat = np.cross((0.0, 0.0, 1.0), across)
    middle = (ulna + other) / 2
    return _layer(figure, chart, middle, factor * thin, 3.5, reach=16, flat=flat, wide=factor * wide)


def _balls(figure: Figure, side: Side) -> list[Layer]:
    """Ball of the thumb, its web, ball of the little finger."""
    chart = figure.chart(f"hand_{side}")
    return [
        _layer(figure, chart, [(17, 7, -12), (31, 15, -36), (42, 21, -52)], [11, 14, 11], 2.0, reach=6),
        _layer(figure, chart, [(6, 3, -36), (31, 13, -42)], [12, 11.5], 2.0, reach=6),
        _layer(figure, chart, [(46, 26, -54), (32, 10, -55), (20, 2, -62)], [9, 8, 8], 2.0, reach=6),
        _layer(figure, chart, [(-17, 7, -6), (-25, 7, -40), (-30, 6, -62)], [10, 12, 9], 2.0, reach=6),
    ]


def _fingers(figure: Figure, side: Side, seed: int) -> list[Layer]:
    chart, layers = figure.chart(f"hand_{side}"), []
    bones = digits(figure, side, seed)
    for digit, girth in ((1, 1.14), (2, 1.0), (3, 1.03), (4, 0.96), (5, 0.84)):
        chain = [bone for bone in bones if bone.digit == digit]
        points = [chain[0].tip - 8 * chain[0].direction, *(b.base for b in chain[1:]), chain[-1].tip]
        points = [*points[:-1], points[-1] - 3.0 * chain[-1].direction]
        radius = girth * np.array([10.5 if digit == 1 else 8.5, *(8.6, 7.7)[: len(chain) - 2], 7.2, 5.8])
        shift = (2.0 if digit == 1 else 0.8) * chain[-1].palmar
        layers.append(_layer(figure, chart, np.array(points) + shift, radius, 1.2, reach=6))
    return layers
