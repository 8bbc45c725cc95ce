"""Polychromatic Beer-Lambert: from the mass in each ray to the detector's signal relative to air."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..errors import InputError
from ..materials.materials import Material, find_material
from .detector import Detector
from .energy_nodes import energy_nodes
from .spectrum import AnySpectrum

_PIXELS_AT_ONCE = {"cpu": 2**14, "cuda": 2**20}  # what stays in a cache, what fills a GPU
_IDEAL = Detector(scintillator=None, blur=None)


def transmission(
    area_densities: Float[Tensor, "batch materials height width"],
    materials: Sequence[str | Material],
    spectrum: AnySpectrum,
    *,
    detector: Detector = _IDEAL,
    tolerance: float = 5e-4,
    moment: Literal[1, 2] = 1,
) -> Float[Tensor, "batch 1 height width"]:
    r"""The detector's mean signal in each pixel, divided by its signal with nothing in the beam.

        I = sum_E N(E) s(E) exp(-sum_m (mu / rho)_m(E) A_m) / sum_E N(E) s(E)

    with N the photons and s the signal of one photon (its energy times the share that is absorbed). Primary
    radiation only; scatter, noise and blur come after.

    Args:
        area_densities: Mass per area A along each ray [g/cm2], (B, M, H, W), floating point. Negative values are
            legal: a tool that displaces tissue takes some away.
        materials: The M materials, by name or as `Material`.
        spectrum: The beam; `MonochromaticSpectrum` gives exp(-mu A) for one energy.
        detector: Its scintillator gives photons their weight; its blur is not applied here.
        tolerance: Largest relative error of I from using few energies instead of all bins, for I > 1e-5;
            0 uses every bin. See `energy_nodes`.
        moment: 1 for the mean signal; 2 for the transmission of its second moment, s -> s^2 / absorption, which is
            what the variance of quantum noise follows: see `quanta_behind`.

    Returns:
        (B, 1, H, W), 1 where nothing attenuates, towards 0 behind dense objects.

    Raises:
        InputError: Shapes disagree, or a material or option is unknown.

    Gradients: with respect to area_densities, once; recomputed in the backward pass, so no energy is kept in memory.
    """
    resolved = tuple(find_material(material) for material in materials)
    if area_densities.ndim != 4 or area_densities.shape[1] != len(resolved):
        raise InputError(
            f"area_densities must be (B, {len(resolved)}, H, W) for {len(resolved)} materials, "
            f"got {tuple(area_densities.shape)}."
        )
    if not area_densities.is_floating_point():
        raise InputError(f"area_densities must be floating point, got {area_densities.dtype}.")
    if moment not in (1, 2):
        raise InputError(f"moment must be 1 or 2, got {moment!r}.")
    nodes = energy_nodes(spectrum, detector, resolved, tolerance=tolerance, moment=moment)
    attenuation = torch.as_tensor(nodes.mass_attenuation).to(area_densities)
    weights = torch.as_tensor(nodes.weights).to(area_densities)
    return _BeerLambert.apply(area_densities, attenuation, weights)


class _BeerLambert(torch.autograd.Function):
    """sum_k w_k exp(-mu_k . A) over the channels of A, chunk by chunk of pixels."""

    @staticmethod
    def forward(ctx: Any, area: Tensor, attenuation: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(area, attenuation, weights)
        out = area.new_empty(len(area), area.shape[2] * area.shape[3])
        for image, pixels, part in _chunks(area):
            out[image, pixels] = weights @ torch.exp(-(attenuation @ part))
        return out.reshape(len(area), 1, *area.shape[2:])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        area, attenuation, weights = ctx.saved_tensors
        slope = -(attenuation * weights[:, None]).T  # (M, K)
        grad = grad.reshape(len(area), -1)
        out = torch.empty_like(area, memory_format=torch.contiguous_format).flatten(2)
        for image, pixels, part in _chunks(area):
            out[image, :, pixels] = slope @ torch.exp(-(attenuation @ part)) * grad[image, pixels]
        return out.reshape(area.shape), None, None


def _chunks(area: Tensor):
    """(index of the image, slice of its pixels, their area densities (M, P))."""
    flat = area.flatten(2)
    size = _PIXELS_AT_ONCE.get(area.device.type, 2**16)
    for image in range(len(flat)):
        for start in range(0, flat.shape[2], size):
            pixels = slice(start, start + size)
            yield image, pixels, flat[image, :, pixels]
