"""The detector: how much of a photon it counts, and how far it spreads the signal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Pair
from ..materials.materials import Material, find_material
from .spectrum import AnySpectrum


@dataclass(frozen=True)
class Detector:
    r"""An energy-integrating flat panel with a scintillator, or an ideal detector.

    A photon of energy E adds, on average, E * (1 - exp(-mu(E) thickness packing)) to the signal: it is either
    stopped by the scintillator, all its energy turning into light, or lost. (The escape of K fluorescence and of
    Compton photons is left out. In 0.5 mm of caesium iodide at 100 kV it takes about a tenth of the signal in air and
    less of a hardened beam: the relative signal behind 14 cm of water is about 1 % too low here, behind bone 2 %.)

    Args:
        scintillator: "caesium_iodide", "gadolinium_oxysulfide", another material, or None: every photon is stopped.
        thickness: Thickness of the scintillator [mm].
        packing: Share of that thickness which is scintillator and not void or binder, in (0, 1]; columnar caesium
            iodide has about 0.8, powder screens about 0.5.
        counts: "energy" (flat panels) or "photons" (photon counters).
        blur: "gaussian", "lorentzian" or None; see `blur_image`.
        mtf50: Spatial frequency at which the blur's modulation transfer is one half [1/mm].

    Raises:
        InputError: A value lies outside its range, or the material is unknown.
    """

    scintillator: str | Material | None = "caesium_iodide"
    thickness: float = 0.6
    packing: float = 0.8
    counts: Literal["energy", "photons"] = "energy"
    blur: Literal["gaussian", "lorentzian"] | None = "lorentzian"
    mtf50: float = 1.3

    def __post_init__(self) -> None:
        if self.scintillator is not None:
            find_material(self.scintillator)
        for name in ("thickness", "mtf50"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} must be positive and finite, got {value}.")
        if not 0 < self.packing <= 1:
            raise InputError(f"packing must lie in 0 to 1 (0 excluded), got {self.packing}.")
        if self.counts not in ("energy", "photons"):
            raise InputError(f"counts must be 'energy' or 'photons', got {self.counts!r}.")
        if self.blur not in ("gaussian", "lorentzian", None):
            raise InputError(f"blur must be 'gaussian', 'lorentzian' or None, got {self.blur!r}.")

    def absorption(self, energies: np.ndarray) -> np.ndarray:
        """Share of the photons of each energy [keV] that the scintillator stops, 0 to 1."""
        if self.scintillator is None:
            return np.ones_like(energies, dtype=np.float64)
        mu = find_material(self.scintillator).linear_attenuation(energies)
        return -np.expm1(-mu * self.thickness * self.packing)

    def signal(self, energies: np.ndarray, *, moment: int = 1) -> np.ndarray:
        """Mean signal of one arriving photon of each energy [keV]: energy in keV, or counts; moment 2: its square."""
        return self.absorption(energies) * (energies**moment if self.counts == "energy" else 1.0)


def detected_quanta(spectrum: AnySpectrum, detector: Detector) -> float:
    r"""Poisson quanta that the image of one photon per pixel is worth, in (0, 1].

        m1^2 / m2 = (sum_E p eta e)^2 / (sum_E p eta e^2)

    with p the share of the photons at E, eta the share that is stopped and e what one of these adds to the signal.
    N photons per pixel give a signal of mean N m1 and variance N m2 (a compound Poisson sum), so its relative noise is
    that of N m1^2 / m2 counted quanta. Equal to the absorption for one energy.

    Source: moment matching; Swank (J Appl Phys 44, 4199, 1973) for the factor between energies.
    """
    energies, share = spectrum.energies, spectrum.photons / spectrum.photons.sum()
    first, second = (float(share @ detector.signal(energies, moment=moment)) for moment in (1, 2))
    return first**2 / second


def blur_image(
    image: Float[Tensor, "batch channels height width"], detector: Detector, *, pixel_spacing: Pair
) -> Float[Tensor, "batch channels height width"]:
    r"""The image behind the detector's modulation transfer function.

        gaussian: MTF(f) = 2^-(f / mtf50)^2,    lorentzian: MTF(f) = 1 / (1 + (f / mtf50)^2),    f in 1/mm

    The Gaussian has a standard deviation of sqrt(ln 2 / 2) / (pi mtf50) mm = 0.187 / mtf50. Light spread in a
    scintillator is closer to the Lorentzian, with its long tails.

    Args:
        image: Intensity, (B, C, H, W).
        detector: Its `blur` and `mtf50`.
        pixel_spacing: Pixel pitch (row, column) [mm], or one number; (B, 2) for one per image.

    Returns:
        Same shape. The image is continued by reflection at its borders, so its sum is kept and a uniform image stays.

    Gradients: with respect to the image; the map is linear and its own adjoint.
    """
    if detector.blur is None:
        return image
    height, width = image.shape[-2:]
    spacing = pair_of(pixel_spacing, image)
    fy = torch.fft.fftfreq(2 * height, dtype=image.dtype, device=image.device) / spacing[:, :1]
    fx = torch.fft.rfftfreq(2 * width, dtype=image.dtype, device=image.device) / spacing[:, 1:]
    squared = (fy[:, None, :, None] ** 2 + fx[:, None, None, :] ** 2) / detector.mtf50**2
    mtf = torch.exp(-math.log(2.0) * squared) if detector.blur == "gaussian" else 1 / (1 + squared)
    mirrored = torch.cat([image, image.flip(-1)], dim=-1)
    mirrored = torch.cat([mirrored, mirrored.flip(-2)], dim=-2)
    return torch.fft.irfft2(torch.fft.rfft2(mirrored) * mtf, s=mirrored.shape[-2:])[..., :height, :width]


def pair_of(pixel_spacing: Pair, like: Tensor) -> Tensor:
    """The pixel pitch as (row, column) of each image [mm], (B or 1, 2)."""
    spacing = torch.as_tensor(pixel_spacing, dtype=like.dtype, device=like.device)
    spacing = spacing.reshape(-1, 1).expand(-1, 2) if spacing.numel() == 1 else spacing.reshape(-1, 2)
    if not bool((spacing > 0).all()):
        raise InputError(f"pixel_spacing must be positive, got {spacing.tolist()}.")
    return spacing
