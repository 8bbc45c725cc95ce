"""Organs that fill the room they are given until they have a wanted volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..canvas import Array, Canvas, Region

_STEP = 5.0
Corners = tuple[tuple[float, float, float], tuple[float, float, float]]


class OrganShape(NamedTuple):
    """An organ's shape and its room, as distances on one region [mm]."""

    body: Array
    room: Array


def growth(solid: Callable[[Region], OrganShape], box: Corners, volume: float) -> float:
    r"""By how much a body's surface must move out for the organ to have a volume, in mm; negative is in.

        | { x : body(x) < growth and room(x) < 0 } | = volume

    measured on voxels of 5 mm, so that it does not depend on the grid that is painted on. A room smaller than the
    volume is filled.

    Args:
        solid: Shape and room on a region.
        box: Two corners that the organ stays within [mm].
        volume: What it must hold [ml].
    """
    body, room = (np.asarray(field) for field in solid(Canvas(*box, _STEP).whole()))
    inside = np.sort(np.broadcast_to(body, room.shape)[room < 0])
    wanted = round(volume * 1000 / _STEP**3)
    return float(inside[min(wanted, len(inside) - 1)]) if len(inside) else 0.0


def swollen(solid: OrganShape, by: float) -> Array:
    """Distance to the organ whose body has grown by some mm within its room."""
    return np.maximum(solid.body - np.float32(by), solid.room).astype(np.float32)
