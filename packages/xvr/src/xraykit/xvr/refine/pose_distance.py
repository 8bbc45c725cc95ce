"""How far apart two poses see the same points, and the candidates of which none is nearly another."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from xraykit.render.geometry import full_precision, rigid_inverse, transform_points


def seen_points(poses: Tensor, points: Tensor) -> Tensor:
    """Points (..., N, 3) of the world as the cameras of poses (..., 4, 4), camera to world, see them [mm]."""
    return transform_points(rigid_inverse(poses), points)


def mean_distance(first: Tensor, second: Tensor) -> Tensor:
    """Mean distance between points seen (..., N, 3), (...) [mm]."""
    return (first - second).norm(dim=-1).mean(dim=-1)


@full_precision
def misplacement(first: Tensor, second: Tensor, points: Tensor) -> Tensor:
    """Mean distance |A^-1 X - B^-1 X| between where two poses (..., 4, 4) see the points (N, 3), (...) [mm]."""
    return mean_distance(seen_points(first, points), seen_points(second, points))


def distinct(
    seen: Tensor, tolerance: float, distance: Callable[[Tensor, Tensor], Tensor], *, most: int | None = None
) -> Tensor:
    """The candidates of which none is nearly another; of two that are, the earlier stays.

    Args:
        seen: What each candidate sees, (S, ...), the best first.
        tolerance: Two are the same up to this `distance`.
        distance: From what several candidates (S', ...) see to what one (...) sees, (S',).
        most: Stop after this many.

    Returns:
        Their numbers, rising.
    """
    kept: list[int] = []
    for index in range(len(seen)):
        if bool((distance(seen[kept], seen[index]) > tolerance).all()):
            kept.append(index)
        if len(kept) == most:
            break
    return torch.tensor(kept)
