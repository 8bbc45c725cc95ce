"""One frame of one X-ray, whatever it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, eq=False)
class XrayFrame:
    """One frame of one image as linear intensity."""

    name: str
    """Its file, with #n for frame n of several; or the key of a sample"""
    intensity: Tensor
    """(H, W) float32, 0 or more, bone dark, on any scale"""
    labels: Mapping[str, str] = field(default_factory=dict)
    """region, view and patient where they are known, split too in a data set"""
    notes: tuple[str, ...] = ()
    """What was assumed"""
    field: Tensor | None = None
    """Exposed field, (H, W) bool, if asked for"""
