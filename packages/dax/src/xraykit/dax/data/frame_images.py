"""Prepared frames as images in [0, 1], batched and on any device, with either branch of preprocessing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from .frames import PreparedFrame
from .lowpass import gaussian_lowpass
from .preprocessing import EPSILON
from .region import middle


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Prepared frames of any sizes in one tensor, each in the top left corner; see `PreparedFrame`."""

    log_intensity: Tensor
    """(B, H, W) float32"""
    median: Tensor
    """(B,) float32"""
    deviation: Tensor
    """(B,) float32"""
    sizes: tuple[tuple[int, int], ...]
    """Height and width of each frame [px]"""
    scales: tuple[float, ...]
    """Pixels of each frame per pixel of its original"""
    field: Tensor | None = None
    """(B, H, W) bool, exposed pixels; None where all are"""

    def to(self, device: torch.device | str) -> FrameBatch:
        """The same on another device."""
        moved = {name: getattr(self, name).to(device) for name in ("log_intensity", "median", "deviation")}
        return replace(self, **moved, field=None if self.field is None else self.field.to(device))


def pad_frames(frames: Sequence[PreparedFrame]) -> FrameBatch:
    """Frames as one batch, padded at the bottom and the right."""
    sizes = tuple((int(frame.log_intensity.shape[0]), int(frame.log_intensity.shape[1])) for frame in frames)
    size = (max(height for height, _ in sizes), max(width for _, width in sizes))
    lines = torch.stack([_padded(frame.log_intensity, size) for frame in frames])
    field = None
    if any(frame.field is not None for frame in frames):
        fields = [torch.ones_like(f.log_intensity, dtype=torch.bool) if f.field is None else f.field for f in frames]
        field = torch.stack([_padded(one, size) for one in fields])
    median, deviation = (torch.tensor([getattr(f, name) for f in frames]) for name in ("median", "deviation"))
    return FrameBatch(lines, median, deviation, sizes, tuple(frame.scale for frame in frames), field)


def frames_to_images(batch: FrameBatch, deviations: Tensor, linear: Tensor, *, lowpass: float = 0.0) -> Tensor:
    r"""Images in [0, 1] of a batch of frames, as `preprocess` makes them or, where `linear`, `preprocess_linear`.

    With L = -ln(I) and c = median + k std: x = clip(L + ln c, 0, -ln eps), or x = exp(-L) where linear; then both are
    scaled to the minimum and maximum of the middle region, and clipped to [0, 1].

    Args:
        batch: Frames.
        deviations: k of each frame, (B,).
        linear: Which frames keep their linear intensity, bone dark, (B,) bool.
        lowpass: Standard deviation of the low-pass that is subtracted where not linear [px of the original]; 0 is off.

    Returns:
        (B, 1, H, W) float32; 0 beyond each frame and beyond the exposed field.
    """
    lines = batch.log_intensity
    shift = (batch.median + deviations.to(lines) * batch.deviation).log()  # -inf for a black image, which gives zeros
    images = (lines + shift[:, None, None]).clamp_(0, -math.log(EPSILON))
    if lowpass:
        for image, (height, width), scale in zip(images, batch.sizes, batch.scales, strict=True):
            part = image[:height, :width]
            part -= gaussian_lowpass(part, lowpass * scale)
    chosen = linear.nonzero().flatten().to(lines.device)
    if len(chosen):
        images[chosen] = lines[chosen].neg().exp_()
    low, high = _ranges(images, batch)
    span = high - low
    gain = torch.where(span > 0, 1 / span, 0.0)
    images = torch.addcmul((-low * gain)[:, None, None], images, gain[:, None, None]).clamp_(0, 1)
    if batch.field is not None:
        images = images.masked_fill_(~batch.field, 0)
    for image, (height, width) in zip(images, batch.sizes, strict=True):
        image[height:] = 0
        image[:, width:] = 0
    return images[:, None]


def _ranges(images: Tensor, batch: FrameBatch) -> tuple[Tensor, Tensor]:
    """Minimum and maximum (B,) of each image's middle region, of its exposed part where there is one."""
    if batch.field is None:
        parts = [image[middle(*size)] for image, size in zip(images, batch.sizes, strict=True)]
        low, high = torch.stack([torch.stack(part.aminmax()) for part in parts]).unbind(1)
        return low, high
    counts = torch.zeros_like(batch.field)
    for inside, size in zip(counts, batch.sizes, strict=True):
        inside[middle(*size)] = True
    counts &= batch.field
    counts = torch.where(counts.any(2).any(1)[:, None, None], counts, batch.field)
    low = images.masked_fill(~counts, torch.inf).amin((1, 2))
    return low, images.masked_fill(~counts, -torch.inf).amax((1, 2))


def _padded(image: Tensor, size: tuple[int, int]) -> Tensor:
    return F.pad(image, (0, size[1] - image.shape[1], 0, size[0] - image.shape[0]))
