"""Solids that bones are made of, as signed distances on a window of voxels, and the cuts between them [mm]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..canvas import Array, Canvas, Region, smooth_union

DistanceField = tuple[Region, Array]
"""A solid: the voxels around it, and the signed distance at each of them, negative inside."""
Point = Sequence[float] | NDArray[np.floating]


def half_space(region: Region, point: Point, normal: Point) -> Array:
    """Distance to a plane, positive on the side of its normal [mm]."""
    n = np.asarray(normal, dtype=np.float64) / np.linalg.norm(normal)
    terms = (np.float32(c) * (axis - np.float32(p)) for c, axis, p in zip(n, region.axes, point, strict=True))
    return np.asarray(sum(terms, np.float32(0)), dtype=np.float32)


def sphere(region: Region, center: Point, radius: float) -> Array:
    """Distance to a sphere [mm]."""
    x, y, z = (axis - np.float32(c) for axis, c in zip(region.axes, center, strict=True))
    return (np.sqrt(x * x + y * y + z * z) - np.float32(radius)).astype(np.float32)


def rounded_box(region: Region, half: Sequence[float], rounding: float) -> Array:
    """Distance to a box about the origin with rounded edges."""
    q = [np.abs(c) - np.float32(h - rounding) for c, h in zip(region.axes, half, strict=True)]
    outside = sum((np.square(np.maximum(c, 0)) for c in q), np.float32(0))
    inside = np.minimum(np.maximum(np.maximum(q[0], q[1]), q[2]), 0)
    return (np.sqrt(outside) + inside - rounding).astype(np.float32)


def corner(first: Array, second: Array, rounding: float) -> Array:
    """Intersection of two distances, its edge rounded with a radius [mm]."""
    most = np.maximum(first, second)
    a, b = np.maximum(first + rounding, 0), np.maximum(second + rounding, 0)
    return np.where(most < -rounding, most, np.sqrt(a * a + b * b) - rounding).astype(np.float32)


def apart(field: Array, neighbour: Array, gap: float) -> Array:
    """A body cut back to `gap` mm from its neighbour."""
    return np.maximum(field, np.float32(gap) - neighbour)


def cut_back(body: DistanceField, neighbour: DistanceField, gap: float) -> DistanceField:
    """`apart` for solids on windows of their own."""
    region, field = body
    low = [max(a.start, b.start) for a, b in zip(region.window, neighbour[0].window, strict=True)]
    high = [min(a.stop, b.stop) for a, b in zip(region.window, neighbour[0].window, strict=True)]
    if all(a < b for a, b in zip(low, high, strict=True)):
        common = slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])
        here = region.inner(common)
        field[here] = apart(field[here], neighbour[1][neighbour[0].inner(common)], gap)
    return region, field


def carve(
    canvas: Canvas,
    body: DistanceField,
    center: Point,
    reach: float,
    tool: Callable[[Region], Array],
    blend: float = 0.5,
) -> DistanceField:
    """The body without what a tool covers within `reach` of a point; the rim is rounded by blend [mm]."""
    region, distance = body[0], body[1].copy()
    middle = np.asarray(center, dtype=np.float64)
    part = region.part(canvas.window(middle - reach, middle + reach))
    inner = region.inner(part.window)
    distance[inner] = -smooth_union(-distance[inner], tool(part), blend)
    return region, distance


def cube_about(canvas: Canvas, center: Point, reach: float) -> Region:
    """The cube of voxels within `reach` of a point."""
    middle = np.asarray(center, dtype=np.float64)
    return canvas.region(middle - reach, middle + reach)


def piecewise_linear(values: Array, knots: ArrayLike, heights: ArrayLike) -> Array:
    """Piecewise linear function of a coordinate, as float32."""
    return np.interp(values, np.asarray(knots), np.asarray(heights)).astype(np.float32)
