"""What the procedural torso shows of shoulder girdle and limbs: raised arms and thighs, cut off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..body.figure import Figure
from ..canvas import Array, Canvas, Region, merge, spline, tube
from .pelvis import HIP_JOINT


def paint_limb_stumps(figure: Figure) -> None:
    """Paint clavicles, scapulae and the stumps of raised humeri and of femora: a torso without limbs."""
    for side, sign in (("right", 1), ("left", -1)):
        _clavicle(figure, side, sign)
        _scapula(figure, side, sign)
        _humerus(figure, side, sign)
        _femur(figure, side, sign)


def _mirror(points: ArrayLike, sign: int) -> NDArray[np.float64]:
    return np.asarray(points, dtype=np.float64) * (sign, 1, 1)


def _clavicle(figure: Figure, side: str, sign: int) -> None:
    line = spline([(22, 48, 441), (55, 52, 450), (95, 28, 462), (130, -2, 470), (152, -12, 470)], 24)
    s = np.linspace(0, 1, 24)
    radius = np.interp(s, (0, 0.12, 0.4, 0.8, 1), (10, 7, 6, 6.2, 6.5))
    figure.paint_bone(
        f"clavicula_{side}",
        lambda c: tube(c, _mirror(line, sign), radius),
        frame="trunk",
        cortex=2.5,
        shell=1150,
        core=400,
    )


def _scapula(figure: Figure, side: str, sign: int) -> None:
    figure.paint_bone(f"scapula_{side}", lambda canvas: scapula(canvas, sign), frame="trunk", cortex=1.5)


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
