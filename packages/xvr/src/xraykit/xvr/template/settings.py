"""How a CT is aligned to a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from xraykit.render import InputError

AlignmentMethod = Literal["simpleitk", "greedy", "ants"]
METHODS: tuple[AlignmentMethod, ...] = get_args(AlignmentMethod)


@dataclass(frozen=True)
class AlignmentSettings:
    """Options of `align_to_template`.

    Args:
        method: "simpleitk" needs nothing more; "greedy" and "ants" run `greedy` or `antsRegistration` from the PATH.
        spacing: Voxel size at which the alignment ends [mm]; finer voxels are averaged to about this.
        iterations: Gradient steps per resolution level at most.
        bins: Histogram bins of the mutual information.
        starts: How many of the tried starts are refined at the coarsest level.

    Raises:
        InputError: A number or name outside its range.
    """

    method: AlignmentMethod = "simpleitk"
    spacing: float = 3.0
    iterations: int = 150
    bins: int = 40
    starts: int = 3

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}.")
        if not 0.1 <= self.spacing <= 20:
            raise InputError(f"spacing must be 0.1 to 20 mm, got {self.spacing}.")
        if self.iterations < 1 or self.starts < 1 or self.bins < 8:
            raise InputError(
                "iterations and starts must be 1 or more and bins 8 or more, got "
                f"iterations={self.iterations}, starts={self.starts}, bins={self.bins}."
            )
