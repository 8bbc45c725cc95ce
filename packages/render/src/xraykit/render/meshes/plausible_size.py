"""Whether a bounding box is that of something in an operating room, in millimetres."""

from __future__ import annotations

import torch
from torch import Tensor

SMALLEST, LARGEST = 0.3, 2000.0  # longest edge [mm]: the smallest tantalum beads, the longest guide wires
_METRES = 2.0  # a diagonal below this is most likely metres or inches
_COMPACT = 1.5  # longest by shortest edge of a bead
_INCHES = 6.0  # an implant in inches is most likely shorter than this


def implausible_size(size: Tensor) -> str | None:
    """What speaks against a bounding box of these edges (3,) in mm, or None.

    A bead, as long as wide, may have 0.3 mm; anything else with a diagonal below 2 is most likely in metres or inches.
    """
    longest, diagonal = float(size.max()), float(torch.linalg.vector_norm(size))
    bead = float(size.min()) * _COMPACT >= longest >= SMALLEST
    if diagonal < _METRES and not bead:
        return f"the bounding box is {_box(size)}, which looks like metres (scale 1000) or inches (scale 25.4)"
    if longest > LARGEST:
        return f"the bounding box is {_box(size)}, which looks like micrometres (scale 0.001)"
    return None


def possible_inches(size: Tensor) -> str | None:
    """What to say of a small box of which nobody named the unit, or None."""
    if float(size.max()) >= _INCHES:
        return None
    return f"mm were assumed; the bounding box is {_box(size)}, which may be inches (scale 25.4)"


def _box(size: Tensor) -> str:
    return " x ".join(f"{edge:.4g}" for edge in size.tolist())
