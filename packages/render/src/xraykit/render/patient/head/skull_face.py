"""The facial skeleton: orbits, nose, maxillae with the palate, cheek bones and their arches."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..body.figure import Figure
from ..canvas import Array, Canvas, Region, merge, normalised, spline, tube
from .skull_shape import HeadShape

# The rim of the right orbit, from the upper inner corner outwards: 40 mm wide and 35 mm high, its outer edge 18 mm
# behind its inner one.
_RIM = [
    (13, 93, 50),
    (29, 95, 55),
    (44, 85, 53),
    (50.5, 74, 42),
    (48.5, 73, 27),
    (37, 81, 19),
    (21, 88, 20),
    (12, 91, 34),
]
_ZYGOMATIC_ARCH = [(46, 70, 13), (57, 53, 12), (64, 34, 14), (63, 16, 17)]


def paint_face(figure: Figure, shape: HeadShape) -> None:
    """All facial bones; orbits, nose and sinuses are carved afterwards."""
    solid = partial(figure.paint_bone, "skull", frame="skull")
    solid(lambda c: _maxilla(shape.on(c)), cortex=1.3, shell=850, core=130)
    solid(lambda c: _walls(shape.on(c)), cortex=1.2, shell=850, core=350)
    solid(lambda c: _rims(shape.on(c)), cortex=1.8, shell=1150, core=450)


def orbit(region: Region) -> Array:
    """Distance to both orbits: rounded square cones from the rims to the optic canals."""
    share = np.clip((region.y - 44) / 44, 0, 1.25)
    half_x, half_z = 3.5 + 17.5 * np.sqrt(share), 3.5 + 14.0 * np.sqrt(share)
    center_x, center_z = 11.5 + half_x, 29 + 7.5 * share
    u, v = np.abs(np.abs(region.x) - center_x) / half_x, np.abs(region.z - center_z) / half_z
    across = ((u**2.6 + v**2.6 + 1e-6) ** (1 / 2.6) - 1) * half_z * np.float32(0.9)
    slanted = region.y - 92 + 0.42 * np.clip(np.abs(region.x) - 14, 0, 60)
    return np.maximum(np.maximum(across, 43 - region.y), slanted).astype(np.float32)


def nasal_cavity(region: Region) -> Array:
    """Distance to the nasal cavity between its walls, floor to cribriform plate, choanae to pear-shaped opening."""
    z = region.z
    half = np.interp(z, (-3, 2, 15, 24, 34, 45), (10.5, 13, 12, 7, 4.5, 3.5)).astype(np.float32)
    side = (np.abs(region.x) - half) * np.float32(0.95)
    front = region.y - np.interp(z, (-4, 10, 27, 45), (92, 94, 103, 92)).astype(np.float32)
    ends = np.maximum(front, 45 - region.y)
    return np.maximum(np.maximum(side, ends), np.maximum(-3 - z, z - 43)).astype(np.float32)


def maxillary_sinus(region: Region) -> Array:
    """Distance to what a wall of 2 mm leaves free in the maxillae, on both sides."""
    body = _body(region) + np.float32(2.2)
    between = np.maximum(-orbit(region) + np.float32(1.3), -nasal_cavity(region) + np.float32(0.9))
    low = -5.5 + 0.012 * np.square(region.y - 60) - region.z
    return np.maximum(np.maximum(body, between), np.maximum(low, 13 - np.abs(region.x))).astype(np.float32)


def bow(front: float, half: float, reach: float, back: float, z: float, n: int = 36) -> tuple[NDArray, NDArray]:
    """A dental arch at height z, (n, 3), and its outward normals: half an ellipse with straight limbs behind.

    Args:
        front: Foremost y.
        half: Half width of the ellipse.
        reach: Its depth.
        back: Hindmost y.
        z: Height.
        n: Number of points.
    """
    t = np.linspace(0, np.pi, n - 8)
    ellipse = np.stack([-half * np.cos(t), front - reach + reach * np.sin(t)], axis=1)
    limb = np.stack([-half - np.linspace(2.5, 0.6, 4), np.linspace(back, front - reach - 4, 4)], axis=1)
    line = np.concatenate([limb, ellipse, limb[::-1] * (-1, 1)])
    tangent = np.gradient(line, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0], np.zeros(n)], axis=1)
    return np.column_stack([line, np.full(n, z)]), normal / np.linalg.norm(normal, axis=1, keepdims=True)


def _body(region: Region) -> Array:
    """Bodies of both maxillae below the orbits."""
    return normalised([region.x, region.y - 66, region.z - 6], [43.0, 27.5, 25.0])


def _maxilla(canvas: Canvas) -> tuple[Region, Array]:
    region = canvas.region((-46, 36, -20), (46, 98, 34))
    block = np.maximum(np.maximum(_body(region), -9 - region.z), np.maximum(region.z - 26, 46 - region.y))
    parts = [(region, block.astype(np.float32))]
    line, normal = bow(93, 26, 30, 48, -10.5)
    parts.append(tube(canvas, line, 5.5, flat=normal, wide=[7.0] * len(line)))
    between = canvas.region((-18, 44, 20), (18, 100, 56))
    box = np.maximum(np.abs(between.x) - 13 - 0.06 * np.abs(between.y - 70), np.abs(between.z - 36) - 13)
    parts.append((between, np.maximum(box, np.maximum(between.y - 93, 46 - between.y)).astype(np.float32)))
    return merge(canvas, parts, blend=3)


def _walls(canvas: Canvas) -> tuple[Region, Array]:
    """Plates: palate, nasal bones and spine, greater wings, pterygoids."""
    parts = [
        tube(canvas, [(0, 46, -4.5), (0, 90, -5)], 1.6, flat=[(0, 0, 1)] * 2, wide=[17, 20]),
        tube(
            canvas, [(0, 95.5, 47), (0, 100, 38), (0, 107, 27)], [2.6, 1.6, 1.0], flat=[(0, 1, 0.5)] * 3, wide=[6, 6, 8]
        ),
        tube(canvas, [(0, 88, -5), (0, 96, -4)], [2.8, 1.0]),
    ]
    for s in (1, -1):
        parts.append(tube(canvas, [(s * 7, 94, 44), (s * 11, 96, 24), (s * 14, 90, 4)], [2.0, 2.0, 2.2]))
        parts.append(tube(canvas, [(s * 48, 72, 38), (s * 29, 50, 36)], 1.5, flat=[(1, -0.9, 0)] * 2, wide=[14, 10]))
        parts.append(tube(canvas, [(s * 45, 60, 50), (s * 38, 49, 14)], 1.7, flat=[(1, 0, 0)] * 2, wide=[9, 8]))
        parts.append(tube(canvas, [(s * 13, 42, 18), (s * 13, 44, -7)], 1.2, flat=[(1, 0, 0)] * 2, wide=[6, 5]))
        parts.append(tube(canvas, [(s * 16, 42, 18), (s * 21, 38, -4)], 1.2, flat=[(1, 0.4, 0)] * 2, wide=[7, 6]))
    return merge(canvas, parts, blend=1.5)


def _rims(canvas: Canvas) -> tuple[Region, Array]:
    """Orbital rims, cheek bones, zygomatic arches, external processes of the frontal bone."""
    parts = []
    for s in (1, -1):
        rim = spline(np.array([*_RIM, _RIM[0]], dtype=np.float64) * (s, 1, 1), 36)
        parts.append(tube(canvas, rim, 3.2))
        parts.append(tube(canvas, [(s * 48, 72, 24), (s * 44, 74, 12), (s * 36, 71, 1)], [5, 7.5, 5]))
        parts.append(tube(canvas, [(s * 50, 73, 46), (s * 49.5, 72, 24)], [3.4, 4.0]))
        parts.append(tube(canvas, [(s * 50, 72, 48), (s * 52, 58, 58)], [3.2, 2.4]))
        arch = spline(np.array(_ZYGOMATIC_ARCH, dtype=np.float64) * (s, 1, 1), 16)
        parts.append(
            tube(canvas, arch, 2.4, flat=[(s, 0.3, 0)] * 16, wide=np.interp(np.arange(16), (0, 15), (5.5, 4.0)))
        )
    return merge(canvas, parts, blend=2.5)
