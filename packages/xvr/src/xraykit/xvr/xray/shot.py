"""A shot: one X-ray made ready to be compared with rendered line integrals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from xraykit.render import Camera, InputError
from xraykit.render.geometry import tensor_of

Greys = Literal["line_integral", "processed", "assumed"]


@dataclass(frozen=True, eq=False)
class Shot:
    """One X-ray image with its camera, ready for registration.

    Args:
        image: (H, W) floating point, finite, not constant; bone bright (proportional to line integrals up to gain
            and offset, which the similarities ignore).
        camera: Intrinsics of this image (H rows, W columns), one set for one image.
        valid: (H, W) booleans, the pixels to compare: False outside the collimator and under burnt-in text; None is
            all of them.
        name: What to call it in results and messages.
        notes: What was assumed while it was read, one sentence each.
        doubts: What is hardly true of its file, or was lost of it, one sentence each.
        frame: Which frame of its file it shows, counted from 0; None where it is the only one or made of several.
        source: Its file; None where it came from memory.
        pose: Camera to the world of its calibration [mm], (4, 4), where a camera file states it; shots of one
            calibration share that world, which is not the patient's.
        roll: By how much it is stored turned, as `carm_pose` counts roll [degrees].
        guesses: What may be the other way, who said it, and the option that says otherwise: a sentence each, for a
            registration that fails.
        greys: What the values are: line integrals; greys that were processed for display, on a scale of their own; or
            such of a picture without tags, of which bone was assumed to be bright.

    Raises:
        InputError: Shapes that do not fit, NaN, a constant image, or a mask that leaves nothing.
    """

    image: Tensor
    camera: Camera
    valid: Tensor | None = None
    name: str = "xray"
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    frame: int | None = None
    source: Path | None = None
    pose: Tensor | None = None
    roll: float = 0.0
    guesses: tuple[str, ...] = ()
    greys: Greys = "line_integral"

    def __post_init__(self) -> None:
        for name in ("image", "valid"):
            object.__setattr__(self, name, tensor_of(getattr(self, name)))
        size = (self.camera.height, self.camera.width)
        if self.image.ndim != 2 or not self.image.is_floating_point() or tuple(self.image.shape) != size:
            came = f"{self.image.dtype} of shape {tuple(self.image.shape)}"
            raise InputError(f"{self.name}: image must be floating point {size} like its camera, got {came}.")
        if not bool(torch.isfinite(self.image).all()):
            raise InputError(f"{self.name}: image must be finite, got NaN or infinity; replace dead pixels before.")
        if self.valid is not None and (self.valid.dtype != torch.bool or self.valid.shape != self.image.shape):
            came = f"{self.valid.dtype} of shape {tuple(self.valid.shape)}"
            raise InputError(f"{self.name}: valid must be booleans of shape {size}, got {came}.")
        inside = self.image if self.valid is None else self.image[self.valid]
        if inside.numel() == 0 or not bool((inside != inside.flatten()[0]).any()):
            raise InputError(f"{self.name}: nothing to compare, the image is constant where valid; check the file.")
