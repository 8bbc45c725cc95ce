"""Sacrum and coccyx of the procedural torso, and the surface of the sacroiliac joint."""

from __future__ import annotations

import numpy as np

from ..body.trunk_shape import ATLAS, TrunkShape
from ..canvas import Array, Canvas, Region, smooth_union

LENGTH = 84.0
_PROMONTORY = (-17.0, -12.5)  # y, z
_PIVOT = (-50.0, -25.0)  # y, z of the axis that the sacrum is tilted about: between the sacroiliac joints
# Along the sacrum, from promontory to apex: half width, half depth to the front and to the back [mm].
_SHARE = (0.0, 0.2, 0.42, 0.6, 0.8, 1.0)
_WIDTH = (58.0, 58.0, 46.0, 33.0, 24.0, 9.0)
_FRONT = (20.0, 16.0, 11.0, 8.0, 6.5, 5.0)
_BACK = (24.0, 20.0, 15.0, 11.0, 7.0, 4.0)


def sacroiliac(region: Region, shape: TrunkShape) -> Array:
    """Distance to the joint surface, positive on the ilium's side; slightly wavy, further out to the front."""
    wave = 1.2 * np.sin((region.z + 0.6 * region.y) * np.float32(0.16))
    plane = np.abs(region.x) - np.float32(54 + shape.brim) - np.float32(0.30) * (region.y + 50)
    return ((plane - np.float32(0.12) * (region.z + 25) + wave) * np.float32(0.95)).astype(np.float32)


def middle_y(z: Array) -> Array:
    """Anterior position of the sacrum's middle at height z [mm]."""
    share = np.clip(-z / LENGTH, -0.1, 1)
    return (-27 - 105 * share + 52 * share * share).astype(np.float32)


def sacrum(canvas: Canvas, shape: TrunkShape = ATLAS) -> tuple[Region, Array]:
    """The sacrum with canal, foramina and crest, and the coccyx."""
    region = canvas.region((-76, -115, -118), (76, 8, 14))
    view = _tilted(region, shape.sacrum)
    field = _block(view, region, shape)
    holes = view.empty_field()
    for number, height in enumerate((-27, -43, -57, -69)):
        for sign in (1, -1):
            holes = np.minimum(holes, _hole(view, sign * (22.5 - 2.5 * number), height, 4.0 - 0.4 * number))
    canal = np.hypot(view.x * 0.55, view.y - middle_y(view.z) + 11) - np.interp(
        -view.z, (0, 45, 68), (6.5, 4.0, 1.0)
    ).astype(np.float32)
    field = np.maximum(field, -np.minimum(holes, canal)).astype(np.float32)
    field = smooth_union(field, _tail(view), 2.0)
    return region, field


def promontory(shape: TrunkShape = ATLAS) -> tuple[float, float, float]:
    """The front edge of the upper end plate in the trunk's atlas [mm]."""
    turn = np.radians(shape.sacrum)
    y, z = np.subtract(_PROMONTORY, _PIVOT)
    cos, sin = np.cos(turn), np.sin(turn)
    return 0.0, float(cos * y + sin * z + _PIVOT[0]), float(cos * z - sin * y + _PIVOT[1])


def _tilted(region: Region, degrees: float) -> Region:
    """The region in the coordinates of the reference sacrum, of which the person's is turned about the joints."""
    if not degrees:
        return region
    cos, sin = (np.float32(f(np.radians(degrees))) for f in (np.cos, np.sin))
    y, z = region.y - np.float32(_PIVOT[0]), region.z - np.float32(_PIVOT[1])
    return Region(region.window, region.x, cos * y - sin * z + _PIVOT[0], sin * y + cos * z + _PIVOT[1])


def _block(view: Region, region: Region, shape: TrunkShape) -> Array:
    """A slab curved backwards whose wings sweep back to the joints, cut by the end plate and by the joints."""
    share = np.clip(-view.z / LENGTH, 0, 1)
    width, front, back = (np.interp(share, _SHARE, v).astype(np.float32) for v in (_WIDTH, _FRONT, _BACK))
    x = np.abs(view.x)
    lean = 1 / np.hypot(1, (105 - 104 * share) / LENGTH).astype(np.float32)
    forward = (view.y - middle_y(view.z)) * lean
    wing = np.maximum(x - 20, 0)
    ventral = forward - front + np.float32(0.016) * wing * wing + np.float32(0.12) * wing
    hollow = 5 * np.exp(-np.square((x - 12) / 7)) - 9 * np.exp(-np.square(x / 4))
    dorsal = -forward - back + hollow.astype(np.float32) + np.float32(0.05) * wing
    side = (x - width - np.float32(shape.brim)) * np.float32(0.9)
    plate = (view.z + np.float32(7.5) + np.float32(0.55) * (view.y + 24)) * np.float32(0.88)
    top = np.where(x < 25, plate, plate + np.float32(0.010) * np.square(x - 25) + np.float32(3))
    field = _rounded(_rounded(ventral, dorsal, 3), np.maximum(_rounded(side, top, 3), -LENGTH - view.z), 2)
    joint = sacroiliac(region, shape) + np.float32(1.3)
    return np.maximum(field, np.where(region.z > -68, joint, -9)).astype(np.float32)


def _rounded(first: Array, second: Array, blend: float) -> Array:
    return -smooth_union(-first, -second, blend)


def _hole(view: Region, x: float, height: float, radius: float) -> Array:
    """A foramen from back to front."""
    across = view.x - np.float32(x) * (1 + (view.y - middle_y(view.z)) * np.float32(0.012))
    up = view.z - np.float32(height) - (view.y - middle_y(view.z)) * np.float32(0.35)
    return (np.hypot(across, up) - np.float32(radius)).astype(np.float32)


def _tail(view: Region) -> Array:
    """Four coccygeal segments, curving forwards."""
    field = view.empty_field()
    knots = ((-80.0, -88.0, 9.0, 5.0), (-77.0, -96.5, 6.5, 4.2), (-72.0, -103.0, 4.5, 3.6), (-66.0, -107.0, 3.0, 3.0))
    for y, z, wide, thin in knots:
        u, v, w = view.x / np.float32(wide), (view.y - y) / np.float32(thin), (view.z - z) / np.float32(thin)
        field = np.minimum(field, (np.sqrt(u * u + v * v + w * w) - 1) * np.float32(thin))
    return field.astype(np.float32)
