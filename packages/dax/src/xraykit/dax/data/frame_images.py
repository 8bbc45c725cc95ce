"""Prepared frames as images in [0, 1], batched and on any device, with either branch of preprocessing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .frame_codes import BEYOND
from .frames import PreparedFrame
from .lowpass import gaussian_lowpass
from .preprocessing import EPSILON
from .region import middle

NUMBERS = ("step", "median", "deviation")  # one of each frame


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """Prepared frames of any sizes in one tensor, each in the top left corner; see `PreparedFrame`."""

    codes: Tensor
    """(B, H, W) uint16: code step = L = -ln(I / brightest); 65535 beyond the frame and its exposed field"""
    step: Tensor
    """(B,) float32"""
    median: Tensor
    """(B,) float32"""
    deviation: Tensor
    """(B,) float32"""
    sizes: tuple[tuple[int, int], ...]
    """Height and width of each frame [px]"""
    scales: tuple[float, ...]
    """Pixels of each frame per pixel of its original"""
    closed: tuple[bool, ...]
    """Whether part of each frame lies beyond its exposed field"""

    def to(self, device: torch.device | str) -> FrameBatch:
        """The same on another device."""
        return replace(self, **{name: getattr(self, name).to(device) for name in ("codes", *NUMBERS)})

    def only(self, number: int) -> FrameBatch:
        """Frame `number` without the others and their padding, nothing copied."""
        part, (height, width) = slice(number, number + 1), self.sizes[number]
        alone = {name: getattr(self, name)[part] for name in (*NUMBERS, "sizes", "scales", "closed")}
        return replace(self, codes=self.codes[part, :height, :width], **alone)


def pad_frames(frames: Sequence[PreparedFrame]) -> FrameBatch:
    """Frames as one batch, padded at the bottom and the right."""
    sizes = tuple((int(frame.codes.shape[0]), int(frame.codes.shape[1])) for frame in frames)
    codes = np.full((len(frames), *np.max(sizes, axis=0)), BEYOND, dtype=np.uint16)
    for number, (height, width) in enumerate(sizes):
        codes[number, :height, :width] = frames[number].codes
    return FrameBatch(
        torch.from_numpy(codes),
        *(torch.tensor([getattr(frame, name) for frame in frames]) for name in NUMBERS),
        sizes=sizes,
        scales=tuple(frame.scale for frame in frames),
        closed=tuple(bool(frame.codes.max() == BEYOND) for frame in frames),
    )


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
    images = torch.zeros(batch.codes.shape, device=batch.codes.device)
    deviations = deviations.to(batch.median)
    if images.device.type != "cpu":
        fill_images(images, batch, deviations, linear, lowpass)
        return images[:, None]
    for number, (height, width) in enumerate(batch.sizes):  # a CPU has done with a frame while it lies in its cache
        part = slice(number, number + 1)
        fill_images(images[part, :height, :width], batch.only(number), deviations[part], linear[part], lowpass)
    return images[:, None]


def fill_images(images: Tensor, batch: FrameBatch, deviations: Tensor, linear: Tensor, lowpass: float) -> None:
    """Make `images` (B, H, W) those of the batch; see `frames_to_images`."""
    images.copy_(batch.codes)
    beyond = images == BEYOND if any(batch.closed) or len(set(batch.sizes)) > 1 else None
    images.mul_(_each(batch.step))
    if beyond is not None:
        images.masked_fill_(beyond, 0)
    chosen = linear.nonzero().flatten().to(images.device)
    intensity = images[chosen].neg_().exp_()
    shift = (batch.median + deviations * batch.deviation).log()  # -inf for a black image, which gives zeros
    images.add_(_each(shift)).clamp_(0, -math.log(EPSILON))
    if lowpass:
        for number in (~linear).nonzero().flatten().tolist():
            height, width = batch.sizes[number]
            part = images[number, :height, :width]
            part -= gaussian_lowpass(part, lowpass * batch.scales[number])
    images[chosen] = intensity
    low, high = _ranges(images, batch, beyond)
    gain = torch.where(high > low, 1 / (high - low), 0.0)
    images.sub_(_each(low)).mul_(_each(gain)).clamp_(0, 1)
    if beyond is not None:
        images.masked_fill_(beyond, 0)


def _ranges(images: Tensor, batch: FrameBatch, beyond: Tensor | None) -> tuple[Tensor, Tensor]:
    """Minimum and maximum (B,) of each image's middle region, of its exposed part where there is one."""
    if beyond is None:
        region = images[(slice(None), *middle(*batch.sizes[0]))]
        return region.amin((1, 2)), region.amax((1, 2))
    counts = torch.zeros_like(beyond)
    for inside, size in zip(counts, batch.sizes, strict=True):
        inside[middle(*size)] = True
    counts &= ~beyond
    counts = torch.where(counts.any(2).any(1)[:, None, None], counts, ~beyond)
    low = images.masked_fill(~counts, torch.inf).amin((1, 2))
    return low, images.masked_fill(~counts, -torch.inf).amax((1, 2))


def _each(numbers: Tensor) -> Tensor:
    return numbers[:, None, None]
