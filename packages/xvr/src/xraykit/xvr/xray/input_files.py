"""The files of a registration, as the user named them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class InputFiles:
    """What a registration was read from; `to_plain` of it is the record's `inputs`.

    Args:
        ct: The CT; None where it came from memory.
        labels: Its label map, if there is one.
        bones: The CTs of single bones, where there is no other.
        xrays: The X-rays, in the order of the shots.
    """

    ct: Path | None = None
    labels: Path | None = None
    xrays: tuple[Path, ...] = ()
    bones: tuple[Path, ...] = ()
