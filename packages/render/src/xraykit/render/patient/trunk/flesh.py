"""The trunk's envelope: skin, subcutaneous fat, muscle, the abdominal cavity, the diaphragm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..body.trunk_shape import ATLAS, TrunkShape, section, spine_y
from ..canvas import Array, Canvas, Region, ellipsoid, smooth_union, tube

SIDES = (("right", 1), ("left", -1))


def paint_body(canvas: Canvas) -> None:
    """Skin, subcutaneous fat, muscle, and the fat of the abdominal cavity of a torso with stumps; no labels."""
    region = canvas.whole()
    skin = _with_stumps(canvas, trunk_surface(region))
    canvas.paint(region, skin, 30.0)
    inside = skin + 2
    canvas.paint(region, inside, -95.0)
    muscle = inside + trunk_fat(region)
    canvas.paint(region, muscle, 45.0)
    paint_cavity(canvas, region, muscle)


def trunk_fat(region: Region) -> Array:
    """Thickness of the subcutaneous fat at each height [mm]."""
    fat = np.interp(region.z[:, 0, 0], (-200, -90, 60, 200, 330, 480), (15, 20, 14, 9, 7, 4))
    return fat.astype(np.float32)[:, None, None]


def paint_cavity(canvas: Canvas, region: Region, muscle: Array, shape: TrunkShape = ATLAS) -> None:
    """The fat of the abdominal cavity, within `muscle` mm of the muscles' surface; no label."""
    cavity = np.maximum(muscle + 13, diaphragm(region, shape) + 4)
    cavity = np.maximum(cavity, -(region.z + 105))
    behind = spine_y(region.z[:, 0, 0]).astype(np.float32)[:, None, None] - 8 - region.y
    behind = behind - np.clip(np.abs(region.x) - 40, 0, 40) * np.float32(0.9)  # the flanks reach further back
    cavity = smooth_max(cavity, np.broadcast_to(behind, cavity.shape), 12)
    pelvis = ellipsoid(region, (0, 4, 40), (128, 100, 140))
    canvas.paint(region, np.maximum(cavity, np.where(region.z < 60, pelvis, -1)), -80.0)


def trunk_surface(region: Region, shape: TrunkShape = ATLAS) -> Array:
    """Distance to the skin of a torso without limbs; buttocks and perineum round off below the hip joints."""
    z = region.z[:, 0, 0]
    outline = shape.outline()
    width, back, front = (np.interp(z, outline[:, 0], outline[:, n]) for n in (1, 2, 3))
    trunk = section(region, width, back, front, 2.4)
    return smooth_max(trunk, -150 - region.z - 0.35 * np.abs(region.x), 24)


def _with_stumps(canvas: Canvas, field: Array) -> Array:
    """The torso with thighs and raised arms."""
    for _, sign in SIDES:
        thigh, leg = tube(
            canvas, [(sign * 92, -12, -60), (sign * 97, -10, -130), (sign * 102, -6, -270)], [88, 87, 80], margin=45
        )
        arm, limb = tube(
            canvas,
            [(sign * 120, -30, 400), (sign * 166, -22, 445), (sign * 196, -4, 520), (sign * 204, 4, 640)],
            [58, 50, 45, 42],
            margin=45,
        )
        for part, distance, blend in ((thigh, leg, 40), (arm, limb, 40)):
            field[part.window] = smooth_union(field[part.window], distance, blend)
    return field


def diaphragm(region: Region, shape: TrunkShape = ATLAS) -> Array:
    """Height of each point above the diaphragm: positive in the chest, negative in the abdomen [mm]."""
    domes = []
    for sign, top, center in ((1, 264.0, 60.0), (-1, 250.0, 64.0)):
        u = (np.float32(sign) * region.x - np.float32(center * shape.chest_width)) / np.float32(74 * shape.chest_width)
        v = (region.y - 12) / np.where(region.y < 12, 98, 108 + shape.forward(280.0)).astype(np.float32)
        domes.append(np.float32(top + shape.diaphragm) - 48 * (u * u + v * v) ** 0.92)
    return (region.z - np.maximum(*domes)).astype(np.float32) * np.float32(0.8)


def smooth_max(first: Array, second: Array, blend: float) -> Array:
    """Intersection of two distances with a rounded edge of about `blend` mm."""
    return -smooth_union(-first, -second, blend)


def lifted(region: Region, height: float) -> Region:
    """The region as bodies see it that stand `height` mm higher than in the atlas."""
    return Region(region.window, region.x, region.y, region.z - np.float32(height))


def relabel(canvas: Canvas, region: Region, where: NDArray[np.bool_], label: int) -> None:
    """Give voxels of a region a label without touching their HU."""
    canvas.labels[region.window][where] = label
