"""Brightness, contrast, blur, sharpness and solarization of many views at once, each with its own strength."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .draw import ViewDraws
from .views import THRESHOLD


def change_grey_values(views: Tensor, draws: ViewDraws) -> Tensor:
    """All changes of grey values that were drawn, in the published order; the views may be changed in place.

    Args:
        views: (B, V, S, S).
        draws: Of B frames and V views.

    Returns:
        (B, V, S, S).
    """
    flat = views.flatten(0, 1)[:, None]
    flat = _where(flat, draws.jittered, _jittered, draws.brightness, draws.contrast, draws.contrast_first)
    flat = _where(flat, draws.blur_sigma > 0, blurred, draws.blur_sigma)
    flat = _where(flat, ~np.isnan(draws.sharpness), sharpened, draws.sharpness)
    flat = _where(flat, draws.solarized, solarized)
    return flat.reshape(views.shape)


def _jittered(views: Tensor, brightness: Tensor, contrast: Tensor, contrast_first: Tensor) -> Tensor:
    """Brightness and contrast, or the other way round: both blend with something grey, and clip."""
    first = contrast_first.to(views)
    views = _blended(views, torch.lerp(brightness, contrast, first), first)
    return _blended(views, torch.lerp(contrast, brightness, first), 1 - first)


def _blended(views: Tensor, factor: Tensor, towards_mean: Tensor) -> Tensor:
    """clip(factor x + (1 - factor) grey, 0, 1); grey is black, or the view's mean where `towards_mean` is 1."""
    grey = views.mean((-2, -1), keepdim=True) * towards_mean
    return torch.addcmul(grey * (1 - factor), views, factor).clamp_(0, 1)


def brightened(views: Tensor, factor: Tensor) -> Tensor:
    """clip(factor x, 0, 1) of (N, 1, H, W) views, factor (N, 1, 1, 1), as torchvision's `adjust_brightness`."""
    return _blended(views, factor, torch.zeros_like(factor))


def contrasted(views: Tensor, factor: Tensor) -> Tensor:
    """clip(factor x + (1 - factor) mean(x), 0, 1), as torchvision's `adjust_contrast`."""
    return _blended(views, factor, torch.ones_like(factor))


def blurred(views: Tensor, sigma: Tensor) -> Tensor:
    """Views smoothed by a Gaussian cut to 5 x 5 pixels, mirrored at the border, as torchvision's `gaussian_blur`."""
    steps = torch.arange(3, device=views.device, dtype=views.dtype)
    half = torch.exp(-0.5 * (steps / sigma) ** 2)  # (N, 1, 1, 3)
    half = half / (half[..., :1] + 2 * half[..., 1:].sum(-1, keepdim=True))
    middle, near, far = half.split(1, -1)
    x = F.pad(views, (2, 2, 2, 2), mode="reflect")
    x = x[..., 2:-2] * middle + (x[..., 1:-3] + x[..., 3:-1]) * near + (x[..., :-4] + x[..., 4:]) * far
    return (
        x[..., 2:-2, :] * middle + (x[..., 1:-3, :] + x[..., 3:-1, :]) * near + (x[..., :-4, :] + x[..., 4:, :]) * far
    )


def sharpened(views: Tensor, factor: Tensor) -> Tensor:
    """clip(factor x + (1 - factor) smooth, 0, 1), as torchvision's `adjust_sharpness`.

    smooth is x under [[1, 1, 1], [1, 5, 1], [1, 1, 1]] / 13, and x itself in the outermost pixels.
    """
    if min(views.shape[-2:]) < 3:
        return views
    rows = views[..., :-2, :] + views[..., 1:-1, :] + views[..., 2:, :]
    sums = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    views = views.clone()
    inner = views[..., 1:-1, 1:-1]
    inner.mul_(factor + (1 - factor) * (4 / 13)).addcmul_(sums, (1 - factor) / 13)
    return views.clamp_(0, 1)


def solarized(views: Tensor) -> Tensor:
    """1 - x where x is at least one half."""
    return torch.where(views >= THRESHOLD, 1 - views, views)


def _where(
    views: Tensor, chosen: NDArray[np.bool_], change: Callable[..., Tensor], *numbers: NDArray[np.generic]
) -> Tensor:
    """The views (N, 1, H, W) with those changed that were chosen; numbers (N) of each go to `change`."""
    chosen = chosen.reshape(-1)
    if not chosen.any():
        return views
    parts = [
        torch.from_numpy(array.reshape(-1)[chosen].astype(np.float32)).to(views.device)[:, None, None, None]
        for array in numbers
    ]
    if chosen.all():
        return change(views, *parts)
    index = torch.from_numpy(chosen.nonzero()[0]).to(views.device)
    return views.index_copy_(0, index, change(views[index], *parts))
