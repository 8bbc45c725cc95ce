"""How alike two images are, whatever their gain and offset: NCC of the whole, of patches and of edges."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError
from xraykit.render.geometry import full_precision

EPSILON = 1e-5
"""Added to each variance, as published."""
PATCH, GRADIENT_PATCH = 9, 11
_SOBEL = ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0))


@full_precision
def ncc(first: Tensor, second: Tensor, valid: Tensor | None = None) -> Tensor:
    r"""Normalised cross-correlation of whole images.

        NCC = mean( (a - mean a) / sqrt(var a + e) * (b - mean b) / sqrt(var b + e) ),    e = 1e-5, biased variance

    Args:
        first: (B, C, H, W) floating point; each channel is compared by itself and the channels are averaged.
        second: Same shape, or one that broadcasts to it.
        valid: Booleans (H, W) or (B, 1, H, W): the pixels that count; None is all of them.

    Returns:
        (B,) in [-1, 1].

    Gradients: to both images.

    Source: Gopalakrishnan et al., Rapid patient-specific neural networks ..., equation of the image similarity.
    """
    first, second = torch.broadcast_tensors(first, second)
    weight = torch.ones_like(first[:, :1]) if valid is None else valid.to(first).expand_as(first[:, :1])
    weight = weight / weight.sum(dim=(2, 3), keepdim=True).clamp_min(1)

    def centred(image: Tensor) -> Tensor:
        image = image - (weight * image).sum(dim=(2, 3), keepdim=True)
        return image / ((weight * image.square()).sum(dim=(2, 3), keepdim=True) + EPSILON).sqrt()

    return (weight * centred(first) * centred(second)).sum(dim=(2, 3)).mean(1)


@full_precision
def patch_ncc(first: Tensor, second: Tensor, patch: int = PATCH, valid: Tensor | None = None) -> Tensor:
    """The mean of `ncc` over all windows of patch x patch pixels (stride 1); with `valid`, over those wholly inside.

    Args:
        first: (B, C, H, W) floating point.
        second: Same shape, or one that broadcasts to it.
        patch: Side of a window [px], at most min(H, W).
        valid: As in `ncc`.

    Returns:
        (B,) in [-1, 1].

    Raises:
        InputError: The window is larger than the image.

    Gradients: to both images.
    """
    first, second = torch.broadcast_tensors(first, second)
    a, b = (image - image.detach().mean(dim=(2, 3), keepdim=True) for image in (first, second))
    mean_a, mean_b = box_mean(a, patch), box_mean(b, patch)
    covariance = box_mean(a * b, patch) - mean_a * mean_b
    variance_a = (box_mean(a.square(), patch) - mean_a.square()).clamp_min(0)
    variance_b = (box_mean(b.square(), patch) - mean_b.square()).clamp_min(0)
    local = covariance / ((variance_a + EPSILON) * (variance_b + EPSILON)).sqrt()
    if valid is None:
        return local.mean(dim=(1, 2, 3))
    inside = (box_mean(valid.to(first).expand_as(first[:, :1]), patch) > 1 - 0.5 / patch**2).to(local)
    return (local.mean(1, keepdim=True) * inside).sum(dim=(1, 2, 3)) / inside.sum(dim=(1, 2, 3)).clamp_min(1)


@full_precision
def mncc(first: Tensor, second: Tensor, patch: int = PATCH, valid: Tensor | None = None) -> Tensor:
    """Multiscale NCC, (B,): half `ncc`, half `patch_ncc`."""
    return (ncc(first, second, valid) + patch_ncc(first, second, patch, valid)) / 2


@full_precision
def gradient_ncc(first: Tensor, second: Tensor, patch: int = GRADIENT_PATCH, valid: Tensor | None = None) -> Tensor:
    """`patch_ncc` of the Sobel derivatives of both images, (B,)."""
    first, second = torch.broadcast_tensors(first, second)
    return patch_ncc(sobel(first, padding=1), sobel(second, padding=1), patch, valid)


def sobel(image: Tensor, *, padding: int = 0) -> Tensor:
    """Horizontal and vertical Sobel derivatives (B, 2 C, H', W') of (B, C, H, W); H' = H - 2 without padding."""
    across = image.new_tensor(_SOBEL)
    kernels = torch.stack([across, across.T])[:, None].repeat(image.shape[1], 1, 1, 1)
    return F.conv2d(image, kernels, padding=padding, groups=image.shape[1])


def box_mean(image: Tensor, patch: int) -> Tensor:
    """The mean over every window of patch x patch pixels, (B, C, H - patch + 1, W - patch + 1)."""
    if not 1 <= patch <= min(image.shape[2:]):
        size = "x".join(map(str, image.shape[2:]))
        raise InputError(f"patch must lie between 1 and the image's sides, got {patch} for an image of {size}.")
    return _running_sum(_running_sum(image, patch, 2), patch, 3) / patch**2


def _running_sum(image: Tensor, count: int, axis: int) -> Tensor:
    """Sums of `count` neighbours along an axis, from sums of 1, 2, 4, ...: log2(count) passes over whole images."""
    length, at, block, width = image.shape[axis] - count + 1, 0, image, 1
    total: Tensor | None = None
    while True:
        if count & width:
            part = block.narrow(axis, at, length)
            total, at = part if total is None else total + part, at + width
        if 2 * width > count:
            assert total is not None  # noqa: S101 - the highest bit of a count is set
            return total
        block = block.narrow(axis, 0, block.shape[axis] - width) + block.narrow(axis, width, block.shape[axis] - width)
        width *= 2


def standardised(image: Tensor, valid: Tensor) -> Tensor:
    """The image (H, W) with mean 0 and standard deviation 1 over its valid pixels (H, W)."""
    inside = image[valid]
    return (image - inside.mean()) / inside.std().clamp_min(1e-9)
