"""Metatarsals, phalanges and sesamoids in the foot's frame."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..body.figure import Figure
from ..body.frames import Matrix
from ..body.skeleton import Side
from ..body.solids import apart, corner
from ..canvas import Array, Canvas, Coordinates, Region, ellipsoid, smooth_union
from .foot_tarsals import midfoot
from .shape import LegShape
from .solids import loft, oval, seen


class Ray(NamedTuple):
    """A metatarsal from the middle of its base to that of its head, and the ends of the phalanges beyond [local mm]."""

    base: Coordinates
    head: Coordinates
    joints: tuple[Coordinates, ...]
    """Middles of the joint spaces of the toe, from the metatarsal's on, then the tip."""


def rays(shape: LegShape) -> tuple[Ray, ...]:
    """The five rays, big toe first.

    In a foot of 267 mm (0.152 of stature: Winter, Biomechanics, 2009) metatarsals are 63, 76, 70, 67 and 63 mm long,
    phalanges of the big toe 33 and 24, proximal ones of the others 27, 25, 23 and 21 mm.
    """
    a, second = shape.arch, shape.second_toe
    bases = ((-22, 85.5, -30 + a), (-7, 77.5, -21.5 + a), (8, 82.5, -26 + a), (18.5, 71.5, -37), (28.5, 66, -46))
    heads = (
        (-30.0, 144.5, -49.0),
        (-9.5, 150 + second, -52),
        (6.5, 147, -53.5),
        (21.5, 136, -55),
        (36.0, 123.5, -56.5),
    )
    lengths = ((33.5, 25.0), (28, 14, 13), (26, 12, 12), (24, 9.5, 11.5), (21.5, 8, 10.5))
    turns = (shape.hallux - 9.0, 1.0, -1.0, -4.0, -9.0)  # degrees towards the little toe
    slopes = ((4, 0), (14, -16, -30), (13, -18, -32), (11, -20, -32), (8, -20, -30))  # above the ground
    found = []
    for base, head, toe, turn, slope in zip(bases, heads, lengths, turns, slopes, strict=True):
        b, h = np.array(base, dtype=np.float64), np.array(head, dtype=np.float64)
        along = (h - b) / np.linalg.norm(h - b)
        points = [h + along * (9.5 if len(found) == 0 else 7.5)]
        for n, (length, up) in enumerate(zip(toe, slope, strict=True)):
            yaw = np.radians(turn + (4.0 if n and not found else 0.0))
            pitch = np.radians(up)
            step = np.array([np.sin(yaw) * np.cos(pitch), np.cos(yaw) * np.cos(pitch), np.sin(pitch)])
            points.append(points[-1] + (length + (1.8 if len(toe) == 2 else 2.4)) * step)
        found.append(Ray(b, h, tuple(points)))
    return tuple(found)


def paint_rays(figure: Figure, side: Side, shape: LegShape) -> None:
    """Paint metatarsals and sesamoids with the metatarsals' label, then the phalanges."""
    frame = f"foot_{side}"
    options: dict[str, Any] = {"shell": 1050.0, "frame": frame}
    for number, ray in enumerate(rays(shape)):
        shaft = _hollow(ray.base, ray.head, 1.3 if number else 1.6)
        figure.paint_bone(
            f"metatarsal_{side}", lambda c, n=number, r=ray: metatarsal(c, n, r, shape), **shaft, **options
        )
        for n, ends in enumerate(pairwise(ray.joints)):
            shaft = _hollow(*ends, 0.9 if number else 1.3)
            figure.paint_bone(
                f"phalanges_feet_{side}", lambda c, k=number, n=n, r=ray: phalanx(c, k, n, r), **shaft, **options
            )
    figure.paint_bone(f"metatarsal_{side}", lambda c: sesamoids(c, rays(shape)[0]), cortex=1.4, core=380.0, **options)


def _hollow(start: Coordinates, end: Coordinates, more: float) -> dict[str, Any]:
    """Cortex and core of a small long bone: thin and spongy at its ends, `more` mm thicker with marrow between."""
    step = (end - start) / float((end - start) @ (end - start))

    def share(region: Region) -> Array:
        along = sum((np.float32(d) * (c - np.float32(o)) for d, c, o in zip(step, region.axes, start, strict=True)))
        return np.clip(np.float32(2.6) * (1 - np.abs(2 * along - 1)), 0, 1).astype(np.float32)

    return {"cortex": lambda r: 0.9 + more * share(r), "core": lambda r: 270 - 230 * share(r)}


def along(start: Coordinates, end: Coordinates) -> Matrix:
    """Coordinates with z from start to end, x to the side, y towards the sole."""
    z = (end - start) / np.linalg.norm(end - start)
    x = np.cross((0.0, 0.0, 1.0), -z)
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    matrix[:3, 3] = start
    return matrix


def metatarsal(canvas: Canvas, number: int, ray: Ray, shape: LegShape) -> tuple[Region, Array]:
    """Region and distance field of a metatarsal: wedged base against the tarsals, waisted shaft, round head."""
    region = canvas.region(np.minimum(ray.base, ray.head) - 22, np.maximum(ray.base, ray.head) + 14)
    field = _metatarsal(region, number, ray)
    for tarsal in midfoot(region, shape).values():
        field = apart(field, tarsal, 1.5)
    if number > 0:
        field = apart(field, _metatarsal(region, number - 1, rays(shape)[number - 1]), 1.2)
    return region, field


def _metatarsal(region: Region, number: int, ray: Ray) -> Array:
    """Distance to a metatarsal before its neighbours are cut from it."""
    length = float(np.linalg.norm(ray.head - ray.base))
    view = seen(region, along(ray.base, ray.head))
    w = (1.0, 1.0, 0.95, 1.0, 1.08)[number]
    if number == 0:
        sections = [
            oval(-14, 0, 1, 10, 14, 10, 14),
            oval(0, 0, 1, 10, 14, 10, 14),
            oval(8, 0, 1, 9, 13, 9, 13),
            oval(20, 0, 0, 6.8, 7.5, 6.8, 8),
            oval(32, 0, 0, 6.2, 6.5, 6.2, 6.5),
            oval(length - 14, 0, 0, 8, 7.5, 8, 7.5),
            oval(length - 2, 0, 0, 10.5, 9.5, 10.5, 9.5),
            oval(length + 8, 0, 0, 9.5, 9, 9.5, 9),
        ]
        field = corner(loft(view, sections), view.z - np.float32(length - 3), 2.0)
        field = smooth_union(field, ellipsoid(view, (0, 0, length - 3), (10.8, 10.2, 11.0)), 2.0)
    else:
        sections = [
            oval(-14, 0, -1, 7.2 * w, 9.5, 7.2 * w, 9),
            oval(0, 0, -1, 7.2 * w, 9.5, 7.2 * w, 9),
            oval(7, 0, -0.5, 6.8 * w, 8.2, 6.8 * w, 8),
            oval(17, 0, 0, 4.6 * w, 5.2, 4.6 * w, 5.2),
            oval(34, 0, 0.5, 3.8 * w, 4.2, 3.8 * w, 4.2),
            oval(length - 16, 0, 0.5, 3.9, 4.6, 3.9, 4.6),
            oval(length - 7, 0, 0, 5.2, 6.4, 5.2, 6.4),
            oval(length, 0, 0, 5.6, 7, 5.6, 7),
            oval(length + 6, 0, 0, 5.6, 7, 5.6, 7),
        ]
        field = corner(loft(view, sections, smooth=8.0), view.z - np.float32(length), 2.0)
        field = smooth_union(field, ellipsoid(view, (0, 0, length - 1), (5.9, 7.4, 7.2)), 2.0)
    field = corner(field, -view.z - 6, 3.0)
    if number == 4:
        field = smooth_union(field, ellipsoid(region, np.add(ray.base, (6.5, -5, -3)), (5.5, 9, 5.5)), 4.0)
    return field


def phalanx(canvas: Canvas, number: int, n: int, ray: Ray) -> tuple[Region, Array]:
    """Region and distance field of a phalanx; the last one ends in a tuft."""
    start, end = ray.joints[n], ray.joints[n + 1]
    region = canvas.region(np.minimum(start, end) - 14, np.maximum(start, end) + 14)
    view = seen(region, along(start, end))
    length = float(np.linalg.norm(end - start))
    size = (1.55, 1.0, 0.97, 0.95, 0.95)[number] * (1.0, 0.88 if number else 0.98, 0.8)[n]
    last = n == len(ray.joints) - 2
    waist, tip = (3.6, 4.7) if not last else (2.8, 4.2)
    inset = 0.9 if number == 0 else 1.3
    low, high = inset, length - inset
    sections = [
        oval(low, 0, 0, 6.7 * size, 5.6 * size, 6.7 * size, 5.6 * size),
        oval(low + 0.16 * length, 0, 0, 6.0 * size, 5.2 * size, 6.0 * size, 5.2 * size),
        oval(low + 0.5 * length, 0, 0, waist * size, 3.5 * size, waist * size, 3.5 * size),
        oval(high - 0.14 * length, 0, 0, 5.2 * size, 4.2 * size, 5.2 * size, 4.0 * size),
        oval(high, 0, 0, tip * size, (4.0 if not last else 2.8) * size, tip * size, (4.0 if not last else 2.8) * size),
    ]
    field = loft(view, sections, smooth=min(5.0, length / 3), rounding=1.5 * size)
    if n == 0:
        radius, back = (11.0, 3.0) if number == 0 else (7.2, 1.0)
        field = apart(field, ellipsoid(region, ray.head + back * (ray.base - ray.head) / 70, (radius,) * 3), 1.7)
    return region, field


def sesamoids(canvas: Canvas, ray: Ray) -> tuple[Region, Array]:
    """The two sesamoids below the head of the first metatarsal."""
    region = canvas.region(ray.head - 22, ray.head + 14)
    view = seen(region, along(ray.base, ray.head))
    y, z = 10.2 + 5.0, float(np.linalg.norm(ray.head - ray.base)) - 1.0
    pair = [ellipsoid(view, (x, y, z), (4.8, 3.8, 6.2)) for x in (-6.0, 6.4)]
    return region, np.minimum(*pair)
