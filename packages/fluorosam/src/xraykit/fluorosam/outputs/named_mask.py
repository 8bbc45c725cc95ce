"""A mask with what it is of, as every kind of file holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError

from ..vocabulary.targets import TargetKind, all_targets


@dataclass(frozen=True, eq=False)
class NamedMask:
    """A mask of an X-ray.

    Args:
        name: What it is called: the words that asked for it, or what a person says.
        mask: (H, W) bool.
        target: Name of what it is in the vocabulary; None where that is not known.
        confidence: 0 to 1; None of a mask that a person drew or accepted.
        pointed: Whether points, a box or a person's corrections went into it.
    """

    name: str
    mask: NDArray[np.bool_]
    target: str | None = None
    confidence: float | None = None
    pointed: bool = False

    @property
    def kind(self) -> TargetKind | None:
        """What sort of thing the vocabulary says it is; None for what it does not know."""
        known = None if self.target is None else all_targets().get(self.target)
        return None if known is None else known.kind

    @property
    def area(self) -> int:
        """Pixels."""
        return int(self.mask.sum())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height, pixel borders at whole numbers; zeros of an empty mask."""
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        if not len(rows):
            return 0, 0, 0, 0
        left, top = int(columns[0]), int(rows[0])
        return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def check_masks(masks: Sequence[NamedMask], size: tuple[int, int]) -> None:
    """Refuse masks that are not (H, W) bool of one size.

    Raises:
        InputError: The first that is not, by name.
    """
    for one in masks:
        if one.mask.shape != size or one.mask.dtype != np.bool_:
            came = f"{one.mask.shape} {one.mask.dtype}"
            raise InputError(f"the mask of {one.name[:60]!r} must be {size[0]}x{size[1]} bool, got {came}.")
