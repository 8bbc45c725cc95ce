"""What a training does to the look of an X-ray, so that no maker's processing is learned; masks stay as they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .equalisation import equalise
from .settings import AppearanceSettings, DropoutSettings, ToneSettings

_LAPLACIAN = ((0.0, -1.0, 0.0), (-1.0, 5.0, -1.0), (0.0, -1.0, 0.0))
_RELIEF = ((-1.0, -1.0, 0.0), (-1.0, 1.0, 1.0), (0.0, 1.0, 1.0))
_QUANTILE_PIXELS = 4096  # about so many are looked at to find where the darkest and brightest begin


def change_tone(grey: Tensor, settings: ToneSettings, rng: np.random.Generator) -> Tensor:
    """An image on another grey scale: cut off at both ends now and then, and by another exponent.

    Args:
        grey: (H, W) of any range.
        settings: How much.
        rng: Random numbers; always as many of them are taken.

    Returns:
        (H, W) float32 in [0, 1], the darkest pixel 0 and the brightest 1; zeros if all are alike.
    """
    clip, low, high = rng.random(3)
    exponent = math.exp(settings.gamma * float(rng.uniform(-1, 1)))
    first, last = (float(value) for value in torch.aminmax(grey))
    if clip < settings.clip:
        values = grey.flatten()[:: max(1, grey.numel() // _QUANTILE_PIXELS)].sort().values
        places = settings.most * float(low), 1 - settings.most * float(high)
        bounds = [float(values[round(place * (len(values) - 1))]) for place in places]
        first, last = bounds if bounds[0] < bounds[1] else (first, last)
    if not first < last:
        return torch.zeros_like(grey, dtype=torch.float32)
    shares = ((grey - first) / (last - first)).clamp_(0, 1)
    return shares.pow_(exponent) if settings.gamma else shares


def change_appearance(windows: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """The three windows after inversion, and equalised or with a few other changes.

    Args:
        windows: (3, H, W) in [0, 1].
        settings: What may be drawn.
        rng: Random numbers.

    Returns:
        (3, H, W) float32 in [0, 1]; a new tensor.
    """
    invert, changed, equalised = rng.random(3)
    image = 1 - windows if invert < settings.invert else windows.clone()
    if changed >= settings.changed:
        return image
    if equalised < settings.equalise:
        how = settings.equalisation
        return equalise(
            image, limit=float(rng.uniform(*how.limit)), tiles=int(rng.integers(how.tiles[0], how.tiles[1] + 1))
        )
    weights = np.array([weight for _, weight in CHANGES])
    count = int(rng.integers(settings.count[0], settings.count[1] + 1))
    for index in rng.choice(len(CHANGES), count, replace=False, p=weights / weights.sum()).tolist():
        image = CHANGES[index][0](image, settings, rng)
    return image


def _blurred(image: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """Out of focus, or moved along a line."""
    motion, size, angle = rng.random(3)
    sigma = settings.blur * float(size) * max(image.shape[-2:]) / 256
    if sigma < 0.2:
        return image
    reach = max(1, math.ceil((2 if motion < 0.5 else 3) * sigma))
    axis = torch.arange(-reach, reach + 1, dtype=torch.float32)
    if motion < 0.5:
        direction = math.pi * float(angle)
        across = (axis[None] * math.sin(direction) - axis[:, None] * math.cos(direction)).abs()
        kernel = (1 - across).clamp_min(0) * ((axis[None] ** 2 + axis[:, None] ** 2) <= (reach + 0.5) ** 2)
        return _filtered(image, kernel / kernel.sum())
    line = torch.exp(-(axis**2) / (2 * sigma**2))
    line = line / line.sum()
    return _filtered(_filtered(image, line[None]), line[:, None])


def _sharpened(image: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """With edges raised, or as a relief."""
    relief, share = rng.random(), float(rng.uniform(*settings.sharpen))
    kernel = torch.tensor(_RELIEF if relief < 0.5 else _LAPLACIAN)
    return image.lerp(_filtered(image, kernel), share).clamp_(0, 1)


def _contrast(image: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """Contrast about the mean, never turned round."""
    factor, mean = max(1 + settings.contrast * float(rng.uniform(-1, 1)), 0.1), image.mean()
    return ((image - mean) * factor + mean).clamp_(0, 1)


def _local_contrast(image: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """Contrast about mid-grey that differs near a point."""
    x, y = rng.random(2)
    height, width = image.shape[-2:]
    sigma = float(rng.uniform(0.1, 0.5)) * min(height, width)
    change = settings.local_contrast * float(rng.uniform(-1, 1))
    u = torch.exp(-((torch.arange(width) + 0.5 - float(x) * width) ** 2) / (2 * sigma**2))
    v = torch.exp(-((torch.arange(height) + 0.5 - float(y) * height) ** 2) / (2 * sigma**2))
    return (0.5 + (image - 0.5) * (1 + change * v[:, None] * u)).clamp_(0, 1)


def _veiled(image: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """A white haze that is denser towards one side."""
    share, angle = settings.veil * float(rng.random()), 2 * math.pi * float(rng.random())
    height, width = image.shape[-2:]
    u = torch.linspace(-math.cos(angle), math.cos(angle), width)
    v = torch.linspace(-math.sin(angle), math.sin(angle), height)
    haze = share * (0.5 + 0.25 * (u + v[:, None])).clamp(0, 1)
    return image + haze * (1 - image)


def _noisy(image: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """The same noise in all windows, in grains of one or two pixels."""
    sigma, grain = settings.noise * float(rng.random()), 1 + int(rng.integers(2))
    height, width = image.shape[-2:]
    noise = torch.from_numpy(rng.standard_normal((-(-height // grain), -(-width // grain)), dtype=np.float32))
    if grain > 1:
        noise = noise.repeat_interleave(grain, 0).repeat_interleave(grain, 1)[:height, :width]
    return (image + sigma * noise).clamp_(0, 1)


def _dropped(image: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """Single pixels or boxes blacked out."""
    drop: DropoutSettings = settings.dropout
    height, width = image.shape[-2:]
    if rng.random() < 0.5:
        gone = torch.from_numpy(rng.random((height, width), dtype=np.float32) < drop.pixels)
        return image.masked_fill_(gone, 0)
    for _ in range(int(rng.integers(drop.boxes[0], drop.boxes[1] + 1))):
        rows, columns = (max(1, round(float(rng.uniform(*drop.edge)) * side)) for side in (height, width))
        top, left = int(rng.integers(max(1, height - rows + 1))), int(rng.integers(max(1, width - columns + 1)))
        image[:, top : top + rows, left : left + columns] = 0
    return image


def _shuffled(image: Tensor, settings: AppearanceSettings, rng: np.random.Generator) -> Tensor:
    """The windows in another order, in half of the cases."""
    order = rng.permutation(len(image)).tolist()
    return image[order] if rng.random() < 0.5 else image


def _filtered(image: Tensor, kernel: Tensor) -> Tensor:
    """Each channel correlated with a kernel of odd sides, its border repeated."""
    up, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = F.pad(image[:, None], (left, left, up, up), mode="replicate")
    return F.conv2d(padded, kernel[None, None])[:, 0]


Change = Callable[[Tensor, AppearanceSettings, np.random.Generator], Tensor]
CHANGES: tuple[tuple[Change, float], ...] = (
    (_blurred, 1.0),
    (_sharpened, 1.0),
    (_contrast, 1.0),
    (_local_contrast, 1.0),
    (_veiled, 1.0),
    (_noisy, 1.0),
    (_dropped, 3.0),
    (_shuffled, 1.0),
)
"""What may happen to an image that is not equalised, and how likely it is relative to the others."""
