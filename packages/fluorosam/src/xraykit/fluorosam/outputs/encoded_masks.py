"""Masks as COCO's compressed run lengths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError


def run_lengths(mask: NDArray[np.bool_]) -> dict[str, object]:
    r"""A mask as {"size": [H, W], "counts": text}, which pycocotools reads.

    Runs go down the columns and begin with background. From the fourth on a run is written as the difference to the
    one two before it; a number is cut into groups of five bits, the lowest first, until the rest is its sign alone; a
    character is 48 + group, + 32 if more follow.

    Args:
        mask: (H, W) bool.

    Raises:
        InputError: Another shape or type, or no pixels.

    Source: the format of COCO's annotations (pycocotools), derived from its documentation.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_ or not mask.size:
        raise InputError(f"a mask must be (H, W) bool, got {mask.shape} {mask.dtype}.")
    flat = mask.T.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    borders = [0, *([0] if flat[0] else []), *changes.tolist(), len(flat)]
    runs = np.diff(borders).tolist()
    numbers = runs[:3] + [run - before for run, before in zip(runs[3:], runs[1:], strict=False)]
    height, width = mask.shape
    return {"size": [height, width], "counts": "".join(map(_letters, numbers))}


def _letters(number: int) -> str:
    text, more = "", True
    while more:
        group, number = number & 31, number >> 5
        more = number != (-1 if group & 16 else 0)
        text += chr(48 + group + (32 if more else 0))
    return text
