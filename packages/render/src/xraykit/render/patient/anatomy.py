"""All parts of the body in the order in which they are painted."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from .arm.arm import arm_flesh, arm_landmarks, paint_arm_bones
from .body.figure import Figure
from .body.layers import paint_flesh
from .body.skeleton import SIDES
from .head.head import head_flesh, head_landmarks, paint_head_bones, paint_head_organs
from .leg.leg import leg_flesh, leg_landmarks, paint_leg_bones
from .trunk.trunk import paint_trunk_bones, paint_trunk_organs, trunk_flesh, trunk_landmarks


def paint_anatomy(figure: Figure, parts: Collection[str], seed: int) -> None:
    """Paint parts of "trunk", "head", "arm", "leg": flesh first, then organs and vessels, then bones."""
    flesh = []
    if "trunk" in parts:
        flesh += trunk_flesh(figure, seed)
    if "head" in parts:
        flesh += head_flesh(figure, seed)
    for side in SIDES:
        if "arm" in parts:
            flesh += arm_flesh(figure, side, seed)
        if "leg" in parts:
            flesh += leg_flesh(figure, side, seed)
    paint_flesh(figure, flesh, seed)
    if "trunk" in parts:
        paint_trunk_organs(figure, seed)
    if "head" in parts:
        paint_head_organs(figure, seed)
    if "trunk" in parts:
        paint_trunk_bones(figure, seed)
    if "head" in parts:
        paint_head_bones(figure, seed)
    for side in SIDES:
        if "arm" in parts:
            paint_arm_bones(figure, side, seed)
        if "leg" in parts:
            paint_leg_bones(figure, side, seed)


def landmarks(figure: Figure, parts: Collection[str], seed: int) -> dict[str, NDArray[np.float64]]:
    """Named points of the painted parts, world RAS mm."""
    points: dict[str, NDArray[np.float64]] = {}
    if "trunk" in parts:
        points |= trunk_landmarks(figure, seed)
    if "head" in parts:
        points |= head_landmarks(figure, seed)
    for side in SIDES:
        if "arm" in parts:
            points |= arm_landmarks(figure, side)
        if "leg" in parts:
            points |= leg_landmarks(figure, side, seed)
    return points
