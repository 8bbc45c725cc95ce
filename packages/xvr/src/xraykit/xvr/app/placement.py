"""Where an X-ray is seen from, and how it came there: placements one on top of the other, the last one holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from xraykit.render import InputError

from ..start.given import GivenStarts
from ..start.settings import StartSettings
from ..xray.shot import Shot
from .pictures import XrayPicture
from .structures import ShownStructure

if TYPE_CHECKING:
    from ..procedure import XrayRegistration

DEPTH = 200  # placements that undo remembers
OPENED, BEFORE, TRACKED = "start", "frame before", "track"  # what brought a pose about, besides hands and starters
KIND, CLOSE = "app", "result"  # where the starts of a refinement come from; close ones begin at the fine scales


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

    @property
    def is_found(self) -> bool:
        """Whether a registration or a track found it, rather than hands or a first guess."""
        return self.found is not None or self.kind == TRACKED

    @property
    def chance(self) -> float:
        """The chance that it is right, 0 where nothing judged it."""
        trust = None if self.found is None else self.found.result.record.trust
        return 0.0 if trust is None else trust.success_probability


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


def view_of(views: Sequence[XrayView], index: object) -> XrayView:
    """The X-ray of a number.

    Raises:
        InputError: There is none.
    """
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(views):
        raise InputError(f"view must be 0 to {len(views) - 1}, got {index!r}.")
    return views[index]


def starts_of(placed: Sequence[PlacedPose], opening: StartSettings | None) -> GivenStarts | None:
    """Where a refinement of V X-rays starts by the rules of the command; None leaves it to find out.

    Args:
        placed: Where they are.
        opening: Where the command would start where nobody has moved any of them; None starts from where they are.
    """
    if opening is not None and all(now.kind == OPENED for now in placed):
        return None
    is_close = all(now.is_found for now in placed)  # refined, loaded or tracked, as with --result
    return GivenStarts(torch.stack([now.pose for now in placed])[None], CLOSE if is_close else KIND)
