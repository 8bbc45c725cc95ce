"""What a network sees of an X-ray: standardised, perhaps equalised, resized and normalised as in its training."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from xraykit.render import InputError

from .frame import NetworkFrame

BINS, SPREAD, LEVELS = 256, 0.01, 4096


def network_input(
    images: Tensor, frame: NetworkFrame, *, standardization: Literal["image", "batch"] = "image"
) -> Tensor:
    """Network input from line integrals or any image in which bone is bright.

    x = (resize(equalize((I - min) / (max - min + 1e-6))) - mean) / std, flipped left to right first where the frame
    is mirrored. Resizing averages (bilinear with antialiasing).

    Args:
        images: (B, 1, N, N) as the X-ray source sees them, of the frame's field of view, N any size.
        frame: The network's frame.
        standardization: Minimum and maximum of each "image", or of the whole "batch" as xvr's training takes them (one
            image then depends on its batch mates).

    Returns:
        (B, 1, height, height), float32 unless `images` are float64.

    Raises:
        InputError: Another shape or type, or a pixel that is not finite.

    Gradients: with respect to the images.

    Source: xvr's XrayTransforms; differs in the per-image default, and in equalising by a table (below).
    """
    if images.ndim != 4 or images.shape[1] != 1 or images.shape[2] != images.shape[3] or not images.is_floating_point():
        raise InputError(
            f"images must be floating point (B, 1, N, N), got {images.dtype} of shape {tuple(images.shape)}; "
            "canonical_image makes a square one of any X-ray."
        )
    if standardization not in ("image", "batch"):
        raise InputError(f"standardization must be 'image' or 'batch', got {standardization!r}.")
    images = images if images.dtype == torch.float64 else images.float()
    images = images.flip(-1) if frame.mirrored else images
    axes = (1, 2, 3) if standardization == "image" else (0, 1, 2, 3)
    low, high = images.amin(axes, keepdim=True), images.amax(axes, keepdim=True)
    if not bool(torch.isfinite(low + high).all()):
        raise InputError("images must be finite, got NaN or infinity; replace dead pixels before.")
    images = (images - low) / (high - low + 1e-6)
    images = equalize(images) if frame.equalize else images
    if images.shape[-1] != frame.height:
        size = (frame.height, frame.height)
        images = torch.nn.functional.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)
    return (images - frame.mean) / frame.std


def equalize(images: Tensor) -> Tensor:
    """Soft histogram equalisation of images (B, 1, H, W) in [0, 1].

    With bins b at 256 even steps over [0, 1] and weights w_b(x) = exp(-(x - b)^2 / (2 spread^2)), spread 0.01: the
    histogram is h_b = sum over pixels of w_b, its cumulative sum is shifted and scaled to 0 in the first and 1 in
    the last bin, and a pixel becomes the mean of that curve under w(x).

    The result depends on a pixel's own value and the histogram alone. Both are therefore computed on 4096 levels,
    between which pixels are split linearly: memory grows with the pixels, not with pixels times bins.

    Gradients: with respect to the images, through their values and through the histogram.

    Accuracy: within 1e-4 of the sum over all pixels and bins (tests/xvr/network/test_preprocess.py).
    """
    batch = len(images)
    flat = images.reshape(batch, -1)
    place = flat * (LEVELS - 1)
    below = place.detach().floor().clamp(0, LEVELS - 2).long()
    share = place - below
    counts = flat.new_zeros(batch, LEVELS).scatter_add(1, below, 1 - share).scatter_add(1, below + 1, share)

    levels = torch.linspace(0, 1, LEVELS, dtype=flat.dtype, device=flat.device)
    bins = torch.linspace(0, 1, BINS, dtype=flat.dtype, device=flat.device)
    weights = torch.exp(-(levels[:, None] - bins).square() / (2 * SPREAD**2))
    histogram = counts @ weights
    cumulative = (histogram / histogram.sum(1, keepdim=True)).cumsum(1)
    first = cumulative[:, :1]
    curve = (cumulative - first) / (1 - first + 1e-10)
    table = curve @ (weights / weights.sum(1, keepdim=True)).T
    lower, upper = table.gather(1, below), table.gather(1, below + 1)
    return (lower + share * (upper - lower)).reshape(images.shape)
