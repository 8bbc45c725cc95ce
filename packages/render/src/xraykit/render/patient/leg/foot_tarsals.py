"""The seven tarsal bones in the foot's frame: axis of the ankle through the origin, sole at z = -70."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..body.figure import Figure
from ..body.frames import Matrix, move_by, turn_about
from ..body.skeleton import Side
from ..body.solids import apart, corner, cut_back, piecewise_linear, rounded_box
from ..canvas import Array, Canvas, Region, ellipsoid, merge, smooth_union
from .shape import LegShape
from .solids import seen

TROCHLEA, GAP, TOE_OUT = 20.0, 3.4, 10.0
"""Radius of the talar trochlea and joint space of the ankle [mm]; turn of its axis outwards [degrees]. Radius
20.7 (2.6), breadth 29.9 (2.6) in front and 25.2 (3.7) mm behind: Hayes et al., Iowa Orthop J 26, 2006."""
_SPACE = 1.6


def paint_tarsals(figure: Figure, side: Side, shape: LegShape) -> None:
    """Paint talus, calcaneus, navicular, cuboid and cuneiforms, all with the tarsals' label."""

    def all_seven(canvas: Canvas) -> tuple[Region, Array]:
        return merge(canvas, list(tarsals(canvas, shape).values()))

    figure.paint_bone(f"tarsal_{side}", all_seven, frame=f"foot_{side}", cortex=1.1, shell=900.0, core=310.0)


def tarsals(canvas: Canvas, shape: LegShape) -> dict[str, tuple[Region, Array]]:
    """Region and distance field of each tarsal bone; neighbours are cut to congruent surfaces."""
    region = canvas.region((-42, -62, -64), (44, 96, 30))
    upper = region.part(canvas.window((-34, -34, -40), (32, 54, 26)))
    hind = region.part(canvas.window((-30, -62, -64), (34, 42, -2)))
    front = region.part(canvas.window((-40, 30, -60), (44, 96, 2)))
    bones = {"talus": (upper, talus(upper)), "calcaneus": (hind, calcaneus(hind))}
    bones["calcaneus"] = cut_back(bones["calcaneus"], bones["talus"], 2.2)
    for name, field in midfoot(front, shape).items():
        bones[name] = (front, field)
        for neighbour in ("talus", "calcaneus"):
            bones[name] = cut_back(bones[name], bones[neighbour], _SPACE)
    return bones


def mortise(region: Region, height: float) -> Array:
    """Distance to the room in which the talus turns, for tibia or fibula; `height` is that of the ankle's axis."""
    view = seen(region, move_by(0, 0, height) @ turn_about("z", -TOE_OUT))
    room = np.hypot(view.y, view.z) - np.float32(TROCHLEA + GAP)
    below = np.maximum(np.abs(view.y) - 30, np.maximum(view.z, -view.z - 40))
    return corner(np.minimum(room, below), _flanks(view) - np.float32(GAP), 2.0)


def _flanks(view: Region) -> Array:
    """Distance to the sides of the trochlea, wider in front."""
    return (np.abs(view.x + np.float32(0.5)) - (14.5 + np.float32(0.06) * view.y)).astype(np.float32)


def talus(region: Region) -> Array:
    """Distance to the talus: trochlea, neck, head, posterior and lateral processes."""
    view = seen(region, turn_about("z", -TOE_OUT))
    drum = np.hypot(view.y, view.z) - np.float32(TROCHLEA)
    groove = np.float32(1.2) * np.exp(-np.square(view.x / np.float32(6)))
    drum = corner(drum + groove, np.maximum(_flanks(view), np.abs(view.y) - 19), 3.0)
    field = corner(drum, -view.z - 9, 3.0)
    field = smooth_union(
        field, rounded_box(seen(region, move_by(-0.5, 2, -3) @ turn_about("z", -6)), (14, 19, 11), 6), 4.0
    )
    neck = seen(region, move_by(-5, 24, -5) @ turn_about("z", 16) @ turn_about("x", -14))
    field = smooth_union(field, rounded_box(neck, (11, 14, 9), 7), 6.0)
    head = seen(region, move_by(-9, 30, -11) @ turn_about("z", 14) @ turn_about("y", 38))
    field = smooth_union(field, ellipsoid(head, (0, 0, 0), (16.5, 13.5, 12.5)), 3.0)
    field = smooth_union(field, ellipsoid(region, (-1, -17, -9), (8, 6.5, 5.5)), 4.0)
    field = smooth_union(field, ellipsoid(region, (15.5, 0, -10), (6, 8, 6)), 4.0)
    # The facet for the calcaneus: a vault across the axis of the subtalar joint; the sinus tarsi in front of it.
    vault = seen(region, move_by(2, -9, -38) @ turn_about("z", -40))
    field = apart(field, np.hypot(vault.y, vault.z) - np.float32(23.0), 0.0)
    sinus = seen(region, move_by(10, 15, -19) @ turn_about("z", -40))
    return apart(field, ellipsoid(sinus, (0, 0, 0), (22, 6, 8.5)), 0.0)


def calcaneus(region: Region) -> Array:
    """Distance to the calcaneus before the talus is cut from it: tuber, body, sustentaculum, anterior process.

    Length 82 mm, Boehler's angle about 30 degrees.
    """
    x = region.x - (np.float32(4.0) - np.float32(0.09) * (region.y + 10))
    knots = (-54, -48, -40, -28, -18, -8, 2, 10, 18, 26, 33)
    top = piecewise_linear(region.y, knots, (-33, -27, -24.5, -24, -21, -15, -18, -26, -25.5, -23, -25))
    low = piecewise_linear(region.y, knots, (-48, -55, -57.5, -56.5, -53, -50.5, -48.5, -47.5, -47, -47, -46))
    wide = piecewise_linear(region.y, knots, (12, 14.5, 14.5, 13, 12.5, 13, 13, 12, 11, 11.5, 12))
    upright = np.float32(0.92) * np.maximum(region.z - top, low - region.z)
    field = corner(np.abs(x) - wide, upright, 6.0)
    field = corner(field, np.abs(region.y + np.float32(10.5)) - np.float32(43.5), 7.0)
    field = smooth_union(field, ellipsoid(region, (6, -8, -25), (14, 13, 11)), 4.0)
    return smooth_union(field, ellipsoid(region, (-12, 8, -26), (10, 10, 5)), 4.0)


def midfoot(region: Region, shape: LegShape) -> dict[str, Array]:
    """Navicular, cuboid and cuneiforms: blocks that share out the room between them."""
    rise = shape.arch
    blocks: dict[str, tuple[Matrix, Sequence[float], float]] = {
        "navicular": (move_by(-13, 48, -18 + rise) @ turn_about("z", 12) @ turn_about("y", 35), (21, 9.5, 13.0), 5.0),
        "cuboid": (move_by(19, 51, -40) @ turn_about("z", -8) @ turn_about("y", 25), (13.0, 18.5, 12), 5.0),
        "medial": (move_by(-21, 71, -29 + rise) @ turn_about("z", 6) @ turn_about("y", 18), (9.0, 13.5, 16), 5.0),
        "middle": (move_by(-6, 66, -19 + rise) @ turn_about("y", 2), (9.5, 11.0, 12.5), 4.5),
        "lateral": (move_by(8, 68, -23.5 + rise) @ turn_about("z", -3) @ turn_about("y", -12), (9.0, 12.5, 13), 4.5),
    }
    fields = {
        name: rounded_box(seen(region, motion), half, rounding) for name, (motion, half, rounding) in blocks.items()
    }
    # The navicular holds the talar head in a bowl and bulges to the front.
    bulge = np.hypot(region.x + 10, (region.y - 26)) - np.float32(33.5)
    fields["navicular"] = corner(fields["navicular"], bulge.astype(np.float32), 2.0)
    tuber = ellipsoid(region, (-32, 42, -25 + rise), (6, 8, 7))
    fields["navicular"] = smooth_union(fields["navicular"], tuber, 5.0)
    return {name: _share(name, fields) for name in fields}


def _share(name: str, fields: dict[str, Array]) -> Array:
    """A block cut where its neighbours are as near as it is, half a joint space before."""
    field = fields[name]
    for other, neighbour in fields.items():
        if other != name:
            field = np.maximum(field, (fields[name] - neighbour + np.float32(1.2)) / 2)
    return field.astype(np.float32)
