"""Points as a user would set them: each where the answer before it is wrong."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class ErrorPoint(NamedTuple):
    """A pixel's centre (x, y), and 1 where the mask should have been, 0 where it should not."""

    x: float
    y: float
    label: int


def question_stream(seed: int, *facts: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on what is asked alone, whichever method is asked."""
    return np.random.default_rng([seed, *(zlib.crc32(fact.encode()) for fact in facts)])


def error_point(truth: Tensor, answer: Tensor | None, rng: np.random.Generator) -> ErrorPoint | None:
    """A point drawn uniformly from the pixels where an answer is wrong; None where it is right everywhere.

    Args:
        truth: (H, W) bool.
        answer: (H, W) bool; None, or nothing yet, is an empty one.
        rng: One number is drawn from it, whatever there is to choose from.

    Source: the interactive training of SAM (Kirillov et al., ICCV 2023), kept by FluoroSAM.
    """
    share = float(rng.random())
    wrong = truth if answer is None else truth ^ answer
    places = wrong.flatten().nonzero()[:, 0]
    if not len(places):
        return None
    place = int(places[min(int(share * len(places)), len(places) - 1)])
    row, column = divmod(place, truth.shape[1])
    return ErrorPoint(column + 0.5, row + 0.5, int(truth[row, column]))


def tight_box(mask: Tensor) -> Tensor:
    """The box (4,) around a mask with a pixel: left, top, right, bottom, pixel borders at whole numbers."""
    rows, columns = mask.any(dim=1).nonzero()[:, 0], mask.any(dim=0).nonzero()[:, 0]
    ends = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    return torch.stack(ends).float()
