"""Bake the physics tables that ship with xraykit.render: `uv run --group bake python tools/bake_physics_tables.py`.

Sources: xraylib (BSD-3; photoelectric, coherent and incoherent cross sections after Kissel and NIST) for the elements,
spekpy (MIT; Bujila, Omar and Poludniowski 2020, its default physics model) for the tungsten anode. Both are needed here
only. The same versions write the same bytes; the versions are stored in the file.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

import numpy as np

HOME = Path(__file__).resolve().parents[1] / "packages/render/src/xraykit/render/materials/data/physics_tables.npz"
ELEMENTS = range(1, 93)
LOWEST, HIGHEST = 10.0, 150.0  # keV
EDGE_GAP = 0.015  # keV on either side of an absorption edge; the sources place edges within 0.01 keV
KVP = np.arange(40, 151, 5)
ANODE_ANGLES = np.array([2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 18, 20, 24])  # degrees


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=HOME)
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        output,
        **element_tables(),
        **tube_tables(),
        versions=np.array([f"{name} {version(name)}" for name in ("xraylib", "spekpy")]),
    )


def element_tables() -> dict[str, np.ndarray]:
    """Mass attenuation [cm2/g] of the elements by energy [keV], and the energy absorption of dry air."""
    import spekpy
    import xraylib

    edges = [xraylib.EdgeEnergy(z, shell) for z in ELEMENTS for shell in range(4) if has_edge(xraylib, z, shell)]
    inside = [edge for edge in edges if LOWEST + EDGE_GAP < edge < HIGHEST - EDGE_GAP]
    beside = [edge + side for edge in inside for side in (-EDGE_GAP, EDGE_GAP)]
    energies = np.unique(np.round([*np.arange(LOWEST, HIGHEST + 1), *beside], 6))
    attenuation = [[xraylib.CS_Total(z, float(energy)) for energy in energies] for z in ELEMENTS]
    air = spekpy.Spek(kvp=100.0).muen_air_data.get_muen_over_rho_air(energies)  # NIST's; xraylib's is too coarse
    return {
        "energies": energies,
        "symbols": np.array([xraylib.AtomicNumberToSymbol(z) for z in ELEMENTS]),
        "mass_attenuation": np.array(attenuation, dtype=np.float32),
        "air_energy_absorption": np.array(air, dtype=np.float32),
    }


def has_edge(xraylib: object, z: int, shell: int) -> bool:
    """Whether the table knows this shell: K, L1, L2 or L3."""
    try:
        return xraylib.EdgeEnergy(z, shell) > 0  # type: ignore[attr-defined]
    except ValueError:
        return False


def tube_tables() -> dict[str, np.ndarray]:
    """Photons / (cm2 mAs) in each 1 keV bin, 1 m from an unfiltered tungsten anode: (angle, kVp, bin)."""
    import spekpy

    centres = np.arange(LOWEST, HIGHEST) + 0.5
    photons = np.zeros((len(ANODE_ANGLES), len(KVP), len(centres)), dtype=np.float32)
    for a, angle in enumerate(ANODE_ANGLES):
        for k, kvp in enumerate(KVP):
            spectrum = spekpy.Spek(kvp=float(kvp), th=float(angle), dk=1.0, z=100.0, mas=1.0)
            energies, per_kev = spectrum.get_spectrum(edges=False, diff=True)
            photons[a, k, np.round(energies[energies > LOWEST] - centres[0]).astype(int)] = per_kev[energies > LOWEST]
    return {"anode_angles": ANODE_ANGLES.astype(float), "kvp": KVP.astype(float), "photons": photons}


if __name__ == "__main__":
    main()
