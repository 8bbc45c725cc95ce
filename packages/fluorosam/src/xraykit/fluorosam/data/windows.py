"""Three windows of a grey image: as it is, and stretched where its darker and its brighter half lie."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError


def three_windows(image: Tensor, *, samples: int = 1000) -> Tensor:
    r"""An image by three windows, each in [0, 1] and each growing with the grey value.

    The first is (I - min) / (max - min). For the others grey values fall into two clusters by exact 2-means; with a
    cluster's centre m, deviation s and range a to b the window's bounds are l = max(m - 3 s, a) and
    h = min(m + 3 s, b), and it takes min to l linearly to 0 to 0.1, l to h to 0.1 to 0.9, h to max to 0.9 to 1. The
    darker cluster comes first. Nothing changes when the image is multiplied by a positive number or a number is added.

    Args:
        image: (H, W), any finite numbers.
        samples: N; the centres are those of every (H W // N)-th pixel, row by row, at least N of them.

    Returns:
        (3, H, W) float32; zeros for a constant image.

    Raises:
        InputError: Another shape, no pixels, or NaN or infinity.

    Source: the preprocessing of FluoroSAM (Killeen et al., MICCAI 2025), whose k-means starts at random.
    """
    grey = _checked(image)
    low, high = (float(value) for value in torch.aminmax(grey))
    if low == high:
        return torch.zeros(3, *grey.shape, device=grey.device)
    shares = ((grey - low) / (high - low)).float()  # in float64 up to here: 16-bit and larger values keep their steps
    flat = shares.flatten()
    centres = two_means(flat[:: max(1, len(flat) // samples)])
    brighter = shares > sum(centres) / 2
    windows = [shares]
    for centre, members in zip(centres, (~brighter, brighter), strict=True):
        values = shares[members]
        if not len(values):  # the sampled pixels are all alike
            windows.append(shares)
            continue
        spread = 3 * float(values.double().std(correction=0))
        first, last = max(centre - spread, float(values.min())), min(centre + spread, float(values.max()))
        windows.append(_stretched(shares, first, last))
    return torch.stack(windows)


def two_means(values: Tensor) -> tuple[float, float]:
    """Centres of the two clusters with the least sum of squared distances, the smaller first, equal if all are.

    In one dimension clusters are intervals, so all splits of the sorted values are tried: the result is exact, as
    Otsu's threshold is, and always the same. Of splits that are equally good the lowest is taken.

    Args:
        values: (N,), N >= 1, finite.

    Source: Otsu, IEEE Trans. SMC 1979.
    """
    x = values.double().sort().values
    count, middle = len(x), float(x.mean())
    running = (x - middle).cumsum(0)
    below, above = running[:-1], running[-1] - running[:-1]
    left = torch.arange(1, count, dtype=torch.float64, device=x.device)
    gain = below.square() / left + above.square() / (count - left)
    gain[x[1:] == x[:-1]] = -1.0
    if not len(gain) or float(gain.max()) < 0:
        return middle, middle
    split = int(gain.argmax()) + 1
    return float(x[:split].mean()), float(x[split:].mean())


def _stretched(shares: Tensor, first: float, last: float) -> Tensor:
    """Piecewise linear from 0, `first`, `last`, 1 to 0, 0.1, 0.9, 1; a piece without length is a step."""
    below = 0.1 * shares / first if first > 0 else torch.full_like(shares, 0.1)
    inside = 0.1 + 0.8 * (shares - first) / (last - first) if last > first else torch.full_like(shares, 0.5)
    above = 0.9 + 0.1 * (shares - last) / (1 - last) if last < 1 else torch.full_like(shares, 0.9)
    out = torch.where(shares <= first, below, torch.where(shares <= last, inside, above))
    return out.clamp(0, 1)


def _checked(image: Tensor) -> Tensor:
    if image.ndim != 2 or not image.numel() or image.is_complex():
        raise InputError(f"an image must be (H, W) grey values, got {tuple(image.shape)} {image.dtype}.")
    grey = image.double()
    if not bool(torch.isfinite(grey).all()):
        raise InputError("an image must hold finite grey values, got NaN or infinity; mask or fill such pixels first.")
    return grey
