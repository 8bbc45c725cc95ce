"""Letters at the edges of an X-ray: which side of the patient lies there, as radiographs are lettered."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

SIDES = (("R", "L"), ("A", "P"), ("H", "F"))
"""Letters of the directions of world RAS: towards plus, towards minus."""
OBLIQUE = 0.38  # a second letter once a direction leaves an axis by more than 22 degrees


class EdgeLetters(NamedTuple):
    """What lies beyond each edge of the shown picture, in letters R L A P H F."""

    left: str
    right: str
    top: str
    bottom: str


def directions_at_edges(pose: Tensor, *, mirrored: bool = False) -> EdgeLetters:
    """The patient's directions at the edges of the picture.

    Args:
        pose: Camera to world, (1, 4, 4) or (4, 4); columns 0 and 1 of its rotation are image right and image down.
        mirrored: The picture is shown flipped left to right.

    Returns:
        One or two letters per edge, the nearer direction first.
    """
    right, down = (pose.reshape(4, 4)[:3, axis].detach().cpu().double() for axis in (0, 1))
    right = -right if mirrored else right
    return EdgeLetters(*(_letters(towards.tolist()) for towards in (-right, right, -down, down)))


def _letters(towards: list[float]) -> str:
    order = sorted(range(3), key=lambda axis: -abs(towards[axis]))[:2]
    kept = [axis for n, axis in enumerate(order) if n == 0 or abs(towards[axis]) > OBLIQUE]
    return "".join(SIDES[axis][0 if towards[axis] > 0 else 1] for axis in kept)
