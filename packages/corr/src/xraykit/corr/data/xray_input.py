"""Any X-ray as the network's input, with the way back to the pixels of the original."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import InputError, Radiograph, read_radiograph
from xraykit.render.radiographs import exposed_field, relative_line_integrals
from xraykit.render.storage import finding_sentences

from .letterbox import Letterbox
from .normalise import normalise_lines
from .settings import XrayInputSettings
from .xray_reading import XrayReading

SMALLEST = 8
"""Pixels of the shorter side; with fewer no patient can be told from a stripe."""


@dataclass(frozen=True, eq=False)
class PreparedXray:
    """An X-ray as a network sees it and as people see it."""

    name: str
    """Of its file, or what the caller said"""
    image: Tensor
    """(1, S, S) float32 in [0, 1], bone bright; 0 in the padding"""
    inside: Tensor
    """(S, S) bool: pixels of the square that show the X-ray, not padding, and not beyond the exposed field"""
    letterbox: Letterbox
    """Where the square's pixels lie in the original"""
    grey: NDArray[np.uint8]
    """(H, W) of the original for the eye, bone bright"""
    notes: tuple[str, ...] = ()
    """What was assumed, a sentence each"""
    path: Path | None = None
    """Its file, if there is one"""
    frame: int | None = None
    """Which frame of a file with several"""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the original [px]."""
        return self.letterbox.height, self.letterbox.width

    def to_original(self, points: Tensor) -> Tensor:
        """Points (..., 2) of the square, as x right and y down, in the original; see `Letterbox`."""
        return self.letterbox.to_image(points)

    def from_original(self, points: Tensor) -> Tensor:
        """Points (..., 2) of the original, in the square."""
        return self.letterbox.to_square(points)


XrayLike = str | Path | Radiograph | Tensor | NDArray[Any] | PreparedXray
"""A file, a radiograph, or intensities (H, W), bone dark, on any scale."""


def prepare_xray(
    xray: XrayLike,
    settings: XrayInputSettings | None = None,
    *,
    reading: XrayReading | None = None,
    name: str | None = None,
) -> PreparedXray:
    """One X-ray as a network sees it: line integrals, padded to a square, resized, two percentiles as 0 and 1.

    Args:
        xray: A file, a radiograph, or intensities (H, W) of any scale, bone dark (`reading.polarity` may say
            otherwise). What was prepared before is returned as it is.
        settings: Those of the network.
        reading: How a file is read.
        name: In place of the file's.

    Returns:
        The X-ray, on the CPU.

    Raises:
        FileError: The file is missing, damaged, in colour, or no X-ray.
        InputError: Several frames and no choice, no image of two axes, pixels that are not finite, one value
            everywhere, nothing exposed, fewer than 8 px wide or high, or too thin for the square.
    """
    if isinstance(xray, PreparedXray):
        return xray
    settings, reading = settings or XrayInputSettings(), reading or XrayReading()
    radiograph = _as_radiograph(xray, reading)
    path = radiograph.source
    name = name or (path.name if path is not None else "X-ray")
    many = radiograph.n_frames > 1
    if many and reading.frame is None:
        raise InputError(f"{name} holds {radiograph.n_frames} frames; choose one with --frame N (XrayReading.frame).")
    if many and reading.frame is not None:
        if not 0 <= reading.frame < radiograph.n_frames:
            raise InputError(
                f"{name} holds {radiograph.n_frames} frames: --frame must be 0 to {radiograph.n_frames - 1}, counted "
                f"from 0, got {reading.frame}."
            )
        radiograph = radiograph.with_frame(reading.frame)
    notes = (*_assumptions(radiograph), *finding_sentences(radiograph.doubts))
    _check_size(radiograph, name)
    lines = relative_line_integrals(_varied(radiograph, name)).pixels[0].detach().cpu()
    field = _field(radiograph, name) if settings.field == "exposed" else None
    letterbox = Letterbox(*lines.shape, size=settings.size)
    square, inside = letterbox.resized(lines, field)
    if not bool(inside.any()):
        if not bool(letterbox.resized(lines, None)[1].any()):
            height, width = lines.shape
            raise InputError(
                f"{name} must be wide and high enough to be read at {settings.size} x {settings.size} px, got {width} "
                f"x {height} px, which is thinner than a pixel; crop its longer side."
            )
        raise InputError(f"{name} must show a patient, got an image without exposed pixels; use another.")
    image = normalise_lines(square, settings, inside=inside)[None]
    grey = (normalise_lines(lines, settings, inside=field) * 255).round().to(torch.uint8).numpy()
    frame = reading.frame if many else None
    return PreparedXray(name, image, inside, letterbox, grey, notes, path, frame)


def _as_radiograph(xray: Any, reading: XrayReading) -> Radiograph:
    if isinstance(xray, Radiograph):
        return xray
    if isinstance(xray, str | Path):
        return read_radiograph(xray, polarity=reading.polarity, colour=reading.colour)
    if not isinstance(xray, Tensor | np.ndarray) or xray.ndim != 2:
        shape = f"shape {tuple(xray.shape)}" if isinstance(xray, Tensor | np.ndarray) else type(xray).__name__
        raise InputError(f"an X-ray must be a file, a Radiograph or intensities (H, W), got {shape}.")
    pixels = torch.as_tensor(np.ascontiguousarray(xray) if isinstance(xray, np.ndarray) else xray)
    full_scale = float(pixels.max()) if reading.polarity == "inverted_intensity" else None
    return Radiograph(pixels.detach().cpu().float()[None], reading.polarity or "intensity", full_scale=full_scale)


def _check_size(radiograph: Radiograph, name: str) -> None:
    height, width = radiograph.pixels.shape[-2:]
    if min(height, width) < SMALLEST:
        raise InputError(
            f"{name} must be at least {SMALLEST} px wide and high to show a patient, got {width} x {height} px, which "
            "is too small; use the full image."
        )


def _varied(radiograph: Radiograph, name: str) -> Radiograph:
    low, high = radiograph.pixels.aminmax()
    if bool(low == high):
        raise InputError(f"{name} must show something, got the value {float(low):g} in every pixel; use another.")
    return radiograph


def _field(radiograph: Radiograph, name: str) -> Tensor:
    """The exposed field; declared shutters count for files with tags."""
    file = radiograph.source if radiograph.modality is not None else None
    field = exposed_field(radiograph, file=file)
    if not bool(field.any()):
        raise InputError(f"{name} must have an exposed field, got none; use another.")
    return field


def _assumptions(radiograph: Radiograph) -> tuple[str, ...]:
    """What no file and nobody said of the pixel values."""
    origin = radiograph.assumptions.get("polarity")
    return () if origin is None else (f"polarity {origin.value} is assumed ({origin.note})",)
