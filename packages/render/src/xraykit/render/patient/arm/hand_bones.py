"""Metacarpals, phalanges and the sesamoids of the thumb."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..body.figure import Figure
from ..body.skeleton import Side
from ..body.solids import DistanceField, half_space, piecewise_linear
from ..canvas import Array, Canvas, Region, merge, tube
from .hand_digits import JOINT_GAP, DigitBone, digits
from .solids import girth

# Half-width and half-thickness along a bone, as shares of 1: shafts narrow, ends wide; heads round in metacarpals.
_METACARPAL = (
    (0, 0.08, 0.25, 0.5, 0.75, 0.9, 1),
    (7.4, 7.2, 5.0, 4.2, 5.0, 7.2, 7.0),
    (7.4, 7.2, 5.2, 4.3, 5.2, 7.6, 7.3),
)
_PHALANX = (
    (0, 0.08, 0.25, 0.55, 0.8, 0.9, 1),
    (7.2, 7.0, 5.6, 4.6, 5.3, 5.8, 5.5),
    (6.2, 6.0, 4.6, 3.7, 4.0, 4.5, 4.3),
)
_DISTAL = ((0, 0.12, 0.4, 0.7, 0.88, 1), (6.3, 6.0, 4.0, 3.2, 4.3, 3.8), (5.0, 4.6, 3.2, 2.6, 2.5, 2.1))
# Girth of each digit's metacarpal, proximal, middle and distal phalanx relative to the middle finger's proximal ones.
_GIRTH = {
    1: (1.12, 1.06, 1.18),
    2: (1.03, 1.0, 0.84, 0.93),
    3: (1.0, 1.03, 0.88, 1.0),
    4: (0.86, 0.96, 0.84, 0.95),
    5: (0.84, 0.82, 0.70, 0.82),
}


def paint_digits(figure: Figure, side: Side, seed: int) -> None:
    """Paint metacarpals and phalanges of one hand."""
    thick, bones = girth(figure, seed), digits(figure, side, seed)
    for bone in bones:
        kind = "metacarpal" if bone.place == 0 else "phalanges_hand"

        def share(region: Region, bone: DigitBone = bone) -> Array:
            return half_space(region, bone.base, bone.direction) / np.float32(bone.length)

        wall = 1.9 if bone.place == 0 else (0.9 if bone.last else 1.4)
        figure.paint_bone(
            f"{kind}_{side}",
            lambda canvas, b=bone: _bone(canvas, b, _neighbours(b, bones), thick, figure.osteophytes),
            frame=f"hand_{side}",
            cortex=lambda region, s=share, w=wall: piecewise_linear(
                s(region), (0.05, 0.35, 0.65, 0.92), (0.8, w, w, 0.8)
            ),
            shell=1150,
            core=lambda region, s=share: piecewise_linear(s(region), (0.1, 0.35, 0.65, 0.88), (240, 60, 60, 250)),
        )
        if bone.digit == 1 and bone.place == 0:
            _sesamoids(figure, side, bone, thick)


def _neighbours(bone: DigitBone, bones: Sequence[DigitBone]) -> list[DigitBone]:
    """The metacarpals beside a metacarpal of a finger."""
    beside = (bone.digit - 1, bone.digit + 1) if bone.place == 0 and bone.digit > 1 else ()
    return [other for other in bones if other.place == 0 and other.digit in beside and other.digit > 1]


def _bone(canvas: Canvas, bone: DigitBone, beside: Sequence[DigitBone], thick: float, worn: float) -> DistanceField:
    """Flat at its base, cut halfway to its neighbours there, round at its head."""
    knots, wide, thin = _METACARPAL if bone.place == 0 else (_DISTAL if bone.last else _PHALANX)
    factor = thick * _GIRTH[bone.digit][bone.place]
    s = np.linspace(0, 1, 16)
    half = factor * np.interp(s, knots, thin)
    points = bone.base + s[:, None] * (bone.length - half[-1]) * bone.direction
    body = tube(canvas, points, half, flat=[bone.palmar] * 16, wide=factor * np.interp(s, knots, wide))
    if worn > 0 and (bone.last or (bone.digit == 1 and bone.place < 2)):  # nodes of Heberden, worn saddle joint
        across = np.cross(bone.direction, bone.palmar) * factor * (6.0 if bone.last else 7.5)
        foot = bone.base + 2.5 * bone.direction
        body = merge(canvas, [body, tube(canvas, [foot - across, foot + across], 1.5 + 1.2 * worn)], blend=2)
    region, distance = body
    distance = np.maximum(distance, -half_space(region, bone.base, bone.direction))
    for other in beside:
        middle, between = (bone.base + other.base) / 2, bone.direction + other.direction
        across = other.base - bone.base
        normal = across - (across @ between) / (between @ between) * between
        distance = np.maximum(distance, half_space(region, middle, normal) + np.float32(JOINT_GAP / 2))
    return region, distance


def _sesamoids(figure: Figure, side: Side, bone: DigitBone, thick: float) -> None:
    """Two peas under the head of the thumb's metacarpal."""
    across = np.cross(bone.direction, bone.palmar)
    for sign in (1, -1):
        spot = bone.tip - 4.0 * bone.direction + 11.0 * thick * bone.palmar + sign * 4.5 * across
        line = [spot - 0.7 * bone.direction, spot + 0.7 * bone.direction]
        figure.paint_bone(
            f"metacarpal_{side}",
            lambda canvas, at=line: tube(canvas, at, 2.1 * thick),
            frame=f"hand_{side}",
            cortex=0.7,
            shell=850,
        )
