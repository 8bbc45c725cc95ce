"""Skin, subcutaneous fat and muscle of a whole figure, from the flesh of its parts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..implicit import FAR, Array, smooth_union
from .figure import Figure, Flesh

SKIN = 1.8
SKIN_HU, FAT_HU, MUSCLE_HU = 25.0, -95.0, 48.0
SEAM = 18.0


def paint_flesh(figure: Figure, parts: Iterable[Flesh]) -> Array:
    """Paint skin, fat and muscle, parts run together without a seam; returns the distance to the skin [world mm]."""
    canvas = figure.canvas
    shape = canvas.hu.shape
    skin, muscle = np.full(shape, FAR, np.float32), np.full(shape, FAR, np.float32)
    for part in parts:
        window = part.region.window
        distance = np.broadcast_to(part.distance, skin[window].shape)
        skin[window] = smooth_union(skin[window], distance - part.fat, SEAM)
        muscle[window] = smooth_union(muscle[window], distance, SEAM / 2)
    whole = canvas.whole()
    canvas.paint(whole, skin, SKIN_HU)
    canvas.paint(whole, skin + SKIN, FAT_HU)
    canvas.paint(whole, np.maximum(muscle, skin + SKIN), MUSCLE_HU)
    return skin
