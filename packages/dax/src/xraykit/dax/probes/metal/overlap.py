"""Dice's overlap of two masks, from counts of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xraykit.render import InputError


def dice(truth: ArrayLike, found: ArrayLike, both: ArrayLike) -> NDArray[np.float64]:
    """2 both / (truth + found), elementwise; 1 where nothing is there and nothing was found.

    Args:
        truth: Pixels of the true mask.
        found: Pixels of the found one.
        both: Pixels of both.

    Raises:
        InputError: More pixels in both than in one of them, or a negative number.
    """
    t, f, b = (np.asarray(values, dtype=np.float64) for values in (truth, found, both))
    if (b < 0).any() or (b > np.minimum(t, f)).any():
        raise InputError("pixels of both masks must be 0 or more and at most those of each, got others.")
    total = t + f
    return np.where(total > 0, 2 * b / np.where(total > 0, total, 1), 1.0)
