"""Any X-ray as grey values whose bone tone is known: files by what they say, arrays by what the caller says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import InputError, Radiograph, read_radiograph
from xraykit.render.radiographs import Polarity, exposed_field, is_stored_mirrored, relative_line_integrals
from xraykit.render.storage import finding_sentences

from ..data.network_input import BoneTone
from .settings import BoneInFile, XrayFileSettings

XraySource = str | Path | Radiograph | Tensor | NDArray[Any]
"""A file, a radiograph, or grey values (H, W) of any scale, logarithmic ones best."""
MOST_PIXELS = 1 << 26
LEAST_EDGE = 8  # [px]
NEGATIVES: dict[Polarity, Polarity] = {
    "intensity": "inverted_intensity",
    "inverted_intensity": "intensity",
    "log_intensity": "log_attenuation",
    "log_attenuation": "log_intensity",
    "line_integral": "log_intensity",
}
BONE_BRIGHT = ("inverted_intensity", "log_attenuation", "line_integral")


@dataclass(frozen=True, eq=False)
class OpenedXray:
    """An X-ray as it goes into `prepare_windows`.

    Args:
        grey: (H, W) floating point, finite, on the CPU.
        bone: What bone is in it.
        name: Of its file, or "X-ray".
        notes: What was assumed, a sentence each.
        doubts: What is hardly true of its file, or was lost, a sentence each.
        path: Its file, if there is one.
        frame: Which frame of a file with several.
    """

    grey: Tensor
    bone: BoneTone
    name: str = "X-ray"
    notes: tuple[str, ...] = ()
    path: Path | None = None
    frame: int | None = None
    doubts: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Height and width [px]."""
        return self.grey.shape[0], self.grey.shape[1]


def open_xray(xray: XraySource, settings: XrayFileSettings | None = None) -> OpenedXray:
    """An X-ray with its bone tone.

    Files and radiographs become values that grow with density, see `relative_line_integrals`, so bone is bright then;
    `settings.bone` overrules which way their values go, not whether they are logarithmic. Pixels beyond the
    collimator's border take the median of those within, so that they do not decide how the rest is seen.

    Args:
        xray: A file (DICOM, PNG, TIFF, JPEG), a radiograph, or grey values (H, W), which need `settings.bone`.
        settings: How it is read.

    Raises:
        FileError: The file is missing, damaged, in colour, or no X-ray.
        InputError: Several frames and no choice, no image of two axes, NaN or infinity, one value everywhere, an edge
            below 8 pixels, more than 67 million pixels, or an array whose bone tone nobody states.
    """
    settings = settings or XrayFileSettings()
    if settings.bone not in get_args(BoneInFile):
        raise InputError(f"bone must be bright, dark or auto, got {str(settings.bone)[:40]!r}.")
    if isinstance(xray, Tensor | np.ndarray):
        return _opened_array(xray, settings)
    if not isinstance(xray, Radiograph):
        xray = read_radiograph(xray, polarity=settings.polarity, colour=settings.colour)
    radiograph = xray
    name = "X-ray" if radiograph.source is None else radiograph.source.name
    several = radiograph.n_frames > 1 and settings.reduce is None
    radiograph = _toned(_chosen_frames(radiograph, settings, name), settings.bone)
    _check_size(tuple(radiograph.pixels.shape[-2:]), name)
    _check_varied(radiograph.pixels, name)
    lines = relative_line_integrals(radiograph)
    grey = (lines if settings.reduce is None else lines.reduce(settings.reduce)).pixels[0].detach().cpu()
    if not settings.whole:
        grey = _masked(grey, radiograph, name)
    frame = settings.frame if several else None
    notes, doubts = _assumptions(radiograph), _doubts(radiograph)
    return OpenedXray(grey, "bright", name, notes, radiograph.source, frame, doubts)


def _opened_array(xray: Tensor | NDArray[Any], settings: XrayFileSettings) -> OpenedXray:
    if settings.bone == "auto":
        raise InputError("an array must come with bone='bright' or 'dark', got neither; only files say it themselves.")
    values = xray.detach().cpu() if isinstance(xray, Tensor) else _from_numpy(xray)
    if values.ndim == 3 and len(values) == 1:
        values = values[0]
    if values.ndim != 2 or values.is_complex():
        raise InputError(f"an X-ray must be (H, W) grey values, got {tuple(values.shape)} {values.dtype}.")
    values = values if values.is_floating_point() else values.double()
    _check_size(tuple(values.shape), "X-ray")
    if not bool(torch.isfinite(values).all()):
        raise InputError("an X-ray must hold finite grey values, got NaN or infinity; fill such pixels first.")
    _check_varied(values, "X-ray")
    return OpenedXray(values, settings.bone)


def _from_numpy(values: NDArray[Any]) -> Tensor:
    if values.dtype.kind not in "buif":
        raise InputError(f"an X-ray must be (H, W) grey values, got {values.shape} {values.dtype}.")
    wide = np.float64 if values.dtype.kind in "ui" or values.dtype.itemsize > 4 else np.float32
    return torch.from_numpy(np.array(values, dtype=wide))


def _chosen_frames(radiograph: Radiograph, settings: XrayFileSettings, name: str) -> Radiograph:
    """The frame that is asked for, or all that are to become one."""
    count, frame = radiograph.n_frames, settings.frame
    if frame is not None and settings.reduce is not None:
        raise InputError("give either --frame or --reduce, got both; a single frame needs no reduction.")
    if count == 1 or settings.reduce is not None:
        return radiograph
    if frame is None:
        raise InputError(
            f"{name} holds {count} frames; choose one with --frame N (XrayFileSettings.frame), or make one of them "
            "with --reduce mean, median, max or min."
        )
    if not 0 <= frame < count:
        raise InputError(f"{name} holds {count} frames: --frame must be 0 to {count - 1}, counted from 0, got {frame}.")
    return radiograph.with_frame(frame)


def _toned(radiograph: Radiograph, bone: BoneInFile) -> Radiograph:
    """The radiograph, taken as its negative where its values go the other way than `bone` says."""
    if bone == "auto" or (bone == "bright") == (radiograph.polarity in BONE_BRIGHT):
        facts = dict(radiograph.provenance)
        if bone != "auto":
            facts.pop("polarity", None)
        return replace(radiograph, provenance=facts)
    polarity = NEGATIVES[radiograph.polarity]
    top = float(radiograph.pixels.max()) if polarity == "inverted_intensity" else None
    facts = {name: fact for name, fact in radiograph.provenance.items() if name != "polarity"}
    return replace(radiograph, polarity=polarity, full_scale=top, unattenuated=None, provenance=facts)


def _masked(grey: Tensor, radiograph: Radiograph, name: str) -> Tensor:
    """Declared shutters count for files with tags."""
    field = exposed_field(radiograph, file=radiograph.source if radiograph.modality is not None else None)
    if bool(field.all()):
        return grey
    if not bool(field.any()):
        raise InputError(f"{name} must have an exposed field, got none; use another, or --whole.")
    within = grey[field]
    _check_varied(within, name)
    return torch.where(field, grey, within.median())


def _assumptions(radiograph: Radiograph) -> tuple[str, ...]:
    found = radiograph.assumptions
    origin = found.pop("polarity", None)
    first = [] if origin is None else [f"polarity {origin.value} is assumed ({origin.note})"]
    return (*first, *finding_sentences(found))


def _doubts(radiograph: Radiograph) -> tuple[str, ...]:
    mirrored = ["the file says that the image is stored mirrored: left and right are those of the picture"]
    return (*finding_sentences(radiograph.doubts), *(mirrored if is_stored_mirrored(radiograph) else ()))


def _check_size(size: tuple[int, ...], name: str) -> None:
    height, width = size
    if min(size) < LEAST_EDGE:
        raise InputError(f"{name} must have {LEAST_EDGE} pixels along each edge, got {width} x {height}; use a larger.")
    if height * width > MOST_PIXELS:
        most = MOST_PIXELS // 1_000_000
        raise InputError(f"{name} must have at most {most} million pixels, got {width} x {height}; make it smaller.")


def _check_varied(pixels: Tensor, name: str) -> None:
    low, high = pixels.aminmax()
    if bool(low == high):
        raise InputError(f"{name} must show something, got the value {float(low):g} in every pixel; use another.")
