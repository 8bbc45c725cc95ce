"""Quantum and readout noise at a stated dose."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError


def add_quantum_noise(
    intensity: Float[Tensor, "batch 1 height width"],
    quanta: float | Float[Tensor, "*#over #width"] | Float[Tensor, ""],
    *,
    generator: torch.Generator | None = None,
    law: Literal["poisson", "gaussian"] = "poisson",
) -> Float[Tensor, "batch 1 height width"]:
    r"""The intensity as counted with `quanta` quanta per pixel in air.

        poisson:  I' = Poisson(quanta I) / quanta        mean I, variance I / quanta, nothing negative
        gaussian: I' = I + sqrt(I / quanta) n            the same two moments, differentiable in I; n standard normal

    For an energy-integrating detector `quanta` is photons per pixel times `detected_quanta(spectrum, detector)`:
    the signal of photons of many energies is a compound Poisson sum, matched here in mean and variance. That number
    holds in air. Behind a patient the beam is harder, each quantum worth more, and the variance larger (by 21 % behind
    20 cm of water at 80 kV): `quanta_behind` gives the map that has it right.

    Args:
        intensity: Relative to air, (B, C, H, W), not negative; scattered radiation included, for it is noisy too.
        quanta: Quanta per pixel in air, positive; a tensor that broadcasts (an illumination map) is legal.
        generator: Source of randomness on the intensity's device; the same seed gives the same image on the same
            device.
        law: "poisson" counts; "gaussian" is for gradients and large counts.

    Raises:
        InputError: quanta or an intensity is not positive and finite, or the law is unknown.

    Gradients: "gaussian": with respect to intensity and quanta, noise held fixed (flat below 1 / 100 of a quantum,
    where the root's slope diverges). "poisson": none, and an intensity that requires a gradient is refused.
    """
    quanta = _positive(quanta, "quanta", intensity)
    if not bool((intensity.detach() >= 0).all()):
        raise InputError("intensity must be 0 or more and not NaN, got a value that is not.")
    if law == "gaussian":
        normal = _normal_like(intensity, generator)
        return intensity + ((intensity * quanta).clamp(min=0.01)).sqrt() / quanta * normal
    if law != "poisson":
        raise InputError(f"law must be 'poisson' or 'gaussian', got {law!r}.")
    if intensity.requires_grad and torch.is_grad_enabled():
        raise InputError("counts have no gradient: use law='gaussian', or intensity.detach().")
    return torch.poisson(intensity * quanta, generator=generator) / quanta


def quanta_behind(
    quanta: float | Float[Tensor, "*#over #width"] | Float[Tensor, ""],
    transmitted: Float[Tensor, "batch 1 height width"],
    second_moment: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, "batch 1 height width"]:
    r"""Quanta per pixel in air that give the noise its right variance behind an object.

        quanta * I / I_2,    I = transmission(..., moment=1),    I_2 = transmission(..., moment=2)

    since the variance of the signal follows its second moment: Var I' = I_2 / quanta. Smaller than `quanta`
    wherever the object hardens the beam; equal to it in air. Where almost nothing comes through (I_2 < 1e-12) the
    last ratio is kept finite by that floor.

    Args:
        quanta: Quanta per pixel in air, positive.
        transmitted: I, primary radiation, (B, 1, H, W).
        second_moment: I_2, of the same shape.

    Gradients: with respect to all three.
    """
    floor = 1e-12
    return quanta * transmitted.clamp(min=floor) / second_moment.clamp(min=floor)


def add_readout_noise(
    intensity: Float[Tensor, "batch 1 height width"], std: float, *, generator: torch.Generator | None = None
) -> Float[Tensor, "batch 1 height width"]:
    """The intensity plus the electronics' Gaussian noise of standard deviation `std` [air signal], 0 or more.

    A readout noise of r quanta in a pixel that counts N quanta in air is std = r / N. Values can become negative.

    Gradients: with respect to intensity (the identity).

    Raises:
        InputError: std is negative or not finite.
    """
    if not (math.isfinite(std) and std >= 0):
        raise InputError(f"std must be 0 or more and finite, got {std}.")
    return intensity + std * _normal_like(intensity, generator)


def _normal_like(intensity: Tensor, generator: torch.Generator | None) -> Tensor:
    shape, dtype = intensity.shape, intensity.dtype
    return torch.randn(shape, dtype=dtype, device=intensity.device, generator=generator)


def _positive(value: float | Tensor, name: str, like: Tensor) -> Tensor:
    tensor = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if not bool(((tensor > 0) & torch.isfinite(tensor)).all()):
        raise InputError(f"{name} must be positive and finite, got {float(tensor.detach().min())}; dose 0 is no image.")
    return tensor
