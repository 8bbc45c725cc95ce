"""Where an X-ray is seen from, and how it came there: placements one on top of the other, the last one holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from ..xray.shot import Shot
from .pictures import XrayPicture
from .structures import Structure

if TYPE_CHECKING:
    from ..refine.registration import Registration
    from ..trust.judgement import Trust

DEPTH = 200  # placements that undo remembers


@dataclass(frozen=True, eq=False)
class Found:
    """What a refinement of some views found."""

    registration: Registration
    trust: Trust | None
    views: tuple[int, ...]
    structure: Structure


@dataclass(frozen=True, eq=False)
class Placement:
    """A pose (4, 4), what brought it about, and the registration that it is the result of, if any."""

    pose: Tensor
    kind: str
    found: Found | None = None


@dataclass(eq=False)
class XrayView:
    """One X-ray with its placements, oldest first; the last one holds."""

    shot: Shot
    history: list[Placement]
    picture: XrayPicture
    gesture: str = ""

    @property
    def now(self) -> Placement:
        """The placement that holds."""
        return self.history[-1]

    def place(self, placement: Placement) -> None:
        """Put a placement on top; the first stays however many there are."""
        self.history.append(placement)
        if len(self.history) > DEPTH:
            del self.history[1]
