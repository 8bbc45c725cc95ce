"""Colon and small bowel of the procedural torso, with gas and faeces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..canvas import Array, Canvas, Coordinates, Region, ellipsoid, spline, tube

_GAS = ((2, 30, 0.5), (34, 58, 0.62), (60, 74, 0.78), (76, 92, 0.55), (100, 108, 0.4), (116, 124, 0.5), (134, 141, 0.6))
_COLON, _LOOPS = 150, 160


@dataclass(frozen=True, eq=False)
class BowelContent:
    """What stomach, bowel and bladder hold, and how the bowel lies.

    Args:
        shift: Displacement of the six knots of the middle colon and of the sigmoid, (6, 3) mm.
        gas: Stretches of the colon with gas: first and last of its 150 points, share of the width.
        stool: Stretches with faeces: first and last point.
        small_gas: First points of gas-filled stretches of small bowel, of its 160.
        phase: Of the pattern of haustra and of the faeces' grain.
        stomach: How far below its mean the fluid in the stomach stands [mm]; larger is less gas.
        upright: Gas in the stomach lies on top, as when standing; else in front.
        bladder: Filling, 0.6 to 1.6: from about 90 to 500 ml.
        excreted: Share of the contrast agent that the bladder holds.
    """

    shift: Coordinates | None = None
    gas: tuple[tuple[int, int, float], ...] = _GAS
    stool: tuple[tuple[int, int], ...] = ()
    small_gas: tuple[int, ...] = (22, 61, 97, 128)
    phase: float = 0.0
    stomach: float = 0.0
    upright: bool = True
    bladder: float = 1.0
    excreted: float = 0.0


TYPICAL = BowelContent()


def sample_content(rng: np.random.Generator, *, upright: bool) -> BowelContent:
    """Random gas and faeces: the caecum and the rectum often full, gas where the colon lies in front."""
    gas, start = [], int(rng.integers(0, 14))
    while start < 140:
        long = int(rng.integers(6, 26))
        gas.append((start, min(start + long, 149), float(rng.uniform(0.45, 0.95))))
        start += long + int(rng.integers(2, 22))
    kept = tuple(g for g in gas if rng.random() < 0.85)
    stool = tuple(
        (a, b)
        for a, b, share in ((0, 30, 0.8), (96, 118, 0.5), (116, 130, 0.4), (132, 148, 0.7))
        if rng.random() < share
    )
    return BowelContent(
        shift=rng.normal(0, (7.0, 5.0, 11.0), (6, 3)).clip(-16, 16),
        gas=kept,
        stool=stool,
        small_gas=tuple(int(n) for n in rng.integers(4, 150, size=rng.poisson(4))),
        phase=float(rng.uniform(0, 6.3)),
        stomach=float(np.clip(rng.normal(0, 9), -18, 16)),
        upright=upright,
        bladder=float(np.clip(0.95 * np.exp(0.28 * rng.normal()), 0.7, 1.6)),
        excreted=float(rng.choice([0.0, 1.0]) * rng.uniform(0.3, 1)),
    )


def paint_bowel(
    canvas: Canvas,
    ids: Mapping[str, int],
    content: BowelContent = TYPICAL,
    *,
    narrow: float = 1.0,
    lift: float = 0.0,
) -> None:
    """Paint the colon from caecum to rectum, then the small bowel in the room that is left.

    Args:
        canvas: What is painted on.
        ids: Label value of each name.
        content: How the bowel lies and what it holds.
        narrow: Factor on its breadth.
        lift: How far the diaphragm moves the flexures up [mm].
    """
    frame = _colon_line(content) * (narrow, 1, 1)
    frame[:, 2] += lift * np.clip((frame[:, 2] - 30) / 80, 0, 1)
    share = np.linspace(0, 1, _COLON)
    haustra = 2.6 * np.abs(np.sin(share * 70 + content.phase))
    radius = np.interp(share, (0, 0.3, 0.55, 0.85, 1), (25, 22, 19, 16.5, 19)) + haustra - 2
    region, distance = tube(canvas, frame, radius)
    canvas.paint(region, distance, 30.0, ids["colon"])
    for stretch in content.stool:
        _bubbles(canvas, ids["colon"], frame, radius, stretch, content.phase)
    for start, stop, fill in content.gas:
        _colon_gas(canvas, ids["colon"], frame, radius, (start, stop, fill), content.phase)
    _small_bowel(canvas, ids["small_bowel"], content)


def _colon_line(content: BowelContent) -> Coordinates:
    move = np.zeros((6, 3)) if content.shift is None else content.shift
    ascending = np.array([(88, 24, -22), (92, 8, 40), (94, 2, 100)])
    transverse = np.array([(86, 36, 118), (44, 62, 92), (0, 68, 86), (-48, 60, 102), (-96, 10, 158)])
    transverse = transverse + np.concatenate([[move[0] * 0.4], move[1:4] * (1, 0.5, 1), [move[4] * 0.3]])
    descending = np.array([(-101, -22, 120), (-101, -16, 50), (-94, 4, -10), (-66, 24, -36)])
    descending = descending + np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], move[5]])
    rectum = np.array([(-26, 6, -26), (-2, -36, -34), (0, -56, -72), (0, -44, -112)]) + np.array(
        [0.8 * move[0], 0.3 * move[0], (0, 0, 0), (0, 0, 0)]
    )
    return spline(np.concatenate([ascending, transverse, descending, rectum]), _COLON)


def _colon_gas(
    canvas: Canvas, label: int, frame: Coordinates, radius: Coordinates, stretch: tuple[int, int, float], phase: float
) -> None:
    """A bubble that follows the haustra and lies to the front and top."""
    start, stop, fill = stretch
    share, count = np.linspace(0, 1, _COLON)[start:stop], stop - start
    if count < 3:
        return
    wave = 0.62 + 0.38 * np.abs(np.sin(share * 70 + 0.4 + phase)) * (0.8 + 0.2 * np.sin(share * 211))
    line, size = np.add(frame[start:stop], (0, 3, 2)), np.maximum(radius[start:stop] * fill * wave, 2)
    size = size * np.clip(np.minimum(np.arange(count) + 1, count - np.arange(count)) / 4, 0.4, 1)
    part, gas = tube(canvas, line, size)
    canvas.paint(part, gas, -960.0, label)


def _bubbles(
    canvas: Canvas, label: int, frame: Coordinates, radius: Coordinates, stretch: tuple[int, int], phase: float
) -> None:
    """Faeces: paste mottled with bubbles of a few mm."""
    first, last = stretch
    part, field = tube(canvas, frame[first:last], radius[first:last] - 2.5)
    canvas.paint(part, field, 15.0, label)
    rng = np.random.default_rng([first, int(phase * 1e6)])
    for _ in range(6 * (last - first)):
        n, size = int(rng.integers(first, last)), float(rng.uniform(1.2, 3.6))
        center = frame[n] + rng.normal(0, 0.45, 3).clip(-0.75, 0.75) * (radius[n] - 5)
        spot = canvas.region(center - size - 1, center + size + 1)
        canvas.paint(spot, ellipsoid(spot, center, (size, size * 1.2, size)), float(rng.uniform(-700, -250)), label)


def _small_bowel(canvas: Canvas, label: int, content: BowelContent) -> None:
    angle = np.linspace(0, 9 * np.pi, _LOOPS)
    loops = np.stack(
        [
            62 * np.cos(angle * 1.0) * (0.6 + 0.4 * np.cos(angle * 0.31 + content.phase)),
            40 + 22 * np.sin(angle * 1.7 + content.phase),
            np.linspace(66, -24, _LOOPS),
        ],
        axis=1,
    )
    region, distance = tube(canvas, loops, 12.5)
    taken = canvas.labels[region.window] != 0
    free = np.where(taken, np.float32(canvas.spacing), np.float32(-canvas.spacing))
    canvas.paint(region, np.maximum(distance, free), 32.0, label)
    for start in content.small_gas:
        if start + 5 <= _LOOPS:
            part, gas = tube(canvas, loops[start : start + 5], [3, 5, 6, 5, 3])
            canvas.paint(part, np.maximum(gas, _outside(canvas, part, label)), -940.0, label)


def _outside(canvas: Canvas, region: Region, label: int) -> Array:
    """Negative on voxels of a label, so that what is painted stays within it."""
    own = canvas.labels[region.window] == label
    return np.where(own, np.float32(-canvas.spacing), np.float32(canvas.spacing))
