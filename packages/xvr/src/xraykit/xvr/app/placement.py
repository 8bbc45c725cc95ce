"""Where an X-ray is seen from, and how it came there: placements one on top of the other, the last one holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from ..xray.shot import Shot
from .pictures import XrayPicture
from .structures import ShownStructure

if TYPE_CHECKING:
    from ..procedure import XrayRegistration

DEPTH = 200  # placements that undo remembers


@dataclass(frozen=True, eq=False)
class RefinedViews:
    """What the registration of some views found, and of what structure."""

    result: XrayRegistration
    views: tuple[int, ...]
    structure: ShownStructure


@dataclass(frozen=True, eq=False)
class PlacedPose:
    """A pose (4, 4), what brought it about, and the registration that it is the result of, if any."""

    pose: Tensor
    kind: str
    found: RefinedViews | None = None


@dataclass(eq=False)
class XrayView:
    """One X-ray with its placements, oldest first; the last one holds."""

    shot: Shot
    history: list[PlacedPose]
    picture: XrayPicture
    gesture: str = ""

    @property
    def now(self) -> PlacedPose:
        """The placement that holds."""
        return self.history[-1]

    def place(self, placement: PlacedPose) -> None:
        """Put a placement on top; the first stays however many there are."""
        self.history.append(placement)
        if len(self.history) > DEPTH:
            del self.history[1]
