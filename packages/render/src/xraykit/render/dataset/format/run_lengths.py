"""Masks as COCO's compressed run lengths: written, and read back without trusting them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, InputError

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


def encode_run_lengths(mask: NDArray[np.bool_]) -> dict[str, object]:
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


def _letters(number: int) -> str:
    text, more = "", True
    while more:
        group, number = number & 31, number >> 5
        more = number != (-1 if group & 16 else 0)
        text += chr(48 + group + (32 if more else 0))
    return text
