"""How files of X-rays are read, as settings that load no torch."""

from __future__ import annotations

from dataclasses import dataclass

from xraykit.render.radiographs import Colour, Polarity


@dataclass(frozen=True)
class XrayReading:
    """Reading X-rays."""

    polarity: Polarity | None = None
    """What pixel values mean: intensity (bone dark), inverted_intensity, log_intensity (bone dark, processed),
    log_attenuation (bone bright, processed), line_integral; default: as each file says."""
    frame: int | None = None
    """Which frame of files that hold several, counted from 0."""
    colour: Colour = None
    """luma accepts colour pictures by their brightness."""
