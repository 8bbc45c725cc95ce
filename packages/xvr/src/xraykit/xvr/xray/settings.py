"""How an X-ray file is read, as settings that load no torch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from xraykit.render import InputError
from xraykit.render.radiographs import Colour, DetectorOrigin, Polarity, Reduction

HIDDEN = {"hidden": True}


@dataclass(frozen=True)
class XrayDetails:
    """X-rays, in files of settings only."""

    burnt_in: bool = field(default=True, metadata=HIDDEN)
    """Leave out thin marks at the darkest or brightest value, such as burnt-in text."""
    detector_active_origin: DetectorOrigin = field(default=None, metadata=HIDDEN)
    """xvr reads that tag as xvr's remixed data store the principal point."""
    longest: int = field(default=2048, metadata=HIDDEN)
    """Larger images are averaged in whole blocks until their longer side is at most this [px]."""


@dataclass(frozen=True)
class XraySettings:
    """X-rays."""

    sdd: float | tuple[float, ...] | None = None
    """Source to detector distance [mm], in place of the file's; one for all X-rays or one for each."""
    pixel_spacing: float | tuple[float, ...] | None = None
    """Pixel pitch at the detector [mm], in place of the file's; two numbers are down a column and along a row, and a
    pair for each X-ray where X-rays differ."""
    principal_point: tuple[float, float] | None = None
    """Foot of the perpendicular from the source, x and y [px] in the stored image; default: the file's, else the
    middle."""
    polarity: Polarity | None = None
    """What pixel values mean: intensity (bone dark), inverted_intensity, log_intensity (bone dark, processed),
    log_attenuation (bone bright, processed), line_integral; default: as the file says."""
    frame: int | Literal["all"] | None = None
    """Which frame of several, counted from 0; all registers every one by itself."""
    reduce: Reduction | None = None
    """How several frames become one; max keeps the densest moment."""
    crop: int = 0
    """Pixels to cut off at every border first."""
    mirror: bool | None = field(default=None, metadata={"negative": "--no-mirror"})
    """The file holds the image mirrored left to right, or not; default: as the file says."""
    subtract_background: bool = False
    """Cut off what is below the most frequent value, for subtraction angiography."""
    field_of_view: Literal["auto", "tags", "whole"] = "auto"
    """How the exposed field is found: shutter tags and the image, tags alone, or the whole image counts."""
    colour: Colour = None
    """luma accepts colour pictures by their brightness."""
    details: XrayDetails = field(default_factory=XrayDetails)
    """What hardly anyone changes."""

    def of_view(self, number: int, count: int) -> XraySettings:
        """What holds for X-ray `number` of `count`.

        Raises:
            InputError: Other numbers of distances or spacings than there can be.
        """
        sdd, spacing = self.sdd, self.pixel_spacing
        if isinstance(sdd, tuple):
            if len(sdd) not in (1, count):
                raise InputError(f"--sdd must be given once, or once for each of {count} X-rays, got {len(sdd)}.")
            sdd = sdd[number % len(sdd)]
        if isinstance(spacing, tuple):
            if len(spacing) not in (1, 2, 2 * count):
                raise InputError(
                    "--pixel-spacing must be one number, a pair of row and column, or such a pair for each of "
                    f"{count} X-rays, got {len(spacing)} numbers."
                )
            pairs = spacing * 2 if len(spacing) == 1 else spacing
            first = 2 * number % len(pairs)
            spacing = pairs[first : first + 2]
        return replace(self, sdd=sdd, pixel_spacing=spacing)
