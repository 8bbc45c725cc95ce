"""Materials: attenuation against NIST's published numbers, and what is refused."""

import numpy as np
import pytest
from xraykit.render.errors import InputError
from xraykit.render.materials.attenuation import NIST_CORTICAL_BONE, NIST_WATER
from xraykit.render.materials.materials import MATERIALS, Material, find_material
from xraykit.render.materials.tables import air_energy_absorption, mass_attenuation_of, physics_tables

# NIST X-ray mass attenuation coefficients [cm2/g] at 30, 60 and 100 keV.
NIST = {
    "air": (0.3538, 0.1875, 0.1541),
    "adipose": (0.3063, 0.1974, 0.1688),
    "soft_tissue": (0.3790, 0.2048, 0.1693),
    "lung": (0.3815, 0.2053, 0.1695),
    "pmma": (0.3032, 0.1924, 0.1641),
    "polyethylene": (0.2706, 0.1970, 0.1719),
    "titanium": (4.972, 0.7661, 0.2721),
    "aluminium": (1.128, 0.2778, 0.1704),
    "copper": (10.92, 1.593, 0.4584),
    "lead": (30.32, 5.021, 5.549),
    "tungsten": (22.73, 3.713, 4.438),
}


@pytest.mark.parametrize("name", sorted(NIST))
def test_mass_attenuation_is_nists_within_a_percent(name):
    np.testing.assert_allclose(MATERIALS[name].mass_attenuation(np.array([30.0, 60.0, 100.0])), NIST[name], rtol=0.01)


@pytest.mark.parametrize("name, table", [("water", NIST_WATER), ("cortical_bone", NIST_CORTICAL_BONE)])
def test_water_and_bone_agree_with_the_attenuation_law_of_the_renderer(name, table):
    energies = np.array(sorted(table), dtype=float)
    expected = [table[energy] for energy in sorted(table)]
    np.testing.assert_allclose(MATERIALS[name].mass_attenuation(energies), expected, rtol=2e-3)


def test_energy_absorption_of_air_is_nists_within_three_percent():
    energies = np.array([10, 15, 20, 30, 40, 50, 60, 80, 100, 150], dtype=float)
    nist = [4.742, 1.334, 0.5389, 0.1537, 0.06833, 0.04098, 0.03041, 0.02407, 0.02325, 0.02496]
    np.testing.assert_allclose(air_energy_absorption(energies), nist, rtol=0.03)


@pytest.mark.parametrize(
    "name, edge, jump", [("iodine_contrast", 33.169, 4.0), ("tungsten", 69.525, 3.0), ("lead", 88.005, 3.0)]
)
def test_k_edges_are_steps_within_20_ev(name, edge, jump):
    below, above = MATERIALS[name].mass_attenuation(np.array([edge - 0.02, edge + 0.02]))
    assert above / below > jump


def test_linear_attenuation_is_mass_attenuation_times_density_per_millimetre():
    bone = MATERIALS["cortical_bone"]
    assert bone.linear_attenuation(70.0) == pytest.approx(float(bone.mass_attenuation(70.0)) * 0.192)


def test_a_mixture_attenuates_as_the_sum_of_its_elements():
    brass = Material("brass", 8.5, {"Cu": 0.63, "Zn": 0.37})
    parts = [mass_attenuation_of([(symbol, 1.0)], np.array([50.0])) for symbol in ("Cu", "Zn")]
    np.testing.assert_allclose(brass.mass_attenuation(np.array([50.0])), 0.63 * parts[0] + 0.37 * parts[1])
    assert find_material(brass) is brass
    assert brass == Material("brass", 8.5, (("Cu", 0.63), ("Zn", 0.37)))
    assert hash(brass)


def test_built_in_compositions_add_up_and_denser_metal_attenuates_more():
    for material in MATERIALS.values():
        assert sum(fraction for _, fraction in material.composition) == pytest.approx(1.0)
    order = ["polyethylene", "cortical_bone", "titanium", "stainless_steel", "cobalt_chrome", "tantalum"]
    values = [float(MATERIALS[name].linear_attenuation(60.0)) for name in order]
    assert values == sorted(values)


def test_tables_are_read_only_and_say_what_made_them():
    with pytest.raises(ValueError, match="read-only"):
        physics_tables()["mass_attenuation"][0, 0] = 1.0
    assert any("spekpy" in text for text in physics_tables()["versions"])


def test_unknown_material_is_refused_with_the_known_names():
    with pytest.raises(InputError, match=r"material must be one of adipose, air, .*titanium.* got 'unobtainium'"):
        find_material("unobtainium")


@pytest.mark.parametrize("density", [-1.0, 0.0, float("nan")])
def test_density_must_be_positive(density):
    with pytest.raises(InputError, match="density of x must be positive"):
        Material("x", density, {"Fe": 1.0})


@pytest.mark.parametrize(
    "composition, message",
    [
        ({"Xx": 1.0}, "elements from H to U by symbol, got Xx"),
        ({"Fe": 0.5}, "add up to 1, got a sum of 0.5"),
        ({"Fe": 1.5, "C": -0.5}, "positive mass fractions"),
        ({}, "add up to 1"),
    ],
)
def test_impossible_compositions_are_refused(composition, message):
    with pytest.raises(InputError, match=message):
        Material("x", 1.0, composition)


@pytest.mark.parametrize("energy", [9.9, 150.1, float("nan")])
def test_energy_outside_the_table_is_refused_with_the_range(energy):
    with pytest.raises(InputError, match="10 to 150 keV"):
        MATERIALS["water"].mass_attenuation(energy)


def test_element_outside_the_table_is_refused():
    with pytest.raises(InputError, match="by symbol, got 'Qq'"):
        mass_attenuation_of([("Qq", 1.0)], np.array([50.0]))
