"""From line integrals to the grey values that a network sees."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from xraykit.render import InputError

from .settings import XrayInputSettings

MOST_VALUES = 1 << 20  # looked at for percentiles


def normalise_lines(
    lines: Tensor, settings: XrayInputSettings | None = None, *, inside: Tensor | None = None
) -> Tensor:
    r"""Line integrals as grey values in [0, 1], bone bright.

        x = clip((lines - q_low) / (q_high - q_low), 0, 1),    q: percentiles over the pixels that count

    Whatever offset and gain the line integrals have falls out. An image of one value gives zeros.

    Args:
        lines: (H, W), finite.
        settings: low and high; None is the default.
        inside: Pixels that count, (H, W) bool; the others become 0. None is all.

    Returns:
        (H, W) float32 on the CPU.

    Raises:
        InputError: Another shape, values that are not finite, or no pixel that counts.

    Gradients: none.
    """
    settings = settings or XrayInputSettings()
    if lines.ndim != 2 or (inside is not None and inside.shape != lines.shape):
        shapes = tuple(lines.shape), None if inside is None else tuple(inside.shape)
        raise InputError(f"lines and inside must be images (H, W) of one size, got {shapes[0]} and {shapes[1]}.")
    lines = lines.detach().to("cpu", torch.float32)
    counted = lines.flatten() if inside is None else lines[inside.cpu()]
    if not len(counted):
        raise InputError("lines must have a pixel that counts, got none; check the exposed field.")
    counted = counted[:: -(-len(counted) // MOST_VALUES)].numpy()
    low, high = (float(value) for value in np.percentile(counted, (settings.low, settings.high)))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError("lines must be finite, got NaN or infinity; replace dead pixels.")
    if high <= low:
        low, high = float(counted.min()), float(counted.max())
    if high <= low:
        return torch.zeros_like(lines)
    grey = ((lines - low) / (high - low)).clamp_(0, 1)
    return grey if inside is None else grey.masked_fill_(~inside.cpu(), 0)
