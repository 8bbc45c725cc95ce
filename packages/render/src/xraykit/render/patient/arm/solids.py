"""Shapes that the bones of the arm are made of, besides tubes and ellipsoids: cuts, spools, plates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..body.figure import Figure
from ..canvas import Array, Canvas, Region, smooth_union, spline, tube

Body = tuple[Region, Array]
Point = Sequence[float] | NDArray[np.floating]


def girth(figure: Figure, seed: int) -> float:
    """Factor on the thickness of a person's arm bones at given length.

    Women's are 5 % slimmer (humeral head 43 against 49 mm at 0.92 of the stature: Spradley & Jantz, J Forensic Sci
    56, 2011), persons vary by 3 %.
    """
    spread = float(np.clip(figure.rng(seed, "arm girth").normal(0, 0.03), -0.06, 0.06))
    return (0.95 if figure.physique.sex == "female" else 1.0) * (1 + spread)


def carve(
    canvas: Canvas, body: Body, center: Point, reach: float, tool: Callable[[Region], Array], blend: float = 0.5
) -> Body:
    """The body without what a tool covers within `reach` of a point; the rim is rounded by blend [mm]."""
    region, distance = body[0], body[1].copy()
    middle = np.asarray(center, dtype=np.float64)
    part = region.part(canvas.window(middle - reach, middle + reach))
    inner = region.inner(part.window)
    distance[inner] = -smooth_union(-distance[inner], tool(part), blend)
    return region, distance


def box(canvas: Canvas, center: Point, reach: float) -> Region:
    """The cube of voxels within `reach` of a point."""
    middle = np.asarray(center, dtype=np.float64)
    return canvas.region(middle - reach, middle + reach)


def half_space(region: Region, point: Point, normal: Point) -> Array:
    """Distance to a plane, positive on the side of its normal [mm]."""
    n = np.asarray(normal, dtype=np.float64) / np.linalg.norm(normal)
    terms = (np.float32(c) * (axis - np.float32(p)) for c, axis, p in zip(n, region.axes, point, strict=True))
    return np.asarray(sum(terms, np.float32(0)), dtype=np.float32)


def sphere(region: Region, center: Point, radius: float) -> Array:
    """Distance to a sphere [mm]."""
    x, y, z = (axis - np.float32(c) for axis, c in zip(region.axes, center, strict=True))
    return (np.sqrt(x * x + y * y + z * z) - np.float32(radius)).astype(np.float32)


def along(values: Array, knots: Sequence[float], levels: Sequence[float]) -> Array:
    """Linear interpolation of a table at every voxel."""
    return np.interp(values, knots, levels).astype(np.float32)


def limb_tube(
    canvas: Canvas, table: ArrayLike, *, girth: float = 1.0, n: int = 30, flat: Point = (0.0, 1.0, 0.0)
) -> Body:
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
