"""Hounsfield numbers as mixtures of five tissues: smooth in HU, and true to the CT at its own energy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from ..errors import InputError
from ..materials.materials import MATERIALS, Material

TISSUES = ("air", "lung", "adipose", "soft_tissue", "cortical_bone")
"""The materials that a Hounsfield number is split into, from thin to dense."""


@dataclass(frozen=True)
class TissueLaw:
    r"""What a voxel of a given Hounsfield number is made of.

    A voxel holds a mixture by volume of the two tissues whose CT numbers enclose its own. With H_k the CT number of
    tissue k at the CT's effective energy, H_k = 1000 (mu_k / mu_water - 1), and v_k the hat functions on these knots
    (linear from 1 at H_k to 0 at its neighbours), the partial density of tissue k in the voxel is

        rho_k(HU) = v_k(HU) rho_k,    and beyond cortical bone (HU > H_bone)    rho_bone (1000 + HU) / (1000 + H_bone)

    averaged over [HU - smoothing, HU + smoothing], which rounds the corners and changes nothing else (at air the
    window is 1 HU, so that -1000 HU is air alone). Volumes and attenuations both mix linearly, so at the CT's own
    energy the mixture attenuates as mu_water (1 + HU / 1000) exactly: the definition of the Hounsfield number. At
    70 keV the knots are air -999, lung -741, adipose -76, soft tissue 53 and cortical bone 1559 HU. The
    piecewise-linear density that follows stays within 0.04 g/cm3 of the calibration of Schneider, Bortfeld and
    Schlegel (Phys Med Biol 45, 459, 2000) up to 1500 HU.

    Args:
        ct_energy_kev: Effective energy of the CT [keV], 30 to 150.
        smoothing: Half width of the rounded corners [HU], positive, at most 25.

    Raises:
        InputError: A parameter lies outside its range.

    Gradients: with respect to HU, continuous everywhere (the second derivative jumps at the corners' ends).
    """

    ct_energy_kev: float = 70.0
    smoothing: float = 15.0

    def __post_init__(self) -> None:
        if not 30 <= self.ct_energy_kev <= 150:
            raise InputError(f"ct_energy_kev must lie in 30 to 150 keV, got {self.ct_energy_kev}.")
        if not 0 < self.smoothing <= 25:
            raise InputError(f"smoothing must lie in 0 to 25 HU (0 excluded), got {self.smoothing}.")

    @cached_property
    def knots(self) -> tuple[float, ...]:
        """CT number [HU] of each pure tissue, in the order of `TISSUES`."""
        return tuple(
            1000 * (float(MATERIALS[name].linear_attenuation(self.ct_energy_kev)) / self._mu_water - 1)
            for name in TISSUES
        )

    def partial_densities(self, hu: Tensor) -> Tensor:
        """Grams of each tissue per cm3 of voxel, (5, *hu.shape), floating point as hu (else float32)."""
        hu, w = hu if hu.is_floating_point() else hu.to(torch.float32), self.smoothing
        # HU above each knot. At -1000 HU and below there is nothing but air, so that corner is sharp.
        excess = [_rounded_ramp(hu - knot, 1000 + knot if k == 0 else w) for k, knot in enumerate(self.knots)]
        gaps = [upper - lower for lower, upper in pairwise(self.knots)]
        reached = [(excess[k] - excess[k + 1]) / gap for k, gap in enumerate(gaps)]  # 0 below knot k, 1 above the next
        volumes = [1 - reached[0], *(a - b for a, b in pairwise(reached)), reached[-1]]
        volumes[-1] = volumes[-1] + excess[-1] / (1000 + self.knots[-1])
        parts = [MATERIALS[name].density * volume for name, volume in zip(TISSUES, volumes, strict=True)]
        return torch.stack(parts).clamp(min=0.0)  # rounding alone can go below zero

    def density(self, hu: Tensor) -> Tensor:
        """Mass density [g/cm3], the shape of hu."""
        return self.partial_densities(hu).sum(dim=0)

    def fractions(self, hu: Tensor) -> Tensor:
        """Mass fraction of each tissue, (5, *hu.shape); they add up to 1."""
        parts = self.partial_densities(hu)
        return parts / parts.sum(dim=0)

    def density_as(self, material: Material, hu: Tensor) -> Tensor:
        """Density [g/cm3] at which `material` alone shows this Hounsfield number, the shape of hu; 0 below -1000 HU.

        For voxels whose material a label tells: the CT number then measures how much of it there is.
        """
        hu = hu if hu.is_floating_point() else hu.to(torch.float32)
        per_density = float(material.mass_attenuation(self.ct_energy_kev)) / 10
        return self._mu_water / per_density * (1 + hu / 1000).clamp(min=0.0)

    @cached_property
    def _mu_water(self) -> float:
        return float(MATERIALS["water"].linear_attenuation(self.ct_energy_kev))


def _rounded_ramp(x: Tensor, w: float) -> Tensor:
    """The ramp max(x, 0) averaged over x - w to x + w."""
    return torch.where(x.abs() < w, (x + w) ** 2 / (4 * w), x.clamp(min=0.0))
