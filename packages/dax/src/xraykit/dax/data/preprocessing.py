"""From linear intensities to images in [0, 1], the same for every image of a kind whatever its scale."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError

from .lowpass import gaussian_lowpass
from .region import counted, median_and_deviation, spread
from .settings import PreprocessSettings

EPSILON = float(torch.finfo(torch.float32).eps)  # smallest transmission


def preprocess(intensity: Tensor, settings: PreprocessSettings, *, field: Tensor | None = None) -> Tensor:
    r"""Attenuation relative to the open beam, bone bright, scaled by the image's middle; deterministic.

    c = median + k std of the intensities I in the middle region (see `region.middle`)
    x = -ln(max(min(I, c) / c, eps)), eps = 1.19e-7;  minus its Gaussian low-pass if asked for
    x = clip((x - min) / (max - min), 0, 1), min and max over the region

    Dead pixels (I <= 0) count as the smallest positive intensity of their image, where the published form makes
    them the brightest by far and so takes the contrast from all others. A constant image gives zeros.

    Args:
        intensity: (..., H, W), bone dark, on any scale, finite; integers or floating point.
        settings: `deviations`, `lowpass` and `field` are used here; `to_square` and `standardise` do the rest.
        field: (..., H, W) or (H, W) bool, the exposed field. With `settings.field` = "exposed" statistics come from it
            alone and the image is 0 beyond; else it is not looked at.

    Returns:
        (..., H, W) float32 in [0, 1].

    Raises:
        InputError: The image is empty or not finite; an exposed field is asked for and missing or empty.

    Gradients: none.

    Source: DAX (Scheuplein et al., MICCAI 2025), preprocessing version A.
    """

    def chain(image: Tensor, mask: Tensor | None) -> Tensor:
        median, deviation = median_and_deviation(counted(image, mask))
        x = attenuation(image, median + settings.deviations * deviation)
        if settings.lowpass:
            x = x - gaussian_lowpass(x, settings.lowpass)
        return _spread(x, mask)

    return _each(intensity, settings, field, chain)


def preprocess_linear(intensity: Tensor, settings: PreprocessSettings, *, field: Tensor | None = None) -> Tensor:
    r"""The intensity itself scaled by the image's middle: the other half of what augmentation B shows, bone dark.

    x = clip((I - min) / (max - min), 0, 1), min and max over the region.

    Args, Returns and Raises: as `preprocess`.
    """
    return _each(intensity, settings, field, _spread)


def attenuation(intensity: Tensor, clip: Tensor) -> Tensor:
    """-ln(min(I, clip) / clip) of one (H, W) image in [0, 15.95]; 0 everywhere if clip is not positive."""
    if not bool(clip > 0):
        return torch.zeros_like(intensity)
    smallest = intensity.amin()
    floor = EPSILON
    if not bool(smallest > 0):
        positive = intensity.masked_fill(intensity <= 0, torch.inf).amin()
        floor = max(EPSILON, min(1.0, float(positive / clip)))
    return (intensity / clip).clamp_(floor, 1).log_().neg_()


def standardise(images: Tensor, settings: PreprocessSettings) -> Tensor:
    """(images - mean) / std where the settings give both, else the images."""
    if settings.mean is None or settings.std is None:
        return images
    return (images - settings.mean) / settings.std


def finite_images(intensity: Tensor) -> Tensor:
    """(N, H, W) float32 of (..., H, W).

    Raises:
        InputError: Fewer than two axes, an empty axis, NaN or infinity.
    """
    if intensity.ndim < 2 or 0 in intensity.shape:
        raise InputError(f"an X-ray must have shape (..., H, W) with no empty axis, got {tuple(intensity.shape)}.")
    images = intensity.detach().to(torch.float32).reshape(-1, *intensity.shape[-2:])
    if not bool(torch.isfinite(torch.stack(images.aminmax())).all()):
        raise InputError("an X-ray must be finite in float32, got NaN or infinity; replace dead pixels by 0.")
    return images


def _spread(image: Tensor, field: Tensor | None) -> Tensor:
    low, high = counted(image, field).aminmax()
    scaled = spread(image, low, high)
    return scaled if field is None else scaled.masked_fill_(~field, 0)


def _each(intensity: Tensor, settings: PreprocessSettings, field: Tensor | None, chain) -> Tensor:
    images = finite_images(intensity)
    if settings.field == "whole":
        field = None
    elif field is None:
        raise InputError('field="exposed" needs the exposed field, got none; see xraykit.render.radiographs.')
    masks = [None] * len(images)
    if field is not None:
        masks = list(field.to(images.device).expand(intensity.shape).reshape(images.shape))
    return torch.stack([chain(*pair) for pair in zip(images, masks, strict=True)]).reshape(intensity.shape)
