"""Skin, subcutaneous fat and muscle of a whole figure, from the flesh of its parts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..canvas import FAR, Array, smooth_union
from ..texture import fat_streaks
from .figure import Figure, Flesh

SKIN = 1.8
SKIN_HU, FAT_HU, MUSCLE_HU = 25.0, -95.0, 52.0
SEAM = 18.0


def paint_flesh(figure: Figure, parts: Iterable[Flesh], seed: int = 0) -> Array:
    """Paint skin, fat and muscle, parts run together without a seam; returns the distance to the skin [world mm].

    Muscle is less bright in the old, and fat streaks it with age and weight (Goodpaster et al., J Appl Physiol 89,
    2000); seed is that of the streaks.
    """
    canvas = figure.canvas
    shape = canvas.hu.shape
    skin, muscle = np.full(shape, FAR, np.float32), np.full(shape, FAR, np.float32)
    for part in parts:
        window = part.region.window
        distance = np.broadcast_to(part.distance, skin[window].shape)
        skin[window] = smooth_union(skin[window], distance - part.fat, SEAM)
        muscle[window] = smooth_union(muscle[window], distance, SEAM / 2)
    whole = canvas.whole()
    build = figure.physique
    tone = np.float32(MUSCLE_HU - 0.2 * (build.age - 45))
    degree = float(np.clip(0.5 + 0.012 * (build.age - 40) + 0.04 * (build.bmi - 25), 0.15, 2.0))
    streaks = fat_streaks(shape, canvas.spacing, degree, figure.rng(seed, "muscle"))
    canvas.paint(whole, skin, SKIN_HU)
    canvas.paint(whole, skin + SKIN, FAT_HU)
    canvas.paint(whole, np.maximum(muscle, skin + SKIN), tone - streaks)
    return skin
