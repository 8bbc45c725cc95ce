"""How a registration climbs: optimiser, scales, how many candidates, and what of the camera is unknown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from xraykit.render import InputError

from .adam import Adam
from .levenberg_marquardt import LevenbergMarquardt
from .motion import INTRINSICS
from .objective import WEIGHTS
from .settings import Optimizer, RefinementSettings, Similarity

FINE = 128  # px: a start that is known to be close begins here


@dataclass(frozen=True)
class RegistrationSettings:
    """How to climb.

    Args:
        optimizer: "levenberg_marquardt" takes second-order steps on the analytic Jacobian; "adam" is the published
            first-order ascent.
        scales: Pixels of the image's longer side, coarse to fine; those beyond the image's own size are capped at it.
        iterations: Most steps at each scale.
        keep: Candidates that go on after the first scale, at most: the best ones that differ; half as many after each
            further one.
        intrinsics: Any of "sdd" and "principal_point", refined at the last scale.
        similarity: "correlation", or "mind" for the self-similarity context.
        weights: Shares of NCC, patch NCC and gradient NCC.
        floor: Local variance, relative to the image's, below which a window counts as empty.
        voxel: Largest voxel to render with, in pixels as seen at the patient's depth.
        window: Compare only where the structures project (with a margin) instead of the whole image.
        levenberg_marquardt: Settings of that optimizer.
        adam: Settings of that optimizer.
    """

    optimizer: Optimizer = RefinementSettings.optimizer
    scales: tuple[int, ...] = RefinementSettings.scales
    iterations: tuple[int, ...] | int = RefinementSettings.iterations
    keep: int = 4
    intrinsics: tuple[str, ...] = RefinementSettings.intrinsics
    similarity: Similarity = RefinementSettings.similarity
    weights: tuple[float, float, float] = WEIGHTS
    floor: float = 1e-3
    voxel: float = 1.0
    window: bool = True
    levenberg_marquardt: LevenbergMarquardt = field(default_factory=LevenbergMarquardt)
    adam: Adam = field(default_factory=Adam)

    def __post_init__(self) -> None:
        if (
            not self.scales
            or any(b <= a for a, b in zip(self.scales, self.scales[1:], strict=False))
            or self.scales[0] < 16
        ):
            raise InputError(f"scales must grow from at least 16 pixels, got {self.scales}.")
        unknown = set(self.intrinsics) - set(INTRINSICS)
        if unknown:
            raise InputError(f"intrinsics must be among {', '.join(INTRINSICS)}, got {', '.join(sorted(unknown))}.")
        if isinstance(self.iterations, tuple) and len(self.iterations) != len(self.scales):
            raise InputError(
                f"give one number of iterations, or one per scale, got {self.iterations} for {self.scales}."
            )
        if self.similarity not in ("correlation", "mind"):
            raise InputError(f"similarity must be correlation or mind, got {self.similarity!r}.")
        if self.optimizer not in ("levenberg_marquardt", "adam"):
            raise InputError(f"optimizer must be levenberg_marquardt or adam, got {self.optimizer!r}.")

    def part(self, which: slice) -> RegistrationSettings:
        """The same at some of the scales; at all where that leaves none."""
        if not self.scales[which]:
            return self
        iterations = self.iterations if isinstance(self.iterations, int) else self.iterations[which]
        return replace(self, scales=self.scales[which], iterations=iterations)

    def fine(self) -> RegistrationSettings:
        """The same from 128 px on, at the last scale at least: for starts that are close."""
        coarser = sum(scale < FINE for scale in self.scales[:-1])
        return self.part(slice(coarser, None))
