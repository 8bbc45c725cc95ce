"""Materials by name: density and elements, from which every attenuation follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ..errors import InputError
from .tables import known_elements, mass_attenuation_of


@dataclass(frozen=True)
class Material:
    """A homogeneous material.

    Args:
        name: What messages call it.
        density: Mass density [g/cm3], positive.
        composition: (element symbol, mass fraction) pairs; the fractions are positive and add up to 1 within 1 %,
            and are normalised. A mapping {symbol: fraction} is accepted.

    Raises:
        InputError: The density or a fraction is not positive and finite, the fractions do not add up to 1, or an
            element is not in the tables (H to U).

    Example:
        Material("brass", 8.5, {"Cu": 0.63, "Zn": 0.37})
    """

    name: str
    density: float
    composition: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        if not (math.isfinite(self.density) and self.density > 0):
            raise InputError(f"density of {self.name} must be positive and finite in g/cm3, got {self.density}.")
        pairs = self.composition.items() if isinstance(self.composition, Mapping) else self.composition
        pairs = tuple((str(symbol), float(fraction)) for symbol, fraction in pairs)
        unknown = [symbol for symbol, _ in pairs if symbol not in known_elements()]
        if unknown:
            raise InputError(
                f"composition of {self.name} must name elements from H to U by symbol, got {', '.join(unknown)}."
            )
        total = sum(fraction for _, fraction in pairs)
        if not all(fraction > 0 for _, fraction in pairs) or not abs(total - 1) < 0.01:
            raise InputError(
                f"composition of {self.name} must have positive mass fractions that add up to 1, got a sum of {total}."
            )
        object.__setattr__(self, "composition", tuple((symbol, fraction / total) for symbol, fraction in pairs))

    def mass_attenuation(self, energies: np.ndarray | float) -> np.ndarray:
        """Mass attenuation mu / rho [cm2/g] at photon energies [keV] from 10 to 150, coherent scattering included."""
        return mass_attenuation_of(self.composition, np.asarray(energies, dtype=np.float64))

    def linear_attenuation(self, energies: np.ndarray | float) -> np.ndarray:
        """Linear attenuation mu [1/mm] at photon energies [keV] from 10 to 150."""
        return self.mass_attenuation(energies) * self.density / 10


def find_material(material: str | Material) -> Material:
    """The material of this name; a Material passes through.

    Raises:
        InputError: No built-in material has this name.
    """
    if isinstance(material, Material):
        return material
    if material not in MATERIALS:
        raise InputError(
            f"material must be one of {', '.join(sorted(MATERIALS))}, or a Material of your own, got {material!r}."
        )
    return MATERIALS[material]


def _table(*materials: Material) -> Mapping[str, Material]:
    return MappingProxyType({material.name: material for material in materials})


def _material(name: str, density: float, **fractions: float) -> Material:
    return Material(name, density, tuple(fractions.items()))


# Tissues: ICRU Report 44 (1989) as tabulated by NIST; the lung's density is that of the breathing organ.
# Alloys: nominal compositions of ASTM F136 (Ti6Al4V), F138 (316L), F75 (CoCrMo), F2063 (nitinol).
# Iodine contrast: iohexol with 300 mg of iodine per millilitre (647 mg iohexol in water, 1.349 g/ml at 20 degrees C).
MATERIALS = _table(
    _material("air", 1.205e-3, C=0.000124, N=0.755268, O=0.231781, Ar=0.012827),
    _material("lung", 0.26, H=0.103, C=0.105, N=0.031, O=0.749, Na=0.002, P=0.002, S=0.003, Cl=0.003, K=0.002),
    _material("adipose", 0.95, H=0.114, C=0.598, N=0.007, O=0.278, Na=0.001, S=0.001, Cl=0.001),
    _material("soft_tissue", 1.06, H=0.102, C=0.143, N=0.034, O=0.708, Na=0.002, P=0.003, S=0.003, Cl=0.002, K=0.003),
    _material("muscle", 1.05, H=0.102, C=0.143, N=0.034, O=0.710, Na=0.001, P=0.002, S=0.003, Cl=0.001, K=0.004),
    _material(
        "blood", 1.06, H=0.102, C=0.11, N=0.033, O=0.745, Na=0.001, P=0.001, S=0.002, Cl=0.003, K=0.002, Fe=0.001
    ),
    _material(
        "cortical_bone", 1.92, H=0.034, C=0.155, N=0.042, O=0.435, Na=0.001, Mg=0.002, P=0.103, S=0.003, Ca=0.225
    ),
    _material("water", 1.00, H=0.111894, O=0.888106),
    _material("pmma", 1.19, H=0.080538, C=0.599848, O=0.319614),
    _material("polyethylene", 0.94, H=0.143711, C=0.856289),
    _material("peek", 1.31, H=0.04196, C=0.79156, O=0.16648),
    _material("iodine_contrast", 1.349, H=0.07354, C=0.13329, N=0.02454, O=0.54626, I=0.22237),
    _material("titanium", 4.506, Ti=1.0),
    _material("titanium_alloy", 4.43, Ti=0.90, Al=0.06, V=0.04),
    _material("nitinol", 6.45, Ni=0.556, Ti=0.444),
    _material("stainless_steel", 8.0, Fe=0.655, Cr=0.17, Ni=0.12, Mo=0.025, Mn=0.02, Si=0.01),
    _material("cobalt_chrome", 8.3, Co=0.645, Cr=0.28, Mo=0.06, Si=0.01, Fe=0.005),
    _material("aluminium", 2.699, Al=1.0),
    _material("copper", 8.96, Cu=1.0),
    _material("tin", 7.31, Sn=1.0),
    _material("tantalum", 16.65, Ta=1.0),
    _material("tungsten", 19.3, W=1.0),
    _material("gold", 19.32, Au=1.0),
    _material("lead", 11.35, Pb=1.0),
    _material("caesium_iodide", 4.51, Cs=0.511549, I=0.488451),
    _material("gadolinium_oxysulfide", 7.32, Gd=0.83078, O=0.08453, S=0.08469),
)
"""The built-in materials by name."""
