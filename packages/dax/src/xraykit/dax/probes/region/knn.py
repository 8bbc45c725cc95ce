"""Votes of the nearest training images, which need no training at all."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import InputError

from ...train.neighbours import neighbour_votes


def knn_shares(
    known: NDArray[np.floating],
    classes: NDArray[np.intp],
    asked: NDArray[np.floating],
    count: int,
    *,
    neighbours: int = 20,
    temperature: float = 0.07,
) -> Tensor:
    """Each class's share of the votes of the nearest features by cosine; a vote weighs exp(cosine / temperature).

    Args:
        known: Training features, (N, D).
        classes: Theirs, 0 to count - 1, (N,).
        asked: Features to classify, (M, D).
        count: K.
        neighbours: How many vote; all of them where there are fewer.
        temperature: The smaller, the more the nearest count.

    Returns:
        (M, K) float64, rows sum to 1.

    Raises:
        InputError: Fewer than one neighbour, or features that are not finite.

    Source: the k-NN evaluation of DINO (Caron et al. 2021); Wu et al. 2018.
    """
    a, b = (torch.as_tensor(np.asarray(values, dtype=np.float64)) for values in (asked, known))
    if neighbours < 1 or not bool(a.isfinite().all() and b.isfinite().all()):
        raise InputError(f"neighbours must be 1 or more and features finite, got {neighbours} neighbours.")
    labels = torch.as_tensor(np.asarray(classes, dtype=np.int64))
    return neighbour_votes(a, b, labels, k=neighbours, temperature=temperature, classes=count)
