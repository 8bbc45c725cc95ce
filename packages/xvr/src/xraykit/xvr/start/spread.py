"""More starts around a start, for when it may be far off: the registration's capture range grows with them."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render.geometry import full_precision

from .start_errors import displaced_pose

TURN, DEPTH = 10.0, 60.0
"""How far [degrees, mm]: a start that is less wrong than this has a neighbour that is wrong by about half as much."""


@full_precision
def spread_starts(starts: Tensor, center: Tensor, *, turn: float = TURN, depth: float = DEPTH) -> Tensor:
    """Each start and its eight neighbours: turned about each camera axis, and moved along the beam, both ways.

    Args:
        starts: Camera to world, (S, V, 4, 4); the views of one start turn together, as the first one sees it.
        center: What the patient turns about, world RAS [mm], (3,).
        turn: Of a neighbour [degrees].
        depth: Of a neighbour along the first view's beam [mm].

    Returns:
        (9 S, V, 4, 4), the given ones first.
    """
    moves = [[0.0] * 6]
    for axis, size in enumerate((turn, turn, turn, 0.0, 0.0, depth)):
        moves += [[sign * size * (a == axis) for a in range(6)] for sign in (-1.0, 1.0) if size]
    around = []
    for move in moves:
        first = starts[:, 0].double()
        moved = displaced_pose(first, center, torch.tensor([move], dtype=torch.float64).expand(len(first), -1))
        world = moved @ torch.linalg.inv(first)
        around.append(world[:, None] @ starts.double())
    return torch.cat(around)
