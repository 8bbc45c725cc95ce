"""How implants are registered, as settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from xraykit.render import InputError

from .fit import ImplantFit
from .search import OrientationSearch


@dataclass(frozen=True)
class ImplantSettings:
    """How implants are looked for and fitted.

    Args:
        scales: Pixels of the image's longer side, coarse to fine; those beyond the image's own size are capped at it.
            The finest decides: where a pixel is 0.5 mm, bone beside metal draws a fit by a millimetre.
        keep: Candidates that go on after the first scale, at most; half as many after each further one.
        spread: Whether the neighbours of a start compete with it: within `radius`, tilted and turned.
        radius: How far neighbours of a start may lie from it across the beam [mm].
        lookalikes: Whether answers that a symmetric implant could be taken for are tried too, and in several views
            whether the mesh fits clearly better mirrored.
        least: Correlation along what is seen of the outline below which the implant counts as not found. On real
            knees wrong places reach 0.5, seldom 0.6, right ones 0.64 to 0.8.
        search: What is tried where no start is given.
        fit: How each scale is climbed.
    """

    scales: tuple[int, ...] = (256, 512, 1024)
    keep: int = 8
    spread: bool = True
    radius: float = 30.0
    lookalikes: bool = True
    least: float = 0.55
    search: OrientationSearch = field(default_factory=OrientationSearch)
    fit: ImplantFit = field(default_factory=ImplantFit)

    def __post_init__(self) -> None:
        grow = all(a < b for a, b in zip(self.scales, self.scales[1:], strict=False))
        if not self.scales or not grow or self.scales[0] < 32:
            raise InputError(f"scales must grow from at least 32 pixels, got {self.scales}.")
        if self.keep < 1 or not self.radius > 0:
            raise InputError(f"keep must be 1 or more and radius positive, got {self.keep} and {self.radius:g} mm.")
