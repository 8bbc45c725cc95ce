"""The skeleton of the procedural torso: spine with discs, rib cage, pelvis; the limbs have a file of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..body.figure import Figure
from ..body.trunk_shape import ATLAS, VERTEBRAE, Level, TrunkShape, levels
from .pelvis import paint_pelvis
from .ribs import paint_rib_cage
from .vertebra import Wear, disc, vertebra

_DISC_HU = 85.0
# Spongy bone at the age of 30: 226 (44) HU in L1 before 30 years, 89 (38) from 90 on (Jang et al., Radiology 291,
# 2019), more further up.
_SPONGY = {"L": 185.0, "T": 200.0, "C": 290.0}
_BODY_CORTEX, _ARCH_CORTEX = 0.45, 0.9
# How far spurs reach at full wear [mm]: where the spine bends most, they grow most (Nathan, J Bone Joint Surg Am 44,
# 1962).
_SPURS = {"C5": 3.0, "C6": 3.0, "T8": 4.0, "T9": 4.5, "T10": 4.5, "L2": 5.0, "L3": 6.0, "L4": 6.0, "L5": 5.0}


def paint_bones(figure: Figure, shape: TrunkShape = ATLAS) -> None:
    """Paint spine, rib cage and pelvis with their labels."""
    stack = {name: _sized(level, shape) for name, level in levels().items()}
    if "intervertebral_discs" in figure.ids:
        _discs(figure, stack)
    for level in stack.values():
        _vertebra(figure, level, shape)
    paint_pelvis(figure, shape)
    paint_rib_cage(figure, shape)


def _sized(level: Level, shape: TrunkShape) -> Level:
    width, depth, height = level.half
    return replace(level, half=(width * shape.vertebra, depth * shape.vertebra, height))


def _discs(figure: Figure, stack: dict[str, Level]) -> None:
    for name, level in stack.items():
        gap = VERTEBRAE[name][1]
        if name != "C3":
            chart = figure.chart(f"vertebrae_{name}")
            chart.paint(*disc(chart, level, gap), _DISC_HU, figure.ids["intervertebral_discs"])
    last, gap, chart = stack["L5"], 11.0, figure.chart("vertebrae_L5")
    down = 2 * last.half[2] + gap
    x, y, z = last.center
    below = replace(last, center=(x, y - last.lean * down, z - down))
    chart.paint(*disc(chart, below, gap), _DISC_HU, figure.ids["intervertebral_discs"])


def _vertebra(figure: Figure, level: Level, shape: TrunkShape) -> None:
    wall = np.float32(level.center[1] - 0.95 * level.half[1])
    wear = Wear(figure.osteophytes * _SPURS.get(level.name, 2.5), shape.lips)
    figure.paint_bone(
        f"vertebrae_{level.name}",
        lambda canvas: vertebra(canvas, level, spinous=shape.spinous, wear=wear),
        cortex=lambda region: np.where(region.y < wall, np.float32(_ARCH_CORTEX), np.float32(_BODY_CORTEX)),
        shell=850,
        core=_SPONGY[level.name[0]],
    )
