"""The baked tables against the packages that made them (group `bake`)."""

import numpy as np
import pytest
from xraykit.render.materials.materials import MATERIALS
from xraykit.render.materials.tables import mass_attenuation_of
from xraykit.render.physics.spectrum import Spectrum, half_value_layer, mean_energy

spekpy = pytest.importorskip("spekpy", reason="needs the group bake: uv sync --group bake")
xraylib = pytest.importorskip("xraylib", reason="needs the group bake: uv sync --group bake")
pytestmark = pytest.mark.peer


@pytest.mark.parametrize("kvp, angle", [(60.0, 12.0), (85.0, 10.0), (120.0, 16.0)])
def test_spectra_are_spekpys(kvp, angle):
    ours = Spectrum(kvp, {"aluminium": 2.5, "copper": 0.1}, anode_angle=angle)
    theirs = spekpy.Spek(kvp=kvp, th=angle, dk=1.0)
    theirs.filter("Al", 2.5).filter("Cu", 0.1)
    energies, photons = theirs.get_spectrum()
    inside = energies > 15
    np.testing.assert_allclose(ours.photons[-inside.sum() :], photons[inside], rtol=0.03, atol=1e-4 * photons.max())
    assert half_value_layer(ours) == pytest.approx(theirs.get_hvl1(), rel=0.005)
    assert mean_energy(ours) == pytest.approx(theirs.get_emean(), rel=0.002)


def test_a_voltage_between_the_nodes_is_spekpys_too():
    ours, theirs = Spectrum(77.3), spekpy.Spek(kvp=77.3, th=12, dk=1.0)
    theirs.filter("Al", 2.5)
    assert half_value_layer(ours) == pytest.approx(theirs.get_hvl1(), rel=0.006)
    assert ours.photons.sum() == pytest.approx(theirs.get_flu(), rel=0.01)


@pytest.mark.parametrize("name", ["water", "cortical_bone", "titanium_alloy", "iodine_contrast", "lead"])
def test_attenuation_between_the_nodes_is_xraylibs(name):
    energies = np.arange(10.37, 149.9, 0.61)
    parts = MATERIALS[name].composition
    numbers = [xraylib.SymbolToAtomicNumber(symbol) for symbol, _ in parts]
    edges = [xraylib.EdgeEnergy(z, shell) for z in numbers for shell in range(4 if z > 30 else 1)]
    energies = energies[np.abs(energies[:, None] - edges).min(axis=1) > 0.02]  # the table spreads an edge over 30 eV
    truth = [
        sum(share * xraylib.CS_Total(z, float(e)) for z, (_, share) in zip(numbers, parts, strict=True))
        for e in energies
    ]
    np.testing.assert_allclose(mass_attenuation_of(parts, energies), truth, rtol=5e-4)
