"""What a file says of the geometry of each frame by itself, and the doubts about any of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..geometry.camera import Camera
from ..storage.provenance import Origin, Provenance, doubts


class FrameGeometry(NamedTuple):
    """What the file says of one frame's geometry, where frames differ."""

    camera: Camera | None
    facts: Provenance


def doubts_of(provenance: Provenance, frames: Sequence[FrameGeometry]) -> dict[str, Origin]:
    """The doubts about a file, and of its frames each that is not among them, with the first frame that it is about."""
    found = doubts(provenance)
    for n, each in enumerate(frames):
        for name, origin in doubts(each.facts).items():
            found.setdefault(name, origin._replace(note=f"{origin.note} (--frame {n})"))
    return found
