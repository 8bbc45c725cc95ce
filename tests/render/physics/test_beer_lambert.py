"""Polychromatic Beer-Lambert against sums over the full tables, hardening, and gradients."""

import numpy as np
import pytest
import torch
from xraykit.render.errors import InputError
from xraykit.render.materials.materials import MATERIALS
from xraykit.render.materials.tables import air_energy_absorption
from xraykit.render.physics.beer_lambert import transmission
from xraykit.render.physics.detector import Detector
from xraykit.render.physics.energy_nodes import energy_nodes
from xraykit.render.physics.spectrum import MonochromaticSpectrum, Spectrum, half_value_layer

BODY = ("lung", "adipose", "soft_tissue", "cortical_bone")
PANEL = Detector()


def integrated(spectrum: Spectrum, detector: Detector, slabs: dict[str, float]) -> float:
    """Transmission through slabs {material: mm}, bin by bin in plain numpy."""
    energies = spectrum.energies
    depth = sum(MATERIALS[name].linear_attenuation(energies) * mm for name, mm in slabs.items())
    weight = spectrum.photons * detector.signal(energies)
    return float((weight * np.exp(-depth)).sum() / weight.sum())


def area(slabs: dict[str, float], dtype: torch.dtype = torch.float64) -> torch.Tensor:
    values = [mm / 10 * MATERIALS[name].density for name, mm in slabs.items()]
    return torch.tensor(values, dtype=dtype)[None, :, None, None]


@pytest.mark.parametrize("detector", [PANEL, Detector(scintillator=None), Detector("gadolinium_oxysulfide", 0.3)])
@pytest.mark.parametrize("kvp", [60.0, 80.0, 123.0])
@pytest.mark.parametrize(
    "slabs",
    [
        {"water": 1.0},
        {"water": 200.0},
        {"cortical_bone": 30.0},
        {"titanium": 8.0},
        {"water": 150.0, "cortical_bone": 15.0, "titanium": 4.0},
        {"water": 100.0, "iodine_contrast": 5.0},
    ],
    ids=lambda slabs: "+".join(slabs),
)
def test_slabs_agree_with_direct_integration_within_a_thousandth(slabs, kvp, detector):
    beam = Spectrum(kvp, (("aluminium", 2.5),))
    truth = integrated(beam, detector, slabs)
    for dtype in (torch.float32, torch.float64):
        fast = transmission(area(slabs, dtype), tuple(slabs), beam, detector=detector)
        assert fast.item() == pytest.approx(truth, rel=1e-3)
    exact = transmission(area(slabs), tuple(slabs), beam, detector=detector, tolerance=0.0)
    assert exact.item() == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("tools", [(), ("titanium",), ("stainless_steel", "iodine_contrast", "lead")])
def test_few_energies_hold_their_tolerance_on_mixtures_they_were_not_fitted_to(tools):
    materials = tuple(MATERIALS[name] for name in (*BODY, *tools))
    generator = torch.Generator().manual_seed(5)
    for kvp in (50.0, 90.0, 140.0):
        every = energy_nodes(Spectrum(kvp), PANEL, materials, tolerance=0.0)
        few = energy_nodes(Spectrum(kvp), PANEL, materials, tolerance=5e-4)
        assert len(few.energies) <= 24
        mix = torch.rand(4000, len(materials), generator=generator, dtype=torch.float64).numpy() ** 3
        mix = mix / (every.weights @ every.mass_attenuation) * np.geomspace(0.01, 12, 4000)[:, None]
        truth = np.exp(-mix @ every.mass_attenuation.T) @ every.weights
        error = np.abs(np.exp(-mix @ few.mass_attenuation.T) @ few.weights / truth - 1)[truth > 1e-5]
        assert len(error) > 1000
        assert error.max() < 1e-3


def test_air_gives_one_and_weights_add_up():
    materials = tuple(MATERIALS[name] for name in BODY)
    nodes = energy_nodes(Spectrum(80), PANEL, materials, tolerance=5e-4)
    assert nodes.weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert (nodes.weights > 0).all()
    empty = transmission(torch.zeros(1, 4, 2, 3), BODY, Spectrum(80))
    torch.testing.assert_close(empty, torch.ones(1, 1, 2, 3))


def test_one_energy_is_beer_lambert():
    image = transmission(area({"water": 100.0}), ("water",), MonochromaticSpectrum(60.0))
    expected = np.exp(-float(MATERIALS["water"].linear_attenuation(60.0)) * 100)
    assert image.item() == pytest.approx(expected, rel=1e-12)


def test_beam_hardens_so_the_second_centimetre_of_bone_takes_less_than_the_first():
    thick = torch.linspace(0, 40, 9, dtype=torch.float64) * 0.192
    image = transmission(thick[None, None, None, :], ("cortical_bone",), Spectrum(80), detector=PANEL)
    slope = -image.log().flatten().diff()
    assert (slope.diff() < 0).all()
    single = transmission(thick[None, None, None, :], ("cortical_bone",), MonochromaticSpectrum(50.0))
    steps = -single.log().flatten().diff()
    torch.testing.assert_close(steps, steps[:1].expand(8))


def test_a_filter_of_one_half_value_layer_halves_the_kerma_weighted_signal():
    beam = Spectrum(80)  # 2.5 mm Al: 2.74 mm Al (spekpy 2.734)
    layer = half_value_layer(beam)
    assert layer == pytest.approx(2.734, rel=0.005)
    kerma = beam.photons * beam.energies * air_energy_absorption(beam.energies)
    passed = kerma * np.exp(-MATERIALS["aluminium"].linear_attenuation(beam.energies) * layer)
    assert passed.sum() / kerma.sum() == pytest.approx(0.5, rel=1e-9)


def test_higher_voltage_lets_more_through_and_lowers_bone_contrast():
    both = torch.cat([area({"water": 200.0, "cortical_bone": 0.0}), area({"water": 185.0, "cortical_bone": 15.0})])
    images = [transmission(both, ("water", "cortical_bone"), Spectrum(kvp), detector=PANEL) for kvp in (60, 80, 120)]
    through = [float(image[0]) for image in images]
    contrast = [float((image[0] / image[1]).log()) for image in images]
    assert through == sorted(through)
    assert contrast == sorted(contrast, reverse=True)


def test_gradient_is_that_of_central_differences():
    generator = torch.Generator().manual_seed(0)
    areas = (torch.rand(2, 4, 3, 5, generator=generator, dtype=torch.float64) * 3).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a: transmission(a, BODY, Spectrum(80), detector=PANEL), areas, eps=1e-5, rtol=1e-6, atol=1e-10
    )
    strided = areas.detach().transpose(2, 3).requires_grad_()
    expanded = areas.detach()[:1, :, :1, :1].requires_grad_()
    for tensor in (strided, expanded):
        assert torch.autograd.gradcheck(
            lambda a: transmission(a.expand(-1, -1, 5, 3), BODY, Spectrum(80)), tensor, rtol=1e-6, atol=1e-10
        )


def test_chunks_leave_no_seams(monkeypatch):
    from xraykit.render.physics import beer_lambert as module

    areas = torch.rand(2, 4, 13, 17, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    whole = [areas.clone().requires_grad_() for _ in range(2)]
    first = transmission(whole[0], BODY, Spectrum(80))
    first.sum().backward()
    monkeypatch.setitem(module._PIXELS_AT_ONCE, "cpu", 7)
    second = transmission(whole[1], BODY, Spectrum(80))
    second.sum().backward()
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(whole[0].grad, whole[1].grad)


def test_displaced_tissue_counts_negative():
    gone = transmission(torch.tensor([2.0, -2.0]).double()[None, :, None, None], ("water", "water"), Spectrum(80))
    assert gone.item() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: transmission(torch.zeros(1, 3, 2, 2), BODY, Spectrum(80)), r"must be \(B, 4, H, W\) for 4 materials"),
        (lambda: transmission(torch.zeros(4, 2, 2), BODY, Spectrum(80)), r"got \(4, 2, 2\)"),
        (lambda: transmission(torch.zeros(1, 4, 2, 2, dtype=torch.int32), BODY, Spectrum(80)), "floating point"),
        (lambda: transmission(torch.zeros(1, 1, 2, 2), ("ether",), Spectrum(80)), "got 'ether'"),
        (lambda: transmission(torch.zeros(1, 1, 2, 2), ("water",), Spectrum(80), tolerance=0.5), "tolerance must lie"),
        (lambda: transmission(torch.zeros(1, 1, 2, 2), ("water",), Spectrum(80), moment=3), "moment must be 1 or 2"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
