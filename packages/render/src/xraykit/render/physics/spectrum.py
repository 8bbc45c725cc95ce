"""X-ray spectra: what a tungsten tube emits, through which filters, and how hard the beam is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import InputError
from ..materials.materials import Material, find_material
from ..materials.tables import LOWEST_ENERGY, air_energy_absorption, checked_energies, physics_tables

Filtration = tuple[tuple[str | Material, float], ...]


@dataclass(frozen=True)
class Spectrum:
    """The beam of a tungsten anode at a constant tube voltage, behind its filters.

    Args:
        kvp: Tube voltage [kV], 40 to 150. The table has every 5 kV.
        filtration: (material, thickness in mm) of everything in the beam, inherent filtration included; a mapping
            {material: mm} is accepted.
        anode_angle: Angle between the anode's surface and the central ray [degrees], 2 to 24.

    Raises:
        InputError: A value outside the tables, an unknown material or a negative thickness.

    Accuracy: bins of 1 keV from 10 keV up (less than 1e-6 of the energy behind 2.5 mm of aluminium lies below).
        Between tabulated voltages the photons of a bin are interpolated linearly, or like Kramers' law
        (proportional to kvp - E) where the lower voltage has none.

    Source: spekpy's default physics model, through `tools/bake_physics_tables.py`.
    """

    kvp: float
    filtration: Filtration = (("aluminium", 2.5),)
    anode_angle: float = 12.0

    def __post_init__(self) -> None:
        tables = physics_tables()
        for name, key, unit in (("kvp", "kvp", "kV"), ("anode_angle", "anode_angles", "degrees")):
            low, high, value = tables[key][0], tables[key][-1], getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} must lie in the table's {low:g} to {high:g} {unit}, got {value}.")
        object.__setattr__(self, "filtration", _checked_filtration(self.filtration))

    @property
    def energies(self) -> np.ndarray:
        """Photon energy at the middle of each bin that has photons [keV], (E,)."""
        return LOWEST_ENERGY + 0.5 + np.arange(math.ceil(self.kvp) - int(LOWEST_ENERGY))

    @property
    def photons(self) -> np.ndarray:
        """Photons per cm2, mAs and bin at 1 m from the focal spot, behind the filters, (E,)."""
        bare = unfiltered(self.kvp, self.anode_angle)
        return bare[: len(self.energies)] * filter_transmission(self.filtration, self.energies)


@dataclass(frozen=True)
class MonochromaticSpectrum:
    """A beam of one photon energy: Beer-Lambert's law in its plain form.

    Args:
        energy_kev: Photon energy [keV], 10 to 150.
        output: Photons per cm2 and mAs at 1 m; sets the dose that a mAs means.

    Raises:
        InputError: The energy lies outside the tables, or the output is not positive.
    """

    energy_kev: float
    output: float = 1e8

    def __post_init__(self) -> None:
        checked_energies(self.energy_kev)
        if not (math.isfinite(self.output) and self.output > 0):
            raise InputError(f"output must be positive and finite, got {self.output}.")

    @property
    def energies(self) -> np.ndarray:
        """The photon energy [keV], (1,)."""
        return np.array([float(self.energy_kev)])

    @property
    def photons(self) -> np.ndarray:
        """Photons per cm2 and mAs at 1 m, (1,)."""
        return np.array([float(self.output)])


AnySpectrum = Spectrum | MonochromaticSpectrum


def mean_energy(spectrum: AnySpectrum) -> float:
    """Mean photon energy of the beam in air [keV]."""
    return float(np.average(spectrum.energies, weights=spectrum.photons))


def half_value_layer(spectrum: AnySpectrum, *, material: str | Material = "aluminium", order: int = 1) -> float:
    """Thickness [mm] of a filter that halves the air kerma (order 2: that halves it once more).

        sum_E N(E) E (mu_en / rho)_air(E) exp(-mu(E) t) = 1/2 of its value at t = 0

    The homogeneity coefficient of a beam is the ratio of its first to its second half-value layer.

    Args:
        spectrum: The beam.
        material: The filter, aluminium as in the standards.
        order: 1 or 2.

    Raises:
        InputError: The order is neither 1 nor 2, or the material is unknown.

    Source: IEC 61267:2005 for the definition.
    """
    if order not in (1, 2):
        raise InputError(f"order must be 1 or 2, got {order}.")
    energies = spectrum.energies
    kerma = spectrum.photons * energies * air_energy_absorption(energies)
    mu = find_material(material).linear_attenuation(energies)

    def thickness_to(share: float) -> float:
        low, high = 0.0, float(-np.log(share) / mu.min())
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if np.sum(kerma * np.exp(-mu * middle)) > share * kerma.sum() else (low, middle)
        return (low + high) / 2

    return thickness_to(0.5) if order == 1 else thickness_to(0.25) - thickness_to(0.5)


def photons_per_pixel(spectrum: AnySpectrum, *, mas: float, sdd: float, pixel_area: float) -> float:
    """Photons that reach a pixel on the central ray with nothing but the filters in between.

        output(spectrum) [1/(cm2 mAs) at 1 m] * mas * (1000 mm / sdd)^2 * pixel_area / 100

    Args:
        spectrum: The beam.
        mas: Tube charge [mAs], positive.
        sdd: Source to detector distance [mm], positive.
        pixel_area: Area of a pixel [mm2], positive.

    Raises:
        InputError: A value is not positive and finite.
    """
    for name, value in (("mas", mas), ("sdd", sdd), ("pixel_area", pixel_area)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} must be positive and finite, got {value}.")
    return float(spectrum.photons.sum()) * mas * (1000.0 / sdd) ** 2 * pixel_area / 100.0


def filter_transmission(filtration: Iterable[tuple[str | Material, float]], energies: np.ndarray) -> np.ndarray:
    """Share of the photons of each energy [keV] that pass filters of (material, mm)."""
    depth = np.zeros_like(energies, dtype=np.float64)
    for material, thickness in filtration:
        depth += find_material(material).linear_attenuation(energies) * thickness
    return np.exp(-depth)


@lru_cache(maxsize=64)
def unfiltered(kvp: float, anode_angle: float) -> np.ndarray:
    """Photons / (cm2 mAs) per 1 keV bin at 1 m from the bare anode, (140,): the table between its nodes."""
    tables = physics_tables()
    angles, voltages, photons = tables["anode_angles"], tables["kvp"], tables["photons"].astype(np.float64)
    a = min(int(np.searchsorted(angles, anode_angle, side="right")) - 1, len(angles) - 2)
    share = (anode_angle - angles[a]) / (angles[a + 1] - angles[a])
    at_angle = (1 - share) * photons[a] + share * photons[a + 1]

    k = min(int(np.searchsorted(voltages, kvp, side="right")) - 1, len(voltages) - 2)
    low, high = voltages[k], voltages[k + 1]
    edges = LOWEST_ENERGY + np.arange(photons.shape[-1])  # lower edge of each bin
    linear = at_angle[k] + (kvp - low) / (high - low) * (at_angle[k + 1] - at_angle[k])
    # Kramers' line, averaged over the part of the bin below each voltage: (V - e)^2 / 2 in the last, partial bin.
    kramers = at_angle[k + 1] * _below(kvp, edges) / np.maximum(_below(high, edges), 1e-9)
    result = np.where(edges < low, linear, kramers)
    result.flags.writeable = False
    return result


def _below(voltage: float, edges: np.ndarray) -> np.ndarray:
    """The integral of max(voltage - E, 0) over the 1 keV bins above `edges`."""
    start, stop = (np.clip(voltage - edges - shift, 0.0, None) for shift in (0.0, 1.0))
    return (start**2 - stop**2) / 2


def _checked_filtration(filtration: Filtration | Mapping[str, float]) -> Filtration:
    pairs = tuple(filtration.items() if isinstance(filtration, Mapping) else filtration)
    for material, thickness in pairs:
        find_material(material)
        if not (math.isfinite(thickness) and thickness >= 0):
            raise InputError(f"filtration must be 0 mm or more of each material, got {thickness} mm of {material}.")
    return tuple((material, float(thickness)) for material, thickness in pairs)
