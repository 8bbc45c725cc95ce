"""The middle of an image, from which it is scaled: collimators and burnt-in text lie outside."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from xraykit.render import InputError


def middle(height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the region: all but an eighth of the smaller side at every border, never empty.

    For square images it is the published one, which takes an eighth of the rows for both axes.
    """
    margin = min(height, width) // 8
    return slice(margin, height - margin), slice(margin, width - margin)


def counted(image: Tensor, field: Tensor | None) -> Tensor:
    """The pixels (n,) of one (H, W) image that its statistics are taken from; the region, inside the field.

    Where the field leaves the region out, all of the field counts.

    Raises:
        InputError: The field is empty or of another size.
    """
    region = middle(*image.shape)
    if field is None:
        return image[region].reshape(-1)
    if field.shape != image.shape or not bool(field.any()):
        raise InputError(
            f"field must be true somewhere and of the image's shape {tuple(image.shape)}, got {tuple(field.shape)} with"
            f" {int(field.sum())} pixels; pass None to count all."
        )
    inside = image[region][field[region]]
    return inside if inside.numel() else image[field]


def median_and_deviation(values: Tensor) -> tuple[Tensor, Tensor]:
    """Median (mean of the middle two) and population standard deviation of (n,) values, as scalars."""
    if values.device.type == "cpu":
        median = torch.tensor(np.median(values.detach().numpy()), dtype=values.dtype)
    else:
        ordered, n = values.sort().values, values.numel()
        median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return median, values.std(correction=0)


def spread(image: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(image - low) / (high - low), clipped to [0, 1]; all zero where high is not above low."""
    span = high - low
    flat = ~(span > 0)
    scaled = (image - low) / torch.where(flat, torch.ones_like(span), span)
    return scaled.clamp_(0, 1).masked_fill_(flat, 0)
