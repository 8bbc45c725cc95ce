"""Masks written as COCO's compressed run lengths, read back without trusting them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError

MOST_PIXELS = 1 << 26


def decode_run_lengths(counts: str, size: tuple[int, int]) -> NDArray[np.bool_]:
    r"""The mask (H, W) whose runs, down the columns and beginning with background, are written in a text.

    Every number is cut into groups of five bits, the lowest first; a character is 48 + group, + 32 if more follow; the
    sign is that of the last group. From the fourth on a number is the difference to the one two before it.

    Args:
        counts: The text.
        size: (H, W) [px].

    Raises:
        FileError: The text is no such code, or its runs do not fill the mask.

    Source: the format of COCO's annotations (pycocotools), derived from its documentation.
    """
    height, width = size
    if not 0 < height * width <= MOST_PIXELS:
        raise FileError(f"a mask must have 1 to {MOST_PIXELS} pixels, got {height} x {width}.")
    runs = _numbers(counts)
    if len(runs) > 1:
        runs[1::2] = np.cumsum(runs[1::2])
        runs[2::2] = np.cumsum(runs[2::2])
    if (runs < 0).any() or (runs > height * width).any() or runs.sum() != height * width:
        raise FileError(f"the runs of a mask must fill its {height} x {width} pixels, got {counts[:60]!r}.")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def _numbers(counts: str) -> NDArray[np.int64]:
    """The signed numbers of the text."""
    groups = np.frombuffer(counts.encode("ascii", errors="replace"), dtype=np.uint8).astype(np.int64) - 48
    if not len(groups) or groups.min() < 0 or groups.max() > 63 or groups[-1] & 32:
        raise FileError(f"a mask must be written as compressed run lengths, got {counts[:60]!r}.")
    ends = np.flatnonzero((groups & 32) == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if (ends - starts).max() > 6:
        raise FileError(f"a run of a mask must be shorter than the mask, got {counts[:60]!r}.")
    shift = 5 * (np.arange(len(groups)) - np.repeat(starts, ends - starts + 1))
    numbers = np.add.reduceat((groups & 31) << shift, starts)
    negative = (groups[ends] & 16) != 0
    return numbers - (negative.astype(np.int64) << (5 * (ends - starts + 1)))
