"""Marked points as entries of a correspondence matrix: which are known, and what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .annotations import AnnotatedPoint

NEAR_WEIGHT = 0.5
"""Of patches within the radius of a positive point; the point's own patch has 1"""


@dataclass(frozen=True, eq=False)
class AnnotationTargets:
    """The N known entries of a pair of views; all others are unknown."""

    entries: NDArray[np.int64]
    """(N, 2) patch of the first view, patch of the second, row-major"""
    values: NDArray[np.float32]
    """(N,) 1 for a match, 0 for none"""
    weights: NDArray[np.float32]
    """(N,) of each in the loss"""
    outside: int = 0
    """Points that the network's input does not show"""
    contradicted: int = 0
    """Negative points in a patch pair that is positive as well; the positive one won"""

    def dense(self, grid: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Values and weights as (L, L) matrices, L = grid^2; a weight of 0 is unknown."""
        truth = np.zeros((grid**2, grid**2), dtype=np.float32)
        weight = np.zeros_like(truth)
        rows, columns = self.entries.T
        truth[rows, columns], weight[rows, columns] = self.values, self.weights
        return truth, weight


def annotation_targets(
    points: Sequence[AnnotatedPoint], to_input: Sequence[NDArray[np.float64]], *, grid: int, dilate: bool = True
) -> AnnotationTargets:
    """The entries that points tell of.

    A point (x, y) of a view lies in the patch floor(v G) G + floor(u G), with (u, v, 1) = A (x, y, 1). A positive point
    with a radius makes the patches whose middle is within it, in both views, positive with weight `NEAR_WEIGHT`. Where
    points contradict each other, a positive one wins.

    Args:
        points: Of one pair of views.
        to_input: A of each view, (3, 3): pixels of the original to shares of the network's input, 0 to 1.
        grid: Patches a side, G.
        dilate: Whether a radius counts.
    """
    positive: dict[tuple[int, int], float] = {}
    negative: set[tuple[int, int]] = set()
    outside = 0
    for point in points:
        places = [_share(matrix, place) for matrix, place in zip(to_input, (point.a, point.b), strict=True)]
        if not all(((place >= 0) & (place <= 1)).all() for place in places):
            outside += 1
            continue
        first, second = (_patch(place, grid) for place in places)
        if not point.match:
            negative.add((first, second))
            continue
        positive[first, second] = 1.0
        if dilate and point.radius:
            near = [
                _patches_near(place, point.radius * _scale(matrix), grid)
                for place, matrix in zip(places, to_input, strict=True)
            ]
            for entry in ((i, j) for i in near[0] for j in near[1]):
                positive[entry] = max(positive.get(entry, 0.0), NEAR_WEIGHT)
    contradicted = sum(positive.get(entry, 0.0) == 1.0 for entry in negative)
    negative = {entry for entry in negative if positive.get(entry, 0.0) < 1.0}
    positive = {entry: weight for entry, weight in positive.items() if entry not in negative}
    entries = [*positive, *sorted(negative)]
    values = [1.0] * len(positive) + [0.0] * len(negative)
    weights = [*positive.values(), *[1.0] * len(negative)]
    return AnnotationTargets(
        np.array(entries, dtype=np.int64).reshape(-1, 2),
        np.array(values, dtype=np.float32),
        np.array(weights, dtype=np.float32),
        outside,
        contradicted,
    )


def _share(matrix: NDArray[np.float64], place: tuple[float, float]) -> NDArray[np.float64]:
    return (matrix @ np.array([*place, 1.0]))[:2]


def _scale(matrix: NDArray[np.float64]) -> float:
    """Shares of the input per pixel of the original."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))


def _patch(share: NDArray[np.float64], grid: int) -> int:
    column, row = np.minimum(np.floor(share * grid), grid - 1).astype(int).tolist()  # so has the far border
    return row * grid + column


def _patches_near(share: NDArray[np.float64], radius: float, grid: int) -> list[int]:
    middles = (np.arange(grid) + 0.5) / grid
    distance = np.hypot(middles[None, :] - share[0], middles[:, None] - share[1])
    return np.flatnonzero(distance.reshape(-1) <= radius).tolist()
