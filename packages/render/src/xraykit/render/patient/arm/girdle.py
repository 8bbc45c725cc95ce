"""Clavicle and scapula: the girdle that follows the arm."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.skeleton import Side
from ..body.solids import DistanceField, carve, piecewise_linear, sphere
from ..canvas import Array, Canvas, Region, merge, spline, tube
from .solids import girth, limb_tube, plate

# In the scapula's frame: x along the blade to the glenoid, y from blade to ribs, z up, the humeral head's centre at 0.
# Scapular height about 155 mm and breadth 105 mm in men, glenoid 38 by 28 mm (Checroun et al., J Shoulder Elbow Surg
# 11, 2002), critical shoulder angle 33 degrees (Moor et al., Bone Joint J 95, 2013), 10 mm below the acromion.
HEAD_RADIUS, JOINT_SPACE = 24.0, 4.0
ACROMION_TIP, CORACOID_TIP, JOINT_AC = (0.0, 13.0, 38.0), (-9.0, 37.0, 8.0), (-13.0, 3.0, 40.0)
INFERIOR_ANGLE = (-97.0, -11.0, -120.0)
_OUTLINE = (
    *((-106, 29), (-121, 12), (-126, -12), (-126, -40), (-120, -75), (-106, -115), (-97, -121), (-89, -115)),
    *((-76, -90), (-60, -60), (-46, -32), (-40, -12), (-40, 16), (-52, 18), (-57, 14), (-62, 20), (-84, 27)),
)


def paint_shoulder_girdle(figure: Figure, side: Side, seed: int) -> None:
    """Paint clavicle and scapula of one side."""
    rng, thick = figure.rng(seed, "girdle"), girth(figure, seed)
    slope, hook = float(rng.normal(0, 1.5)), float(rng.normal(0, 2))
    figure.paint_bone(
        f"scapula_{side}",
        lambda canvas: _scapula(canvas, thick, slope, hook, figure.osteophytes),
        cortex=1.2,
        shell=950,
        core=lambda region: 200 + 120 * (np.abs(region.x + 34) < 12).astype(np.float32),
    )
    _clavicle(figure, side, thick, float(rng.normal(1, 0.12)))


def _scapula(canvas: Canvas, thick: float, slope: float, hook: float, worn: float) -> DistanceField:
    parts = [_blade(canvas), *_borders(canvas, thick)]
    neck = [(-50, -4, -3, 6, 11), (-40, -2, -1, 9, 15), (-30, 0, 0, 13, 18.5), (-24, 0, 0, 13.5, 19)]
    parts.append(limb_tube(canvas, neck, girth=thick, n=8))
    coracoid = [(-47, 2, 14, 7, 11), (-43, 11, 26, 6.5, 8), (-30, 25, 25, 5.5, 7.5), (-11, 35, 11, 5, 6.5)]
    parts.append(limb_tube(canvas, coracoid, girth=thick, n=12, flat=(0.5, 0.3, 0.8)))
    if worn > 0:
        parts.append(tube(canvas, [(-29, 0, -19), (-25, 1, -24 - 3 * worn)], [3.5, 1.5 + 1.5 * worn]))
    body = merge(canvas, parts, blend=4)
    socket = HEAD_RADIUS * thick + JOINT_SPACE * (1 - 0.5 * worn)
    body = carve(canvas, body, (0, 0, 0), socket + 3, lambda region: sphere(region, (0, 0, 0), socket))
    return merge(canvas, [body, _spine(canvas, thick, slope, hook)], blend=2)


def _blade(canvas: Canvas) -> DistanceField:
    """The plate, hollow towards the ribs, 3 mm thick."""
    corners = np.array(_OUTLINE, dtype=np.float64)
    region = canvas.region((-130, -26, -125), (-34, 10, 34))
    return region, np.maximum(np.abs(region.y - _depth(region.x, region.z)) - 1.5, plate(region.x, region.z, corners))


def _depth(x: Array, z: Array) -> Array:
    """Where the middle of the blade lies, y at (x, z) [mm]."""
    hollow = np.sin(np.pi * np.clip((x + 126) / 90, 0, 1))
    return (-2 - 8 * hollow - 8 * np.clip((-z - 40) / 80, 0, 1)).astype(np.float32)


def _borders(canvas: Canvas, thick: float) -> list[DistanceField]:
    """Medial border thin, lateral border a pillar."""

    def on_blade(line: list[tuple[float, float]], n: int) -> np.ndarray:
        x, z = spline(line, n).T
        return np.stack([x, _depth(x, z), z], axis=1)

    medial = on_blade([(-106, 28), (-121, 12), (-125, -12), (-125, -40), (-119, -75), (-105, -114), (-97, -119)], 20)
    lateral = on_blade([(-97, -119), (-88, -113), (-75, -89), (-59, -58), (-45, -28), (-38, -14)], 18)
    upper = on_blade([(-106, 28), (-84, 26), (-62, 19)], 6)
    return [
        tube(canvas, medial, 2.4 * thick),
        tube(canvas, lateral, thick * np.linspace(3.2, 6.5, 18)),
        tube(canvas, upper, 1.9 * thick),
    ]


def _spine(canvas: Canvas, thick: float, slope: float, hook: float) -> DistanceField:
    """The spine with its crest standing off the blade, running out into the acromion."""
    crest = spline([(-122, -7, 8), (-95, -18, 13), (-68, -31, 20), (-42, -40, 28), (-22, -42, 33)], 20)
    foot = spline([(-122, -3, 6), (-95, -8, 8), (-68, -11, 12), (-50, -10, 14), (-42, -8, 14)], 20)
    wall = [tube(canvas, [a, b], 1.6, flat=[(0, 0.3, 1)] * 2, wide=[4, 4]) for a, b in zip(foot, crest, strict=True)]
    ridge = tube(canvas, crest, np.interp(np.linspace(0, 1, 20), (0, 0.3, 1), (2, 3.2, 4.5)) * thick)
    plate_line = [
        *((-24, -42, 33, 4.2, 6), (-10, -38, 35.5 + slope, 4.0, 10), (-2, -22, 38 + slope, 4.0, 12.5)),
        *((-2, -5, 40, 4.0, 12), (-1, 7, 39 - hook / 2, 3.6, 8)),
    ]
    acromion = limb_tube(canvas, plate_line, girth=thick, n=16, flat=(0, 0.1, 1))
    return merge(canvas, [merge(canvas, wall), ridge, acromion], blend=3)


def _clavicle(figure: Figure, side: Side, thick: float, bow: float) -> None:
    """From manubrium to acromion: round, then flat; 150 mm long in men (Andermahr et al., Clin Anat 20, 2007)."""
    trunk, sign = figure.skeleton.trunk, 1.0 if side == "right" else -1.0
    world = figure.landmark(f"scapula_{side}", JOINT_AC)
    end = np.array([float(v.item()) for v in trunk.to_local(*world.reshape(3, 1, 1, 1))]) * (sign, 1, 1)
    start = np.array((31.0, 41.0, 441.0))
    t = np.array((0.0, 0.1, 0.33, 0.55, 0.8, 1.0))
    forward = np.array((0.0, 3.0, 13.0, 8.0, -7.0, 0.0)) * bow
    across = np.array((-(end - start)[1], (end - start)[0], 0.0)) / np.linalg.norm((end - start)[:2])
    line = spline(start + t[:, None] * (end - start) + forward[:, None] * across, 30) * (sign, 1, 1)
    s = np.linspace(0, 1, 30)
    thin = thick * np.interp(s, (0, 0.06, 0.2, 0.5, 0.8, 1), (9.5, 10, 6.8, 6, 5.2, 5))
    wide = thick * np.interp(s, (0, 0.06, 0.2, 0.5, 0.8, 1), (11, 11, 7.2, 6.2, 8.5, 9))

    def cortex(region: Region) -> Array:
        share = (sign * region.x - np.float32(start[0])) / np.float32(end[0] - start[0])
        return piecewise_linear(share, (0.05, 0.25, 0.75, 0.95), (1.2, 2.6, 2.4, 1.2))

    figure.paint_bone(
        f"clavicula_{side}",
        lambda canvas: tube(canvas, line, thin, flat=[(0, 0, 1)] * 30, wide=wide),
        frame="trunk",
        cortex=cortex,
        shell=1150,
        core=230,
    )
