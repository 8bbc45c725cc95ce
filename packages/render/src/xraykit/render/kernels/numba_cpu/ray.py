"""Set-up of one ray, in float64: its direction, its part inside a box, and how that part moves with the ray."""

from __future__ import annotations

from .compile import kernel

TILE_ROWS, TILE_COLUMNS = 4, 8  # rays that march side by side, so that they share cache lines


@kernel
def direction_of(ray, x, y):
    """direction(u, v) = corner + u du + v dv at the centre of pixel (row y, column x)."""
    u, v = x + 0.5, y + 0.5
    return (
        ray[1, 0] + u * ray[2, 0] + v * ray[3, 0],
        ray[1, 1] + u * ray[2, 1] + v * ray[3, 1],
        ray[1, 2] + u * ray[2, 2] + v * ray[3, 2],
    )


@kernel
def clip(source, direction, lower, upper):
    """The part near <= alpha <= far inside the box, and the axes whose planes bound it (-1: the ray's own end)."""
    near, far, near_axis, far_axis = 0.0, 1.0, -1, -1
    for axis in range(3):
        s, d = source[axis], direction[axis]
        if d == 0.0:
            if s <= lower[axis] or s >= upper[axis]:
                return 0.0, 0.0, -1, -1
            continue
        a, b = (lower[axis] - s) / d, (upper[axis] - s) / d
        if a > b:
            a, b = b, a
        if a > near:
            near, near_axis = a, axis
        if b < far:
            far, far_axis = b, axis
    if far <= near:
        return 0.0, 0.0, -1, -1
    return near, far, near_axis, far_axis


@kernel
def motion_of_bound(alpha, axis, direction):
    """d alpha / d source_axis and d alpha / d direction_axis of the crossing with a plane of that axis."""
    if axis < 0:
        return 0.0, 0.0
    return -1.0 / direction[axis], -alpha / direction[axis]
