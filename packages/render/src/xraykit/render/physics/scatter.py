"""A fast estimate of scattered radiation: a broad kernel over where the object scatters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Pair
from .detector import pair_of

_OBJECT, _OPEN = 0.92, 0.98  # transmission below which a pixel is all object, above which it is none
_FAINTEST = 1e-6
_CELLS_PER_WIDTH = 2.5  # coarse cells per standard deviation of the narrowest Gaussian


@dataclass(frozen=True)
class ScatterKernel:
    """How far from its ray scattered radiation arrives: a sum of Gaussians on the detector.

    Args:
        widths: Standard deviation of each Gaussian [mm at the detector], positive.
        weights: Share of each, positive; normalised to add up to 1.

    The defaults are of the size that fits to Monte Carlo kernels have for bodies of 20 to 30 cm and gaps of 10 to
    30 cm (tens of millimetres for photons scattered near the detector, about a hundred for multiple scatter). They
    were not fitted to a particular machine: fit yours if the distribution of scatter matters.

    Raises:
        InputError: No Gaussian, or a number that is not positive and finite.
    """

    widths: tuple[float, ...] = (25.0, 90.0)
    weights: tuple[float, ...] = (0.3, 0.7)

    def __post_init__(self) -> None:
        numbers = (*self.widths, *self.weights)
        if not self.widths or len(self.widths) != len(self.weights):
            raise InputError(f"widths and weights must be equally many, got {self.widths} and {self.weights}.")
        if not all(math.isfinite(number) and number > 0 for number in numbers):
            raise InputError(f"widths and weights must be positive, got {self.widths} and {self.weights}.")
        object.__setattr__(self, "weights", tuple(weight / sum(self.weights) for weight in self.weights))


_BODY = ScatterKernel()


def estimate_scatter(
    transmission: Float[Tensor, "batch 1 height width"],
    scatter_to_primary: float,
    *,
    pixel_spacing: Pair,
    field: Float[Tensor, "*leading #width"] | None = None,
    kernel: ScatterKernel = _BODY,
) -> Float[Tensor, "batch 1 height width"]:
    r"""Scattered signal in each pixel, in units of the primary signal in air.

        S = c * (k convolved with q),    q = -F T ln T,    c so that sum_object S = scatter_to_primary * sum_object F T

    T is the primary transmission, F the illumination, k the kernel (of integral 1). A ray scatters in proportion to
    its interactions (-ln T) and to what is left of them on the way out (T). The scale is not predicted but given:
    `scatter_to_primary` is the ratio of mean scatter to mean primary over the object of each image. A pixel is object
    where T < 0.92 and open field where T > 0.98; in between its weight falls smoothly (3 x^2 - 2 x^3), so that S stays
    differentiable while an outline moves across pixels. On a uniform slab whose edges are many kernel widths away,
    S / (F T) is that number in every pixel.

    What lies outside the image neither scatters nor is reached: near the border of a collimated field scatter falls
    off as it does physically, near the border of a cropped image it falls off too early. Scatter is white light here:
    its spectrum is that of the signal, and an anti-scatter grid is part of the ratio.

    Args:
        transmission: Primary transmission T, (B, 1, H, W), 0 to about 1.
        scatter_to_primary: The knob, 0 or more. Both means are taken over the whole object, so bright parts
            weigh most: in a chest at 80 kV, 0.2 gives a local ratio of 0.4 in the lungs and 3 below the diaphragm.
        pixel_spacing: Pixel pitch at the detector (row, column) [mm], or one number; (B, 2) for one per image.
        field: Illumination F that broadcasts to T, such as a collimator's mask; None is 1.
        kernel: The spread on the detector.

    Returns:
        (B, 1, H, W), 0 or more; all zero where an image shows no object.

    Raises:
        InputError: The knob is negative or not finite, the transmission is no (B, 1, H, W), or a kernel is narrower
            than half a pixel.

    Gradients: with respect to transmission and field.

    Accuracy: q is averaged over cells of 0.4 kernel widths and spread by exact Gaussian integrals; under 0.5 % of the
        convolution at full resolution.

    Source: B. Ohnesorge, T. Flohr, K. Klingenbeck-Regn, Eur Radiol 9, 563 (1999) for the scatter potential; M. Sun and
        J. Star-Lack, Phys Med Biol 55, 6695 (2010) for sums of Gaussians as kernel.
    """
    if not (math.isfinite(scatter_to_primary) and scatter_to_primary >= 0):
        raise InputError(f"scatter_to_primary must be 0 or more and finite, got {scatter_to_primary}.")
    if transmission.ndim != 4 or transmission.shape[1] != 1:
        raise InputError(f"transmission must be (B, 1, H, W), got {tuple(transmission.shape)}.")
    lit = torch.ones_like(transmission) if field is None else field.to(transmission).expand_as(transmission)
    attenuation = -torch.log(transmission.clamp(_FAINTEST, 1.0))
    spread = _spread(lit * transmission * attenuation, kernel, pair_of(pixel_spacing, transmission))
    share = _object_share(transmission)
    primary = (share * lit * transmission).sum(dim=(2, 3), keepdim=True)
    scattered = (share * spread).sum(dim=(2, 3), keepdim=True)
    seen = scattered > 0
    return torch.where(seen, scatter_to_primary * primary / torch.where(seen, scattered, 1.0), 0.0) * spread


def _object_share(transmission: Tensor) -> Tensor:
    """How far each pixel belongs to the object, 0 to 1, with a continuous slope."""
    x = ((_OPEN - transmission) / (_OPEN - _OBJECT)).clamp(0.0, 1.0)
    return x * x * (3 - 2 * x)


def _spread(potential: Tensor, kernel: ScatterKernel, spacing: Tensor) -> Tensor:
    """The potential convolved with the kernel, through coarse cells; zero outside the image."""
    height, width = potential.shape[-2:]
    finest = min(kernel.widths) / _CELLS_PER_WIDTH
    pitch = spacing.detach().amax(dim=0).tolist()
    if min(kernel.widths) < max(pitch) / 2:
        raise InputError(
            f"widths must be at least half a pixel, {max(pitch) / 2:g} mm, got {min(kernel.widths):g} mm; leave the "
            "narrow Gaussian to the detector's blur."
        )
    rows, columns = (
        min(size, math.ceil(size * step / finest)) for size, step in zip((height, width), pitch, strict=True)
    )
    down = _averages(height, rows, potential), _averages(width, columns, potential)
    coarse = down[0] @ potential @ down[1].T
    total = torch.zeros_like(potential)
    for sigma, weight in zip(kernel.widths, kernel.weights, strict=True):
        across = _gaussian_masses(height, rows, sigma / spacing[:, 0], potential)
        along = _gaussian_masses(width, columns, sigma / spacing[:, 1], potential)
        total = total + weight * (across @ coarse @ along.mT)
    return total


def _averages(size: int, cells: int, like: Tensor) -> Tensor:
    """The matrix that averages `size` pixels over `cells` equal cells, (cells, size)."""
    edges = torch.linspace(0, size, cells + 1, dtype=like.dtype, device=like.device)
    pixel = torch.arange(size, dtype=like.dtype, device=like.device)
    overlap = torch.minimum(edges[1:, None], pixel + 1) - torch.maximum(edges[:-1, None], pixel)
    return overlap.clamp(min=0.0) * cells / size


def _gaussian_masses(size: int, cells: int, sigma: Tensor, like: Tensor) -> Tensor:
    """Mass of a Gaussian around each pixel's centre that falls into each cell, (B or 1, 1, size, cells).

    Averaging over cells of c pixels and spreading evenly over them blurs twice with a box, whose variance is c^2 / 12
    each; the Gaussian is narrowed by as much.
    """
    sigma = (sigma**2 - (size / cells) ** 2 / 6).sqrt()
    edges = torch.linspace(0, size, cells + 1, dtype=like.dtype, device=like.device)
    centre = torch.arange(size, dtype=like.dtype, device=like.device) + 0.5
    cumulative = torch.erf((edges - centre[:, None]) / (math.sqrt(2.0) * sigma[:, None, None])) / 2
    return cumulative.diff(dim=-1)[:, None]
