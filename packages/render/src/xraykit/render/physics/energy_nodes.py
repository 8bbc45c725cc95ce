"""A spectrum in a dozen photon energies: as few as give the same transmission."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from ..materials.materials import Material
from .detector import Detector
from .spectrum import AnySpectrum

_FAINTEST = 1e-5  # transmission down to which the tolerance holds
_RANDOM_MIXTURES = 8  # for each material but one


class EnergyNodes(NamedTuple):
    """Photon energies and what each contributes to the signal in air."""

    energies: np.ndarray  # keV, (K,)
    weights: np.ndarray  # positive, adding up to 1, (K,)
    mass_attenuation: np.ndarray  # cm2/g, (K, M)


@lru_cache(maxsize=64)
def energy_nodes(
    spectrum: AnySpectrum, detector: Detector, materials: tuple[Material, ...], *, tolerance: float, moment: int = 1
) -> EnergyNodes:
    r"""Energies and weights with  sum_k w_k exp(-mu_k . A)  equal to the full spectrum's sum within `tolerance`.

    The nodes are energies of the spectrum's own bins; the weights are found by non-negative least squares on the
    relative error of the transmission through every material, every pair and some random mixtures, at thicknesses
    from nothing to a transmission of 1e-5 (Lawson and Hanson's active set, stopped as soon as the largest error is
    below half the tolerance). A dozen nodes replace a hundred bins. Fainter than 1e-5, the error is at most about
    1e-5 of the air signal.

    Args:
        spectrum: The beam.
        detector: Gives each photon its weight in the signal.
        materials: What is in the beam.
        tolerance: Largest relative error of the transmission; 0 keeps every bin.
        moment: 1 for the mean signal, 2 for its square.

    Raises:
        InputError: The tolerance lies outside 0 to 0.1.
    """
    if not 0 <= tolerance <= 0.1:
        raise InputError(f"tolerance must lie in 0 to 0.1, got {tolerance}.")
    energies = spectrum.energies
    weights = spectrum.photons * detector.signal(energies, moment=moment)
    weights = weights / weights.sum()
    attenuation = np.stack([material.mass_attenuation(energies) for material in materials], axis=1)
    if tolerance > 0 and len(energies) > 1:
        paths = _test_paths(attenuation, weights)
        chosen = _sparse_weights(np.exp(-paths @ attenuation.T), weights, tolerance / 2)
        kept = np.flatnonzero(chosen)
        energies, weights, attenuation = energies[kept], chosen[kept], attenuation[kept]
    return EnergyNodes(energies, weights, attenuation)


def _test_paths(attenuation: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area densities [g/cm2] of many mixtures, from thin to a transmission of 1e-5, (T, M)."""
    count = attenuation.shape[1]
    single = np.eye(count)
    pairs = [(single[a] + single[b]) / 2 for a in range(count) for b in range(a)]
    mixed = np.random.default_rng(0).dirichlet(np.full(count, 0.6), _RANDOM_MIXTURES * (count - 1))
    directions = np.concatenate([single, *([pairs] if pairs else []), mixed])
    directions = directions / (weights @ attenuation)  # equal shares of the optical depth
    depths = np.concatenate([[0.0], np.geomspace(0.01, 60.0, 48)])
    paths = (depths[:, None, None] * directions).reshape(-1, count)
    return paths[np.exp(-paths @ attenuation.T) @ weights > _FAINTEST]


def _sparse_weights(transmission: np.ndarray, weights: np.ndarray, tolerance: float) -> np.ndarray:
    """Weights (E,), most of them zero, whose transmission through every test path is right within `tolerance`."""
    relative = transmission / (transmission @ weights)[:, None]  # rows: the target is 1 for each
    chosen, active = np.zeros_like(weights), np.zeros(len(weights), dtype=bool)
    for _ in range(3 * len(weights)):
        missing = 1.0 - relative @ chosen
        if active.any() and np.abs(1.0 - relative @ (chosen / chosen.sum())).max() < tolerance:
            return chosen / chosen.sum()
        gain = np.where(active, -np.inf, relative.T @ missing)
        if gain.max() <= 0:
            break
        active[gain.argmax()] = True
        _solve_active(relative, chosen, active)
    return weights


def _solve_active(relative: np.ndarray, chosen: np.ndarray, active: np.ndarray) -> None:
    """Least squares on the active bins, letting go those that would turn negative (in place)."""
    while True:
        solution = np.zeros_like(chosen)
        solution[active] = np.linalg.lstsq(relative[:, active], np.ones(len(relative)), rcond=None)[0]
        negative = active & (solution <= 0)
        if not negative.any():
            chosen[:] = solution
            return
        step = (chosen[negative] / (chosen[negative] - solution[negative])).min()
        chosen += step * (solution - chosen)
        active &= chosen > 1e-14
        chosen[~active] = 0.0
