"""Which combinations of several parameters every run tries, and which the slow stage adds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest


def each_once(*axes: Sequence[Any]) -> list[Any]:
    """All combinations for `parametrize`; those without which every value would still occur are slow.

    Where what one parameter chooses does not hang on another, as the format of the voxels does not hang on the
    projector, a fault of a value shows in any combination that has it.
    """
    longest = max(map(len, axes))
    quick = {tuple(n % len(axis) for axis in axes) for n in range(longest)}
    places = product(*(range(len(axis)) for axis in axes))
    return [
        pytest.param(
            *(axis[n] for axis, n in zip(axes, place, strict=True)), marks=() if place in quick else pytest.mark.slow
        )
        for place in places
    ]
