"""Starts that the caller has already, in place of those that settings name."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class GivenStarts:
    """Candidate poses, and where they come from.

    Args:
        poses: Camera to world, (S, V, 4, 4) [mm], or (S, K, V, 4, 4) where each of K structures has its own.
        kind: Where they come from, for the record.
    """

    poses: Tensor
    kind: str = "given"
