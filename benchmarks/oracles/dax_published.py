"""The published preprocessing and augmentation, operation by operation and sample by sample, as an oracle."""

import random

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

BICUBIC, BILINEAR = v2.InterpolationMode.BICUBIC, v2.InterpolationMode.BILINEAR


def published_log(image: np.ndarray, *, k: float = 3.0, lowpass: float = 0.0) -> np.ndarray:
    """Steps 1 to 5: clip, normalise, -log, low-pass."""
    x = image.astype(np.float32)
    margin = len(x) // 8
    region = x[margin:-margin, margin:-margin]
    clip = np.median(region) + k * np.std(region)
    x = -np.log(np.maximum(np.minimum(x, clip) / clip, np.finfo(np.float32).eps))
    return x - gaussian_filter(x, sigma=lowpass) if lowpass else x


def published_scale(x: np.ndarray) -> np.ndarray:
    """Steps 6 and 7: minimum and maximum of the middle, clip."""
    x = x.astype(np.float32)
    margin = len(x) // 8
    region = x[margin:-margin, margin:-margin]
    return np.clip((x - region.min()) / (region.max() - region.min()), 0, 1)


def published_preprocess(image: np.ndarray, version: str) -> torch.Tensor:
    """(1, H, W); version B draws the branch and the clip."""
    if version == "A":
        x = published_log(image)
    elif random.random() < 0.5:
        x = published_log(image, k=random.uniform(2.0, 3.5))
    else:
        x = image
    return torch.from_numpy(published_scale(x))[None]


class RandomSharpness(torch.nn.Module):
    """Sharpness by a factor between 0.8 and 1.2."""

    def forward(self, x):
        return F.adjust_sharpness(x, random.uniform(0.8, 1.2))


def published_views(version: str, *, sizes=(224, 96), scales=((0.4, 1.0), (0.05, 0.4))) -> list:
    """The transforms of the first global, second global and a local view."""

    def crop(which):
        return v2.RandomResizedCrop(
            sizes[which], scale=scales[which], ratio=(1, 1), interpolation=BICUBIC, antialias=True
        )

    flips = [v2.RandomHorizontalFlip(0.5), v2.RandomVerticalFlip(0.5)]
    jitter = v2.RandomApply([v2.ColorJitter(brightness=0.4, contrast=0.4)], p=0.8)
    blur = v2.GaussianBlur(5, sigma=(0.1, 2.0))
    rotate = v2.RandomApply([v2.RandomRotation((-180, 180), interpolation=BILINEAR, fill=0)], p=0.8)
    solarize = v2.RandomSolarize(0.5, p=0.2)
    if version == "A":
        lists = (
            [crop(0), *flips, jitter, blur],
            [crop(0), *flips, jitter, v2.RandomApply([blur], p=0.1), solarize],
            [crop(1), *flips, jitter, v2.RandomApply([blur], p=0.5)],
        )
    else:
        lists = (
            [crop(0), *flips, jitter, RandomSharpness()],
            [rotate, crop(0), *flips, jitter, RandomSharpness(), solarize],
            [rotate, crop(1), *flips, jitter, RandomSharpness()],
        )
    return [v2.Compose(steps) for steps in lists]


def xray_like(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """A smooth 16-bit intensity with dark bones, a bright open beam and some noise; no zeros."""
    rng = np.random.default_rng(seed)
    lines = gaussian_filter(rng.standard_normal((height, width)), min(height, width) / 12)
    lines = 1.5 * (lines - lines.min()) / (lines.max() - lines.min())
    lines[height // 3 : height // 2, width // 5 : -width // 5] += 0.8
    counts = 40_000 * np.exp(-lines) * (1 + 0.01 * rng.standard_normal((height, width)))
    return np.clip(counts, 1, 65_535).astype(np.uint16)
