"""Where a template with holes fits best into larger images: normalised cross-correlation of values and edges by FFT."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import Camera

from ..refine.similarity import sobel

_TINY = 1e-6  # of the largest local variance: below it there is nothing to correlate with


@dataclass(frozen=True, eq=False)
class Template:
    """An image to be found, and the weight of each of its pixels.

    Args:
        values: (1, 1, H, W); 0 where the weight is 0.
        weight: (1, 1, H, W), 0 to 1.
        principal_point: (x, y) [px] of its camera, in this image.
    """

    values: Tensor
    weight: Tensor
    principal_point: tuple[float, float]


def turned_template(image: Tensor, valid: Tensor, camera: Camera, roll: float) -> Template:
    """What a camera without roll would have seen where one with `roll` [degrees] took `image` (H, W).

    The canvas is square, centred on the principal point, and large enough for the whole image; pixel spacing stays.
    """
    _, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    (down, across), (x, y) = spacing[0].tolist(), centre[0].tolist()
    cos, sin = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    right, below = max(x, camera.width - x) * across, max(y, camera.height - y) * down
    half = max(right * abs(cos) + below * abs(sin), right * abs(sin) + below * abs(cos))
    side = math.ceil(2 * half / min(across, down))
    at = torch.arange(side, dtype=torch.float64) + 0.5 - side / 2
    px, py = at * across, at[:, None] * down
    u, v = (cos * px + sin * py) / across + x, (cos * py - sin * px) / down + y  # Rz(-roll), then to pixels
    grid = torch.stack([2 * u / camera.width - 1, 2 * v / camera.height - 1], dim=-1)[None].to(image)
    both = torch.stack([torch.where(valid, image, image[valid].median()), valid.to(image)])[None]
    turned = F.grid_sample(both, grid, align_corners=False)
    weight = (turned[:, 1:] > 0.99).to(image)
    return Template(turned[:, :1] * weight, weight, (side / 2, side / 2))


class SearchImages:
    """Images (B, 1, H, W) with the spectra of their values, squares, Sobel derivatives and edge energy, made once."""

    def __init__(self, images: Tensor) -> None:
        edges = sobel(images, padding=1)
        energy = edges.square().sum(1, keepdim=True)
        self.size = images.shape[-2:]
        self.values, self.power = torch.fft.rfft2(images), torch.fft.rfft2(images.square())
        self.edges, self.energy = torch.fft.rfft2(edges), torch.fft.rfft2(energy)

    def correlation(self, kernel: Tensor, spectrum: Tensor) -> Tensor:
        """Sum over x and channels of kernel(x) image(x + s), (B, H', W') for all s that keep the kernel inside."""
        product = (torch.fft.rfft2(kernel, s=self.size).conj() * spectrum).sum(1)
        height, width = (n - k + 1 for n, k in zip(self.size, kernel.shape[-2:], strict=True))
        return torch.fft.irfft2(product, s=self.size)[:, :height, :width]


def best_places(images: SearchImages, template: Template) -> tuple[Tensor, Tensor]:
    r"""The best place of a template in each image, and how well it fits there.

    The score at shift s is the mean of two normalised cross-correlations with the window x + s: that of the values,

        sum w (t - mean t) d / sqrt( sum w (t - mean t)^2 * (sum w d^2 - (sum w d)^2 / sum w) ),

    and that of the Sobel derivatives (both together, without means). All sums over x are correlations, done by FFT.

    Args:
        images: B images, at least as large as the template.
        template: What is looked for; it stays wholly inside the images.

    Returns:
        Scores (B,) in [-1, 1], and shifts (B, 2) [(x, y) px] of the template's corner, on the CPU.
    """
    device = images.values.device
    t, w = template.values.to(device), template.weight.to(device)
    total = w.sum()
    flat = w * (t - (w * t).sum() / total)
    variance = images.correlation(w, images.power) - images.correlation(w, images.values).square() / total
    alike = images.correlation(flat, images.values) / (_floored(variance) * flat.square().sum()).sqrt()

    inner = -F.max_pool2d(-F.pad(w, (1, 1, 1, 1)), 3, 1)  # where no neighbour is a hole
    edges = sobel(t, padding=1) * inner
    energy = _floored(images.correlation(inner, images.energy))
    contours = images.correlation(edges, images.edges) / (energy * edges.square().sum()).sqrt()

    score, place = ((alike + contours) / 2).flatten(1).max(1)
    shift = torch.stack([place % alike.shape[2], place // alike.shape[2]], dim=-1)
    return score.cpu(), shift.cpu()


def _floored(variance: Tensor) -> Tensor:
    return variance.clamp_min(_TINY * float(variance.max().clamp_min(1e-12)))
