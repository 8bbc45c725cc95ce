"""Tissues as mixtures of two materials that attenuate X-rays as they do: a march adds up two numbers for all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..errors import InputError
from ..materials.materials import Material

_ENERGIES = np.arange(25.0, 141.0)  # keV
_LARGEST_ERROR = 0.01


@lru_cache(maxsize=16)
def equivalents(materials: tuple[Material, ...], basis: tuple[Material, ...]) -> tuple[tuple[float, ...], ...]:
    r"""Grams of each basis material that attenuate X-rays as one gram of each material does: M rows of B numbers.

        (mu / rho)_m(E) = sum_b w_mb (mu / rho)_b(E)    at every photon energy E

    by least squares of the relative error over 25 to 140 keV. Between the absorption edges of its elements a material
    attenuates by the photoelectric effect and by scattering, and each has nearly one law of the energy for all: two
    materials span all others (Alvarez and Macovski, Phys Med Biol 21, 733, 1976, eq. 2 to 4). Soft tissue and cortical
    bone carry lung to 0.03 % and adipose tissue to 0.5 % at 25 keV, to 0.2 % above 30 keV; fat with less than no bone,
    since it absorbs less than muscle beside what it scatters.

    Args:
        materials: The M materials.
        basis: The B materials, each by itself if it is among the others.

    Raises:
        InputError: A material is off by more than 1 % somewhere, as are those with an absorption edge in the range.
    """
    curves = np.stack([material.mass_attenuation(_ENERGIES) for material in basis])
    rows = []
    for material in materials:
        own = material.mass_attenuation(_ENERGIES)
        weights = np.linalg.lstsq((curves / own).T, np.ones_like(own), rcond=None)[0]
        error = float(np.abs(weights @ curves / own - 1).max())
        if error > _LARGEST_ERROR:
            raise InputError(
                f"basis {_names(basis)} must attenuate as {material.name} does within {_LARGEST_ERROR:.0%} from 25 to "
                f"140 keV, got {error:.1%}; leave the basis out, or add {material.name} to it."
            )
        rows.append(tuple(0.0 if abs(w) < 1e-9 else float(w) for w in weights))
    return tuple(rows)


def _names(materials: Sequence[Material]) -> str:
    return " and ".join(material.name for material in materials)
