"""How a start is refined and judged, as settings that load no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from xraykit.render import InputError

Optimizer = Literal["levenberg_marquardt", "adam"]
Similarity = Literal["correlation", "mind"]
Intrinsic = Literal["sdd", "principal_point"]


@dataclass(frozen=True)
class RefinementSettings:
    """Refinement."""

    scales: tuple[int, ...] = (32, 64, 128, 256)
    """Pixels of the longer side, coarse to fine."""
    iterations: int = 30
    """Most steps at each scale."""
    spread: bool = field(default=True, metadata={"negative": "--no-spread"})
    """Where the answer is not to be trusted, try again from eight neighbours of every start (10 degrees, 60 mm off)."""
    check_geometry: bool = field(default=True, metadata={"negative": "--no-check-geometry"})
    """At the end free each of several views, and the SDD, and say whether the X-rays contradict what was stated."""
    optimizer: Optimizer = "levenberg_marquardt"
    """Second-order steps, or the published first-order ascent."""
    similarity: Similarity = "correlation"
    """What is maximised: correlations of greys, patches and edges, or the self-similarity context (MIND-SSC), which
    asks less of the greys."""
    intrinsics: tuple[Intrinsic, ...] = field(default=(), metadata={"flag": "refine_intrinsics"})
    """What of the camera is uncertain and shall be found too; trust it only with several views or rich anatomy."""

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise InputError(f"--iterations must be 1 or more, got {self.iterations}; --init-only refines nothing.")
