"""Where bones break: the common fractures of each region, in the frames of the bones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .body.figure import Fracture
from .body.frames import Matrix, move_by, turn_about
from .body.regions import Triple
from .canvas import Array, Region


@dataclass(frozen=True)
class FractureSite:
    """A typical fracture of a limb's bone, right side, in the bone's frame [reference adult's mm].

    Args:
        name: What it is called.
        bone: Label without its side.
        frame: Frame without its side.
        point: Middle of the break.
        normal: From the part that stays to the fragment.
        carries: Whether the rest of the limb moves with the fragment.
        shift, turn: Typical displacement of the fragment [mm, degrees].
        length: Typical shortening along the normal [mm]; negative gapes.
        regions: Regions in which it is looked for.
    """

    name: str
    bone: str
    frame: str
    point: Triple
    normal: Triple
    carries: bool
    shift: float
    turn: float
    length: float
    regions: tuple[str, ...]

    def draw(self, rng: np.random.Generator) -> Fracture:
        """A random break at this site: its plane, its teeth and its displacement vary.

        The displacement is a rotation about the break and a translation across it, half to one and a half times the
        typical ones; the break's teeth are 1-2 mm.
        """
        normal = np.array(self.normal) + rng.normal(0, 0.18, 3)
        normal /= np.linalg.norm(normal)
        point = np.array(self.point) + rng.normal(0, 2.0, 3)
        across = np.linalg.svd(normal[None])[2][1:]
        angles = rng.normal(0, self.turn / np.sqrt(3), 3)
        angle = rng.uniform(0, 2 * np.pi)
        slide = self.shift * rng.uniform(0.5, 1.5) * (np.cos(angle) * across[0] + np.sin(angle) * across[1])
        slide = slide - self.length * rng.uniform(0.5, 1.5) * normal
        turn = turn_about("x", angles[0]) @ turn_about("y", angles[1]) @ turn_about("z", angles[2])
        motion = move_by(*(point + slide)) @ turn @ move_by(*(-point))
        return Fracture(_rough_plane(point, normal, across, rng), motion)


def _rough_plane(point: NDArray, normal: NDArray, across: NDArray, rng: np.random.Generator):
    """Distance to a plane with teeth: n . (p - c) + sum of two waves across it."""
    waves = [(across[k], rng.uniform(0.5, 1.1), rng.uniform(5, 11), rng.uniform(0, 2 * np.pi)) for k in (0, 1)]

    def surface(region: Region) -> Array:
        offset = [axis - np.float32(c) for axis, c in zip(region.axes, point, strict=True)]
        field = _dot(normal, offset)
        for direction, height, length, phase in waves:
            field = field + np.float32(height) * np.sin(
                _dot(direction, offset) * np.float32(2 * np.pi / length) + phase
            )
        return field.astype(np.float32)

    return surface


def _dot(direction: NDArray, offset: list[Array]) -> Array:
    x, y, z = (np.float32(d) * o for d, o in zip(direction, offset, strict=True))
    return x + y + z


_DOWN = (0.0, 0.0, -1.0)
SITES: tuple[FractureSite, ...] = (
    FractureSite(
        "femoral neck fracture",
        "femur",
        "femur",
        (20, -4, -19),
        (0.71, -0.15, -0.68),
        True,
        4,
        8,
        4,
        ("hip", "abdomen_pelvis"),
    ),
    FractureSite(
        "intertrochanteric fracture", "femur", "femur", (36, -6, -45), (0.8, 0, -0.6), True, 6, 8, 5, ("hip",)
    ),
    FractureSite("distal femoral fracture", "femur", "femur", (7, 13, -362), _DOWN, True, 7, 6, 8, ("knee",)),
    FractureSite("tibial plateau fracture", "tibia", "tibia", (22, 0, -40), (0.85, 0, 0.5), False, 3, 3, 4, ("knee",)),
    FractureSite(
        "transverse patellar fracture", "patella", "patella", (1.5, 49, 6), (0, 0, 1.0), False, 1.5, 4, -5, ("knee",)
    ),
    FractureSite(
        "tibial shaft fracture", "tibia", "tibia", (0, 0, -330), (0.3, 0, -0.95), True, 6, 4, 6, ("ankle_foot",)
    ),
    FractureSite(
        "lateral malleolar fracture",
        "fibula",
        "tibia",
        (24, -8, -392),
        (0.3, 0.3, -0.9),
        False,
        2.5,
        4,
        -1,
        ("ankle_foot",),
    ),
    FractureSite(
        "surgical neck fracture of the humerus", "humerus", "humerus", (9, 2, -46), _DOWN, True, 7, 10, 6, ("shoulder",)
    ),
    FractureSite(
        "supracondylar fracture of the humerus", "humerus", "humerus", (0, -8, -268), _DOWN, True, 4, 8, 2, ("elbow",)
    ),
    FractureSite(
        "olecranon fracture", "ulna", "forearm", (-8, -18, -6), (0, -0.5, 0.87), False, 1.5, 4, -5, ("elbow",)
    ),
    FractureSite(
        "distal radial fracture", "radius", "radius", (12, 0, -226), (0, 0.3, -0.95), True, 3, 10, 3, ("wrist_hand",)
    ),
)
"""The fractures that a patient may have."""


def sites_of(region: str) -> tuple[FractureSite, ...]:
    """The fractures looked for in a region."""
    return tuple(site for site in SITES if region in site.regions)


def resected_neck() -> Fracture:
    """The femur without head and neck, as it is cut for a stem: 45 degrees, a finger's breadth above the trochanter."""
    normal, point = np.array([-0.72, 0.0, 0.69]), np.array([22.0, 0.0, -24.0])

    def surface(region: Region) -> Array:
        return _dot(normal, [axis - np.float32(c) for axis, c in zip(region.axes, point, strict=True)])

    return Fracture(surface, None)


def crush(center: Triple, height: float) -> Matrix:
    """A vertebra compressed to a share of its height about its lower end plate's level, as an affine motion (4, 4)."""
    squeeze = np.eye(4)
    squeeze[2, 2] = height
    return move_by(*center) @ squeeze @ move_by(*(-np.array(center)))
