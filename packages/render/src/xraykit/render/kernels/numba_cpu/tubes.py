"""The distance to a chain of tapered segments of a painted body, in one pass over the voxels near each of them."""

from __future__ import annotations

import numpy as np

from .broadcast import at
from .compile import kernel
from .painting import to_quadric

_ZERO, _ONE = np.float32(0), np.float32(1)


@kernel
def lower_to_segments(field, x, y, z, first, last, points, radius, wide, normals):
    """Lower a distance field to that of each segment of a polyline, within its window.

    Args:
        field: Distances so far, (d, h, w) float32 [mm].
        x: Coordinates of the voxels, (d or 1, h or 1, w or 1) float32.
        y: Likewise.
        z: Likewise.
        first: First voxel of each segment's window in the field, (n, 3) in the order depth, height, width.
        last: One past its last voxel.
        points: The polyline, (n + 1, 3).
        radius: At each point [mm]; with normals, half the thickness along them.
        wide: Half the width across the normals at each point [mm].
        normals: Unit vector across each segment, (n, 3); (0, 3) is a round tube.
    """
    for n in range(len(points) - 1):
        along = points[n + 1] - points[n]
        long = max(np.sqrt((along**2).sum()), 1e-6)
        tx, ty, tz = np.float32(along[0] / long), np.float32(along[1] / long), np.float32(along[2] / long)
        ox, oy, oz = np.float32(points[n, 0]), np.float32(points[n, 1]), np.float32(points[n, 2])
        length = np.float32(long)
        thin_0, thinner = np.float32(radius[n]), np.float32(radius[n + 1] - radius[n])
        wide_0, wider = np.float32(wide[n]), np.float32(wide[n + 1] - wide[n])
        smallest = np.float32(min(min(radius[n], radius[n + 1]), min(wide[n], wide[n + 1])))
        for k in range(first[n, 0], last[n, 0]):
            for j in range(first[n, 1], last[n, 1]):
                for i in range(first[n, 2], last[n, 2]):
                    px, py, pz = at(x, k, j, i) - ox, at(y, k, j, i) - oy, at(z, k, j, i) - oz
                    s = px * tx + py * ty + pz * tz
                    t = min(max(s / length, _ZERO), _ONE)
                    thin, over = thin_0 + t * thinner, s - t * length
                    square = px * px + py * py + pz * pz - s * s
                    if len(normals) == 0:
                        distance = np.sqrt(max(square, _ZERO) + over * over) - thin
                    else:
                        u = px * np.float32(normals[n, 0]) + py * np.float32(normals[n, 1])
                        u += pz * np.float32(normals[n, 2])
                        v = np.sqrt(max(square - u * u, _ZERO))
                        distance = to_quadric(u, v, over, thin, wide_0 + t * wider, thin, smallest)
                    field[k, j, i] = min(field[k, j, i], distance)
