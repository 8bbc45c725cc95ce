"""A Gaussian low-pass with scipy's conventions, separable, on any device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

TRUNCATE = 4.0  # standard deviations, where scipy cuts the kernel


def gaussian_lowpass(image: Tensor, sigma: float) -> Tensor:
    r"""The image smoothed by a Gaussian.

    Equals `scipy.ndimage.gaussian_filter` with its defaults: kernel w_i proportional to exp(-i^2 / (2 sigma^2)) cut at
    4 sigma, borders mirrored about the pixel's edge (d c b a | a b c d | d c b a).

    Args:
        image: (..., H, W), floating point.
        sigma: Standard deviation [px], 0 or more.

    Returns:
        (..., H, W).

    Gradients: to the image.
    """
    radius = int(TRUNCATE * sigma + 0.5)
    if radius == 0:
        return image
    steps = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = (kernel / kernel.sum()).to(image.device, image.dtype)
    height, width = image.shape[-2:]
    flat = image.reshape(-1, 1, height, width)
    flat = F.conv2d(flat[..., _mirrored(width, radius, image.device)], kernel[None, None, None])
    flat = F.conv2d(flat[..., _mirrored(height, radius, image.device), :], kernel[None, None, :, None])
    return flat.reshape(image.shape)


def _mirrored(length: int, radius: int, device: torch.device) -> Tensor:
    """Indices -radius .. length + radius - 1 folded into the axis, as often as need be."""
    places = torch.arange(-radius, length + radius, device=device) % (2 * length)
    return torch.minimum(places, 2 * length - 1 - places)
