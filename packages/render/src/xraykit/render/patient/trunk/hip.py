"""A hip bone of the procedural torso: iliac wing, acetabulum, ischium and pubis.

Described for the right side; the femoral head's centre is at `CENTER`. The acetabulum opens 45 degrees to the side and
17 degrees to the front (Murray, J Bone Joint Surg Br 75, 1993).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..body.solids import DistanceField
from ..body.trunk_shape import TrunkShape
from ..canvas import Canvas, Coordinates, ellipsoid, merge, smooth_union, spline, tube
from .sacrum import sacroiliac

Bend = Callable[[ArrayLike], Coordinates]
CENTER = (88.0, 2.0, -80.0)
SOCKET = 27.0
_OPENING = np.array([0.68, 0.30, -0.67])
_STRIPS = 44

# The wing hangs between its crest, from the posterior to the anterior spines, and the line where it meets the body.
_CREST = [
    (46, -90, -24),
    (50, -92, 4),
    (66, -83, 33),
    (90, -57, 52),
    (112, -24, 57),
    (126, 6, 49),
    (130, 32, 31),
    (126, 50, 11),
    (118, 50, -10),
    (107, 44, -33),
]
_ROOT = [
    (52, -80, -48),
    (58, -66, -54),
    (64, -52, -56),
    (74, -34, -58),
    (82, -18, -56),
    (88, -6, -54),
    (93, 6, -54),
    (97, 16, -54),
    (99, 24, -54),
    (100, 30, -52),
]
# Ribbons: centre line, half thickness, its direction, half width.
_RIBBONS = (
    ("arcuate line", [(63, -47, -38), (70, -28, -52), (75, -2, -64), (72, 20, -70)], [7, 7, 7, 8], (1, 0, 0), None),
    ("iliac body", [(80, -32, -58), (88, -10, -50), (95, 14, -48), (100, 30, -46)], [9, 10, 9, 7], (1, 0, 0), None),
    ("tuberosity", [(57, -80, -2), (56, -80, -36)], [7, 7], (1, 0, 0), [12, 9]),
    ("superior ramus", [(80, 20, -70), (60, 42, -83), (38, 57, -92), (15, 61, -97)], [11, 9, 8, 8], (0, 1, 0), None),
    ("pubic body", [(12.5, 60, -95), (11.5, 54, -120)], [7, 6.5], (0, 1, 0), [10, 9]),
    (
        "inferior ramus",
        [(13, 53, -117), (22, 41, -127), (34, 18, -137), (46, -6, -147)],
        [5, 4.6, 4.8, 7],
        (0.75, 0.3, 0.6),
        [9, 8.5, 8.5, 10],
    ),
    (
        "ischium",
        [(82, -20, -96), (69, -30, -119), (58, -28, -138), (53, -18, -145)],
        [13, 12, 12.5, 11],
        (1, 0, 0),
        None,
    ),
    (
        "posterior column",
        [(62, -58, -58), (74, -46, -72), (78, -36, -92), (72, -34, -112)],
        [6, 9, 10, 10],
        (1, 0, 0),
        None,
    ),
    ("ischial spine", [(72, -44, -84), (62, -52, -89), (54, -56, -92)], [5, 3.4, 2], (1, 0, 0), [7, 5, 2.5]),
    ("tubercle", [(30, 61, -92), (26, 64, -91)], [4, 3.5], (0, 1, 0), None),
)


def hip(canvas: Canvas, sign: int, shape: TrunkShape, wear: float = 0.0) -> DistanceField:
    """Region and distance field of a hip bone; sign 1 is the right one, -1 the left."""

    def bent(points: ArrayLike) -> Coordinates:
        return mould(points, shape) * (sign, 1, 1)

    ribbons = [
        _ribbon(canvas, bent(spline(line, 14)), radius, np.multiply(flat, (sign, 1, 1)), wide)
        for _, line, radius, flat, wide in _RIBBONS
    ]
    region, wing = merge(canvas, _wing(canvas, bent))
    ridge = bent(spline(_CREST, 40))
    crest = tube(canvas, ridge, np.interp(np.linspace(0, 1, 40), (0, 0.1, 0.5, 0.85, 1), (8, 8.5, 5.5, 6.5, 6.5)))
    parts = [crest, (region, np.maximum(wing, np.float32(-0.7))), merge(canvas, ribbons, blend=4), _wall(canvas, bent)]
    region, field = merge(canvas, [*parts, _cup(canvas, sign, wear)], blend=5)
    center = np.array(CENTER) * (sign, 1, 1)
    field = np.maximum(field, -ellipsoid(region, center, (SOCKET,) * 3))
    fossa = center + np.array([-sign * 15.0, 4.0, -9.0])
    field = np.maximum(field, -ellipsoid(region, fossa, (14.5, 13, 13)))
    joint = np.maximum(sacroiliac(region, shape) - np.float32(1.3), region.y + np.float32(36))
    return region, np.maximum(field, -joint).astype(np.float32)


def mould(points: ArrayLike, shape: TrunkShape) -> NDArray[np.float64]:
    """Points of the right half of the reference pelvis, (..., 3), as the person has them; the hip joint stays.

    The crest leans out by `flare`, the ischium by `arch`, what bounds the back half of the inlet by `brim`.
    """
    p = np.array(points, dtype=np.float64)
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    crest = np.clip((z + 45) / 85, 0, 1)
    floor = np.clip((-100 - z) / 45, 0, 1.2)
    back = np.clip((-y - 20) / 30, 0, 1) * np.clip((z + 90) / 30, 0, 1)
    p[..., 0] = x + shape.flare * crest + shape.arch * floor + shape.brim * back
    return p


def _ribbon(
    canvas: Canvas, line: Coordinates, radius: ArrayLike, flat: ArrayLike, wide: ArrayLike | None
) -> DistanceField:
    s = np.linspace(0, 1, len(line))

    def along(values: ArrayLike) -> NDArray[np.float64]:
        return np.interp(s, np.linspace(0, 1, len(np.asarray(values))), np.asarray(values))

    if wide is None:
        return tube(canvas, line, along(radius))
    return tube(canvas, line, along(radius), flat=np.tile(np.asarray(flat), (len(line), 1)), wide=along(wide))


def _wing(canvas: Canvas, bent: Bend) -> list[DistanceField]:
    """Strips side by side from crest to root, thin and compact in the fossa."""
    crest, root = spline(_CREST, _STRIPS), spline(_ROOT, _STRIPS)
    lean = np.sin(np.linspace(0, np.pi, _STRIPS))[:, None]
    middle = (crest + root) / 2 + lean * (5.0, -3.0, -2.0)
    grid = bent(np.stack([spline([a, b, c], 7) for a, b, c in zip(crest, middle, root, strict=True)]))
    across, down = np.gradient(grid, axis=0), np.gradient(grid, axis=1)
    normals = np.cross(across, down)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    spread = 1.5 * np.linalg.norm(across, axis=-1).clip(1.0)
    front = np.linspace(0, 1, _STRIPS)
    thick = np.interp(front, (0, 0.15, 0.3, 0.45, 0.8, 1), (2.6, 2.4, 1.7, 1.0, 1.1, 1.4))
    strips = [
        tube(
            canvas,
            grid[n],
            np.array([4.0, 2.8, 2.1, 1.9, 2.4, 3.6, 5.0]) * thick[n] ** 0.8,
            flat=normals[n],
            wide=np.maximum(spread[n], 4.0),
        )
        for n in range(_STRIPS)
    ]
    return strips


def _wall(canvas: Canvas, bent: Bend) -> DistanceField:
    """The quadrilateral plate inside the acetabulum."""
    upper = spline([(64, -48, -50), (68, -26, -62), (68, 0, -70), (66, 20, -76)], 10)
    lower = spline([(70, -44, -92), (66, -30, -110), (62, -12, -112), (60, 6, -104)], 10)
    grid = bent(np.stack([upper, (upper + lower) / 2 + (1.0, 0, 0), lower], axis=1))
    strips = [tube(canvas, line, 2.6, flat=[(1.0, 0.0, 0.0)] * 3, wide=[5.0] * 3) for line in grid]
    return merge(canvas, strips)


def _cup(canvas: Canvas, sign: int, wear: float) -> DistanceField:
    """The acetabulum round the femoral head, open to the side; wear draws out its rim."""
    center = np.array(CENTER) * (sign, 1, 1)
    region = canvas.region(center - 44, center + 44)
    offset = [c - np.float32(m) for c, m in zip(region.axes, center, strict=True)]
    a, b, c = (np.float32(v) for v in _OPENING * (sign, 1, 1))
    height = a * offset[0] + b * offset[1] + c * offset[2]
    shell = ellipsoid(region, center, (32.5, 32.5, 32.5))
    field = -smooth_union(-shell, np.float32(7) - height, 3.0)
    if wear > 0:
        above = np.clip(0.4 + offset[2] / 30, 0, 1)
        rho = np.sqrt(np.maximum(offset[0] ** 2 + offset[1] ** 2 + offset[2] ** 2 - height * height, 0))
        rim = np.hypot(rho - 30.0, height - 7 - 2 * wear) - np.float32(1.5 + 3.0 * wear) * above
        field = smooth_union(field, rim.astype(np.float32), 2.0)
    return region, field
