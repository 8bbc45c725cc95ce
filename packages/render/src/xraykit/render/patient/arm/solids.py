"""Shapes of the arm's own: how thick its bones are, tubes from a table, plates with a polygonal outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..body.figure import Figure
from ..body.solids import DistanceField, Point
from ..canvas import Array, Canvas, spline, tube


def girth(figure: Figure, seed: int) -> float:
    """Factor on the thickness of a person's arm bones at given length.

    Women's are 5 % slimmer (humeral head 43 against 49 mm at 0.92 of the stature: Spradley & Jantz, J Forensic Sci
    56, 2011), persons vary by 3 %.
    """
    spread = float(np.clip(figure.rng(seed, "arm girth").normal(0, 0.03), -0.06, 0.06))
    return (0.95 if figure.physique.sex == "female" else 1.0) * (1 + spread)


def limb_tube(
    canvas: Canvas, table: ArrayLike, *, girth: float = 1.0, n: int = 30, flat: Point = (0.0, 1.0, 0.0)
) -> DistanceField:
    """A smooth tube through rows of (x, y, z, half-thickness, half-width); `flat` is the thin axis."""
    rows = spline(np.asarray(table, dtype=np.float64), n)
    thin, wide = np.maximum(girth * rows[:, 3:].T, 0.5)
    return tube(canvas, rows[:, :3], thin, flat=np.tile(flat, (n, 1)), wide=wide)


def plate(x: Array, z: Array, corners: ArrayLike) -> Array:
    """Signed distance to a polygon in the plane of x and z, negative inside [mm]."""
    ends = np.asarray(corners, dtype=np.float32)
    square, inside = np.float32(1e12), np.zeros(np.broadcast_shapes(x.shape, z.shape), dtype=bool)
    for (ax, az), (bx, bz) in zip(ends, np.roll(ends, -1, axis=0), strict=True):
        ex, ez, px, pz = bx - ax, bz - az, x - ax, z - az
        t = np.clip((px * ex + pz * ez) / (ex * ex + ez * ez), 0, 1)
        square = np.minimum(square, (px - t * ex) ** 2 + (pz - t * ez) ** 2)
        if ez != 0:
            inside ^= ((az > z) != (bz > z)) & (px < ex * pz / ez)
    return (np.where(inside, -1, 1) * np.sqrt(square)).astype(np.float32)
