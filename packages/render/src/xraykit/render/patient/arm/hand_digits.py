"""Where the bones of the five digits lie in the hand, from the flexion and spread of the fingers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.figure import Figure
from ..body.joint_angles import ArmAngles
from ..body.skeleton import Side
from ..canvas import Coordinates

# Length of metacarpal, proximal, middle and distal phalanx (Buryanov & Kotiuk, Int J Morphol 28, 2010, table 1).
LENGTHS = {
    1: (46.2, 31.6, 21.7),
    2: (68.1, 39.8, 22.4, 15.8),
    3: (64.6, 44.6, 26.3, 17.4),
    4: (58.0, 41.4, 25.7, 17.3),
    5: (53.7, 32.7, 18.1, 16.0),
}
JOINT_GAP = 1.7
# Base of the metacarpal, its direction, and the direction of the straight finger [degrees to the thumb's side; gain of
# spread].
_ROOTS = {
    2: ((13.5, -1.0, -18.6), (0.14, -0.01, -1.0), (2.0, 0.9)),
    3: ((1.5, -1.5, -22.0), (0.02, -0.02, -1.0), (0.5, 0.1)),
    4: ((-8.8, -1.0, -21.8), (-0.128, 0.01, -1.0), (-2.5, -0.7)),
    5: ((-17.5, 0.5, -19.8), (-0.27, 0.05, -1.0), (-7.0, -1.6)),
}
_THUMB_ROOT = (28.5, 9.0, -22.0)
_THUMB = ((0.52, 0.42, -0.74), (0.36, 0.34, -0.87), (0.30, 0.31, -0.90))  # its bones in light opposition
_THUMB_PALM = (-0.55, 0.80, 0.0)


@dataclass(frozen=True, eq=False)
class DigitBone:
    """A tubular bone of a digit.

    Args:
        digit: 1 thumb to 5 little finger.
        place: 0 metacarpal, 1 proximal phalanx and so on.
        last: It is the distal phalanx.
        base: Middle of its proximal end in the hand's frame [mm].
        direction: To its distal end, unit.
        palmar: Out of its palmar side, unit, across the direction.
        length: From end to end [mm].
    """

    digit: int
    place: int
    last: bool
    base: Coordinates
    direction: Coordinates
    palmar: Coordinates
    length: float

    @property
    def tip(self) -> Coordinates:
        """Its distal end."""
        return self.base + self.length * self.direction


def digits(figure: Figure, side: Side, seed: int) -> list[DigitBone]:
    """All metacarpals and phalanges, in the hand's frame, each digit from the wrist to the tip."""
    angles: ArmAngles = getattr(figure.skeleton.posture, f"arm_{side}")
    vary = figure.rng(seed, "digits").normal(0, 0.025, 5)
    bones: list[DigitBone] = []
    for digit, lengths in LENGTHS.items():
        scale = 1 + float(np.clip(vary[digit - 1], -0.05, 0.05))
        base = np.array(_THUMB_ROOT if digit == 1 else _ROOTS[digit][0])
        for place, length in enumerate(lengths):
            along, palmar = _thumb(place, angles) if digit == 1 else _finger(digit, place, angles)
            bone = DigitBone(digit, place, place == len(lengths) - 1, base, along, palmar, length * scale)
            bones.append(bone)
            base = bone.tip + JOINT_GAP * along
    return bones


def _finger(digit: int, place: int, angles: ArmAngles) -> tuple[Coordinates, Coordinates]:
    """Direction and palmar side; each joint adds to the flexion of those before it."""
    _, metacarpal, (turn, gain) = _ROOTS[digit]
    front = np.array((0.0, 1.0, 0.0))
    if place == 0:
        along = np.array(metacarpal) / np.linalg.norm(metacarpal)
        bend = 0.0
    else:
        phi = np.radians(turn + gain * angles.finger_spread)
        along = np.array((np.sin(phi), 0.0, -np.cos(phi)))
        bend = np.radians(angles.finger_flexion * (1.0, 2.2, 2.9)[place - 1])
    return _bent(along, front, float(bend))


def _thumb(place: int, angles: ArmAngles) -> tuple[Coordinates, Coordinates]:
    along = np.array(_THUMB[place]) / np.linalg.norm(_THUMB[place])
    return _bent(along, np.array(_THUMB_PALM), float(np.radians(0.5 * place * angles.finger_flexion)))


def _bent(along: Coordinates, front: Coordinates, bend: float) -> tuple[Coordinates, Coordinates]:
    palmar = front - (front @ along) * along
    palmar /= np.linalg.norm(palmar)
    return np.cos(bend) * along + np.sin(bend) * palmar, np.cos(bend) * palmar - np.sin(bend) * along
