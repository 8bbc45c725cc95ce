"""HU to mu: the numbers come from the NIST tables, the law from the definition of the Hounsfield number."""

import math

import pytest
import torch
from xraykit.render.errors import InputError
from xraykit.render.materials import find_material
from xraykit.render.materials.attenuation import (
    CORTICAL_BONE_DENSITY,
    NIST_CORTICAL_BONE,
    NIST_WATER,
    WATER_AND_BONE,
    WATER_DENSITY,
    Attenuation,
    DiffDRRDensity,
    MRPassthrough,
    linear_attenuation_of_bone,
    linear_attenuation_of_water,
)


def doubles(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def log_log_line(table: dict[int, float], energy: float) -> float:
    share = math.log(energy / 60) / math.log(80 / 60)
    return math.exp((1 - share) * math.log(table[60]) + share * math.log(table[80]))


def test_defaults_are_the_nist_values_at_70_kev():
    at_70 = Attenuation.at_energy(70.0)
    assert WATER_AND_BONE.mu_water == pytest.approx(at_70.mu_water, rel=5e-4)
    assert WATER_AND_BONE.mu_bone == pytest.approx(at_70.mu_bone, rel=5e-4)
    assert WATER_AND_BONE.hu_bone == pytest.approx(at_70.hu_bone, rel=5e-4)


def test_interpolation_meets_the_table_and_lies_just_below_the_log_log_chord():
    for energy in NIST_WATER:
        assert linear_attenuation_of_water(energy) == pytest.approx(NIST_WATER[energy] / 10, rel=1e-12)
        assert linear_attenuation_of_bone(energy) == pytest.approx(0.192 * NIST_CORTICAL_BONE[energy], rel=1e-12)
    # Both curves are convex in log-log, so the chord from 60 to 80 keV lies above them, by under 1 and under 2 percent.
    water, bone = log_log_line(NIST_WATER, 70.0) / 10, log_log_line(NIST_CORTICAL_BONE, 70.0) * 0.192
    assert 0.99 * water < linear_attenuation_of_water(70.0) < water
    assert 0.98 * bone < linear_attenuation_of_bone(70.0) < bone


@pytest.mark.parametrize("energy", [30, 34, 45, 60, 70, 90, 120, 150])
def test_printed_and_baked_tables_agree(energy):
    """Worst in between: 0.05 % for water at 130 keV, 0.09 % for bone at 34 keV."""
    for name, of_nist, density in (
        ("water", linear_attenuation_of_water, WATER_DENSITY),
        ("cortical_bone", linear_attenuation_of_bone, CORTICAL_BONE_DENSITY),
    ):
        material = find_material(name)
        assert material.density == density
        assert float(material.linear_attenuation(energy)) == pytest.approx(of_nist(energy), rel=1e-3)


def test_at_the_energy_of_the_ct_the_law_is_the_definition_of_the_hounsfield_number():
    hu = torch.linspace(-1000, 3000, 41, dtype=torch.float64)
    law = Attenuation.at_energy(70.0)
    torch.testing.assert_close(law(hu), law.mu_water * (1 + hu / 1000))
    torch.testing.assert_close(WATER_AND_BONE(hu), 0.01928 * (1 + hu / 1000), rtol=1e-3, atol=0)


def test_a_softer_beam_sees_bone_steeper_than_the_ct_did():
    soft = Attenuation.at_energy(50.0)
    assert soft(torch.tensor(soft.hu_bone)).item() == pytest.approx(0.192 * 0.4242, rel=1e-5)
    assert soft.mu_bone / soft.mu_water > WATER_AND_BONE.mu_bone / WATER_AND_BONE.mu_water


def test_nanodrr_law_is_expressible():
    law = Attenuation(mu_water=0.0192, mu_bone=0.0573, hu_bone=1000.0)
    hu = doubles(-3024, -1000, -500, 0, 500, 1000, 2000)
    clamped = hu.clamp(min=-1000)
    bone = 0.0192 + (0.0573 - 0.0192) * clamped / 1000
    expected = torch.where(clamped <= 0, 0.0192 * (1 + clamped / 1000), bone)
    torch.testing.assert_close(law(hu), expected)


@pytest.mark.parametrize("padding", [-1000, -1024, -2048, -3024, -32768])
@pytest.mark.parametrize("dtype", [torch.int16, torch.float32, torch.float64])
def test_air_and_padding_attenuate_exactly_nothing(padding, dtype):
    assert WATER_AND_BONE(torch.tensor([padding], dtype=dtype)).item() == 0.0


def test_water_attenuates_as_water():
    assert WATER_AND_BONE(torch.tensor(0.0)).item() == pytest.approx(0.01928)


def test_double_input_stays_double_and_all_else_becomes_float32():
    assert WATER_AND_BONE(doubles(1.0)).dtype == torch.float64
    assert WATER_AND_BONE(torch.tensor([1], dtype=torch.int16)).dtype == torch.float32


def test_gradient_in_hu_is_the_slope_of_each_branch():
    hu = doubles(-2000, -500, 0, 500).requires_grad_()
    law = Attenuation(mu_water=0.02, mu_bone=0.05, hu_bone=1000.0)
    (gradient,) = torch.autograd.grad(law(hu).sum(), hu)
    torch.testing.assert_close(gradient, doubles(0.0, 2e-5, 2e-5, 3e-5))
    assert torch.autograd.gradcheck(law, doubles(-1500, -300, 200, 1800).requires_grad_())


@pytest.mark.parametrize("name", ["mu_water", "mu_bone", "hu_bone"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_parameters_must_be_positive(name, value):
    with pytest.raises(InputError, match=rf"{name} must be positive and finite"):
        Attenuation(**{name: value})


@pytest.mark.parametrize("energy", [29.0, 151.0, math.nan])
def test_energy_outside_the_table_is_refused(energy):
    with pytest.raises(InputError, match="must lie in 30 to 150 keV"):
        Attenuation.at_energy(energy)


def test_diffdrr_density_follows_its_three_branches():
    hu = doubles(-1000, -800, -700, 0, 350, 351, 1000)
    law = DiffDRRDensity(bone_multiplier=2.0)
    raw = doubles(-700, -700, -700, 0, 350, 702, 2000)
    torch.testing.assert_close(law(hu), (raw + 700) / 2700)


def test_diffdrr_density_stands_where_the_original_fails():
    torch.testing.assert_close(DiffDRRDensity()(doubles(-1000, 1000)), doubles(0, 1))
    assert DiffDRRDensity()(torch.full((2, 2, 2), 40.0)).tolist() == torch.zeros(2, 2, 2).tolist()
    with pytest.raises(InputError, match="bone_multiplier must be positive"):
        DiffDRRDensity(bone_multiplier=0.0)


def test_diffdrr_density_has_the_gradient_of_its_normalisation():
    hu = doubles(-900, -300, -100, 200, 600, 900).requires_grad_()
    assert torch.autograd.gradcheck(DiffDRRDensity(bone_multiplier=1.5), hu)


def test_mr_intensity_spans_zero_to_mu_max():
    torch.testing.assert_close(MRPassthrough(mu_max=0.02)(doubles(100, 150, 200)), doubles(0.0, 0.01, 0.02))
    fixed = MRPassthrough(mu_max=0.02, intensity_range=(0.0, 400.0))
    torch.testing.assert_close(fixed(doubles(-5, 100, 800)), doubles(0.0, 0.005, 0.02))
    assert torch.autograd.gradcheck(MRPassthrough(), doubles(3, 50, 80, 11).requires_grad_())


def test_mr_parameters_are_checked():
    with pytest.raises(InputError, match="intensity_range must increase"):
        MRPassthrough(intensity_range=(5.0, 5.0))
    with pytest.raises(InputError, match="mu_max must be positive"):
        MRPassthrough(mu_max=-1.0)


@pytest.mark.parametrize("shape", [(7, 4, 5), (2, 3, 40), (1, 1, 1)])
def test_a_volume_taken_in_parts_has_the_values_and_gradients_of_the_whole(monkeypatch, shape):
    hu = torch.linspace(-1500, 3000, math.prod(shape)).reshape(shape)
    whole = WATER_AND_BONE(hu)
    monkeypatch.setattr("xraykit.render.materials.attenuation._BLOCK", 45)
    taken = hu.clone().requires_grad_()
    mu = WATER_AND_BONE(taken)
    assert torch.equal(mu, whole)
    mu.sum().backward()
    law = WATER_AND_BONE
    above = (law.mu_bone - law.mu_water) / law.hu_bone
    expected = torch.where(hu <= 0, law.mu_water / 1000, above)
    torch.testing.assert_close(taken.grad, expected.masked_fill(hu < -1000, 0.0), rtol=1e-4, atol=0)
