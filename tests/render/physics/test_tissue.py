"""HU to tissues: what the definition of the Hounsfield number demands, and smoothness."""

import numpy as np
import pytest
import torch
from xraykit.render.errors import InputError
from xraykit.render.materials.attenuation import Attenuation, linear_attenuation_of_bone, linear_attenuation_of_water
from xraykit.render.materials.materials import MATERIALS
from xraykit.render.physics.tissue import TISSUES, TissueLaw

HU = torch.arange(-1200.0, 3200.0, 0.5, dtype=torch.float64)
LAW = TissueLaw()


def linear_attenuation(law: TissueLaw, hu: torch.Tensor, energy: float) -> torch.Tensor:
    per_gram = torch.tensor([float(MATERIALS[name].mass_attenuation(energy)) for name in TISSUES], dtype=torch.float64)
    return (law.partial_densities(hu) * per_gram[:, None]).sum(0) / 10


def test_fractions_add_up_to_one_and_are_none_negative():
    fractions = LAW.fractions(HU)
    torch.testing.assert_close(fractions.sum(0), torch.ones_like(HU))
    assert fractions.min() >= 0


def test_air_falls_bone_and_density_rise_with_hu():
    fractions, density = LAW.fractions(HU), LAW.density(HU)
    assert (fractions[0].diff() <= 1e-12).all()
    assert (fractions[4].diff() >= -1e-12).all()
    assert (density.diff() >= -1e-12).all()


def test_at_the_energy_of_the_ct_the_mixture_attenuates_as_its_hounsfield_number_says():
    inside = HU[HU > -997]
    expected = linear_attenuation(LAW, torch.zeros(1, dtype=torch.float64), 70.0) * (1 + inside / 1000)
    torch.testing.assert_close(linear_attenuation(LAW, inside, 70.0), expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("energy", [50.0, 70.0, 90.0])
def test_water_and_bone_attenuate_as_the_tables_of_the_renderer_say(energy):
    law = TissueLaw(ct_energy_kev=energy)
    bone = Attenuation.at_energy(70.0, ct_energy_kev=energy).hu_bone
    water_mu, bone_mu = linear_attenuation(law, torch.tensor([0.0, bone], dtype=torch.float64), energy).tolist()
    assert water_mu == pytest.approx(linear_attenuation_of_water(energy), rel=0.02)
    assert bone_mu == pytest.approx(linear_attenuation_of_bone(energy), rel=0.02)


def test_minus_1000_and_padding_are_air_alone():
    fractions = LAW.fractions(torch.tensor([-1000.0, -1024.0, -3024.0]))
    torch.testing.assert_close(fractions[0], torch.ones(3))
    assert LAW.density(torch.tensor(-3024.0)).item() == pytest.approx(1.205e-3)


def test_pure_tissues_sit_at_their_knots_but_for_the_rounded_corner():
    fractions = LAW.fractions(torch.tensor(LAW.knots, dtype=torch.float64))
    assert (fractions.diagonal()[1:] > 0.95).all()


def test_density_follows_the_calibration_of_schneider_2000():
    hu = np.arange(100.0, 1500.0)
    np.testing.assert_allclose(LAW.density(torch.tensor(hu)), 1.017 + 0.592e-3 * hu, atol=0.04)
    hu = np.arange(-900.0, -98.0)
    np.testing.assert_allclose(LAW.density(torch.tensor(hu)), np.interp(hu, [-1000, -98], [1.21e-3, 0.93]), atol=0.04)


def test_beyond_bone_density_grows_in_proportion():
    two = LAW.density(torch.tensor([2000.0, 5000.0], dtype=torch.float64))
    assert (two[1] / two[0]).item() == pytest.approx(6000 / 3000)


def test_gradient_is_continuous_and_right():
    hu = torch.tensor([-999.0, -997.9, -741.0, -500.0, -76.0, 0.0, 40.0, 53.0, 700.0, 1550.0, 2500.0]).double()
    assert torch.autograd.gradcheck(LAW.partial_densities, hu.requires_grad_(), eps=1e-4, rtol=1e-6, atol=1e-9)
    fine = torch.arange(-900.0, 1700.0, 0.01, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(LAW.density(fine).sum(), fine)
    assert slope.diff().abs().max() < 1e-3 * slope.max()  # neighbours are 0.01 HU apart, corners 30 HU wide


def test_a_material_alone_explains_the_hounsfield_number_by_its_density():
    titanium = MATERIALS["titanium"]
    hu = torch.tensor([-1100.0, 0.0, 3000.0], dtype=torch.float64)
    density = LAW.density_as(titanium, hu)
    water = MATERIALS["water"]
    expected = float(water.mass_attenuation(70.0) / titanium.mass_attenuation(70.0)) * np.array([0.0, 1.0, 4.0])
    np.testing.assert_allclose(density, expected)
    assert LAW.density_as(titanium, torch.tensor([7])).dtype == torch.float32


def test_integer_hu_become_float32():
    assert LAW.partial_densities(torch.tensor([-1000, 0, 300])).dtype == torch.float32


@pytest.mark.parametrize(
    "options, message",
    [
        ({"ct_energy_kev": 20.0}, "ct_energy_kev must lie in 30 to 150"),
        ({"smoothing": 0.0}, "smoothing must lie in 0 to 25"),
        ({"smoothing": 40.0}, "smoothing must lie in 0 to 25"),
    ],
)
def test_parameters_outside_their_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        TissueLaw(**options)
