"""Where a collimator would be set to show a structure: the box of its mask, a margin wider, within the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xraykit.render import InputError


@dataclass(frozen=True)
class CollimationBox:
    """A rectangle of an image, in its pixels, x right and y down; the first pixel spans 0 to 1.

    Args:
        left: Of the box; 0 to the width.
        top: 0 to the height.
        right: Above left.
        bottom: Below top.
        margin: What lies around the structure where the image's edge allows it, in mm if there is a spacing, else px.
        spacing: Row and column spacing at the detector [mm]; None where it is unknown.
    """

    left: float
    top: float
    right: float
    bottom: float
    margin: float
    spacing: tuple[float, float] | None = None

    @property
    def size_mm(self) -> tuple[float, float] | None:
        """Width and height at the detector [mm]."""
        if self.spacing is None:
            return None
        return (self.right - self.left) * self.spacing[1], (self.bottom - self.top) * self.spacing[0]

    def as_table(self, size: tuple[int, int]) -> dict[str, Any]:
        """What the file says of it.

        Args:
            size: Height and width of the image [px].
        """
        edges = (self.left, self.top, self.right, self.bottom)
        table: dict[str, Any] = {
            "box_px": [round(edge, 3) for edge in edges],
            "margin": self.margin,
            "margin_unit": "px" if self.spacing is None else "mm",
            "pixel_spacing_mm": None if self.spacing is None else list(self.spacing),
            "box_mm": None,
            "center_offset_mm": None,
        }
        if self.spacing is not None:
            rows, columns = self.spacing
            table["box_mm"] = [round(e * s, 3) for e, s in zip(edges, (columns, rows) * 2, strict=True)]
            offset = ((self.left + self.right - size[1]) / 2, (self.top + self.bottom - size[0]) / 2)
            table["center_offset_mm"] = [round(offset[0] * columns, 3), round(offset[1] * rows, 3)]
        return table


def collimation_box(mask: Tensor, margin: float, *, spacing: tuple[float, float] | None = None) -> CollimationBox:
    """The smallest upright rectangle about a mask, widened by a margin and cut at the image's edges.

    Args:
        mask: (H, W) bool.
        margin: 0 or more, in mm at the detector where the spacing is known, else px.
        spacing: Row and column spacing at the detector [mm].

    Raises:
        InputError: An empty mask, or a margin that is negative or not finite.
    """
    if not math.isfinite(margin) or margin < 0:
        raise InputError(f"the margin must be 0 or more, got {margin:g}.")
    rows, columns = (torch.nonzero(mask.any(axis)).flatten() for axis in (1, 0))
    if not len(rows):
        raise InputError("a collimation box must have a structure in it, got an empty mask; choose another.")
    height, width = mask.shape
    down, right = (margin, margin) if spacing is None else (margin / spacing[0], margin / spacing[1])
    return CollimationBox(
        max(0.0, float(columns[0]) - right),
        max(0.0, float(rows[0]) - down),
        min(float(width), float(columns[-1]) + 1 + right),
        min(float(height), float(rows[-1]) + 1 + down),
        margin,
        spacing,
    )
