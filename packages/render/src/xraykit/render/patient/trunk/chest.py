"""The chest of the procedural torso: lungs by lobe with their vessels, airways, gullet, thyroid."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..body.trunk_shape import ATLAS, TrunkShape, cage, spine_y
from ..canvas import Array, Canvas, Region, ellipsoid, spline, tube
from .flesh import SIDES, diaphragm, relabel, smooth_max
from .heart import paint_heart
from .vessels import paint_chest_vessels


def paint_chest(
    canvas: Canvas,
    ids: Mapping[str, int],
    rng: np.random.Generator,
    shape: TrunkShape = ATLAS,
    *,
    contrast: float = 0.0,
) -> None:
    """Lungs by lobe with vessels, then heart, great vessels, gullet and airways.

    Args:
        canvas: What is painted on.
        ids: Label value of each name.
        rng: Of the branching lung vessels.
        shape: The person's.
        contrast: HU that contrast agent adds to blood.
    """
    region = canvas.region((-160, -130, 120), (160, 150, 510))
    inner = np.maximum(cage(region, shape, inset=8), -(diaphragm(region, shape) - 2))
    apex = region.z - np.float32(479) + np.float32(0.03) * np.square(np.minimum(np.abs(region.x), 54) - 32)
    column = spine_y(region.z[:, 0, 0]).astype(np.float32)[:, None, None]
    half = np.interp(region.z, (250, 400, 445, 480), (36, 32, 22, 8)).astype(np.float32)
    fat = np.maximum(np.maximum(inner + 4, apex), column + 16 - region.y)
    canvas.paint(region, smooth_max(fat, np.broadcast_to(np.abs(region.x) - half, fat.shape), 10), -70.0)
    for side, sign in SIDES:
        lung = _lung(region, inner, apex, column, sign)
        canvas.paint(region, lung, -845.0, ids[f"lung_lower_lobe_{side}"])
        fissure = region.z - 335 + 0.95 * (region.y + 10)
        relabel(canvas, region, (lung < 0) & (fissure > 0), ids[f"lung_upper_lobe_{side}"])
        if side == "right":
            middle = (lung < 0) & (fissure > 0) & (region.z < 338)
            relabel(canvas, region, middle, ids["lung_middle_lobe_right"])
        _vessels(canvas, sign, rng)
    paint_heart(canvas, ids["heart"], ids["atrial_appendage_left"], shape, contrast)
    paint_chest_vessels(canvas, ids, shape, contrast)
    _gullet(canvas, ids["esophagus"])
    _airways(canvas, ids["trachea"])
    for sign in (1, -1):
        throat = canvas.region((-32, -26, 462), (32, 20, 528))
        lobe = ellipsoid(throat, (sign * 18, -4, 495), (8, 9, 22))
        canvas.paint(throat, lobe, 105.0 + 0.4 * contrast, ids["thyroid_gland"])


def _lung(region: Region, inner: Array, apex: Array, column: Array, sign: int) -> Array:
    """A lung leaves room for the mediastinum, wraps round the vertebrae, and meets the other one before the heart."""
    x = np.float32(sign) * region.x
    z = region.z[:, 0, 0]
    medial = np.interp(z, (250, 330, 365, 400, 440, 480), (20, 22, 25, 27, 21, 14)).astype(np.float32)[:, None, None]
    beside = np.interp(z, (250, 350, 440, 480), (22, 18.5, 19, 16)).astype(np.float32)[:, None, None]
    front = np.clip((region.y - 40) / 25, 0, 1) * 17
    share = np.clip((region.y - column - 2) / 22, 0, 1)
    room = beside + share * (medial - front - beside)
    return smooth_max(np.maximum(inner, apex), room.astype(np.float32) - x, 12)


def _vessels(canvas: Canvas, sign: int, rng: np.random.Generator) -> None:
    """A random tree from the hilum: each branch splits, thins and bends away from the heart."""
    hilum = np.array([sign * 30.0, -8.0, 352.0 if sign > 0 else 362.0])
    queue: list[tuple[NDArray, NDArray, float, int]] = []
    for elevation in np.radians((-78, -52, -30, -5, 22, 50, 74)):
        for turn in (-0.7, 0.5):
            azimuth = turn + rng.normal(0, 0.15)
            flat = np.array([sign * np.cos(azimuth), np.sin(azimuth)])
            direction = np.array([*(flat * np.cos(elevation)), np.sin(elevation)])
            queue.append((hilum + direction * 6, direction, rng.uniform(3.6, 5.2), 0))
    while queue:
        start, direction, radius, depth = queue.pop()
        length = 30 * (radius / 4) ** 0.45 * rng.uniform(0.7, 1.3)
        bend = direction + rng.normal(0, 0.12, 3)
        end = start + length * bend / np.linalg.norm(bend)
        _vessel(canvas, start, end, radius)
        if depth < 4 and radius > 0.9:
            for share in (0.78, 0.6):
                turned = direction + rng.normal(0, 0.42, 3)
                queue.append(
                    (end, turned / np.linalg.norm(turned), radius * share * rng.uniform(0.92, 1.08), depth + 1)
                )


def _vessel(canvas: Canvas, start: NDArray, end: NDArray, radius: float) -> None:
    region, distance = tube(canvas, [start, end], [radius, radius * 0.8])
    # Only inside the lungs, the sole labels so far: no branch reaches the chest wall or the air outside.
    patch = canvas.hu[region.window]
    share = np.clip(0.5 - distance / canvas.spacing, 0, 1) * min(1.0, (radius / (0.5 * canvas.spacing)) ** 2)
    air = np.clip((-350 - patch) / 200, 0, 1) * (canvas.labels[region.window] > 0)
    patch += share * air * (30 - patch)


def _gullet(canvas: Canvas, label: int) -> None:
    line = [
        (0, -22, 560),
        (0, -23, 490),
        (-4, -30, 410),
        (-5, -38, 345),
        (-8, -31, 290),
        (-16, -16, 258),
        (-36, -6, 234),
    ]
    points = spline(line, 28)
    region, distance = tube(canvas, points, 5.0, flat=[(0.0, 1.0, 0.0)] * 28, wide=[8.0] * 28)
    canvas.paint(region, distance, 35.0, label)
    canvas.paint(region, distance + 3.6, -300.0, label)


def _airways(canvas: Canvas, label: int) -> None:
    throat = float(spine_y(540.0)) + 22
    line = [(0, throat, 600), (0, throat, 540), (0, throat - 4, 470), (2, -12, 410), (3, -16, 390)]
    _pipe(canvas, label, line, 10.5, 40)
    _pipe(canvas, label, line, 8.5, -990)
    for line, radius in (
        ([(3, -16, 392), (20, -18, 370), (36, -18, 352), (44, -20, 330)], 7.0),
        ([(3, -16, 392), (-22, -18, 372), (-44, -22, 358), (-52, -24, 338)], 6.0),
    ):
        _pipe(canvas, label, line, np.linspace(radius + 1.5, radius, 16), 30)
        _pipe(canvas, label, line, np.linspace(radius, radius - 2, 16), -990)


def _pipe(canvas: Canvas, label: int, points: ArrayLike, radius: ArrayLike, hu: float) -> None:
    region, distance = tube(canvas, spline(points, 16), radius)
    canvas.paint(region, distance, hu, label)
