"""Scintillator and blur: closed forms of absorption, quanta and modulation transfer."""

import math

import numpy as np
import pytest
import torch
from xraykit.render.errors import InputError
from xraykit.render.materials.materials import MATERIALS
from xraykit.render.physics.detector import Detector, blur_image, detected_quanta
from xraykit.render.physics.spectrum import MonochromaticSpectrum, Spectrum


def test_absorption_is_one_minus_beer_lambert_of_the_packed_thickness():
    energies = np.array([30.0, 60.0, 100.0])
    mu = MATERIALS["caesium_iodide"].linear_attenuation(energies)
    np.testing.assert_allclose(Detector().absorption(energies), 1 - np.exp(-mu * 0.6 * 0.8))
    np.testing.assert_array_equal(Detector(None).absorption(energies), 1.0)


def test_absorption_jumps_at_the_k_edges_of_caesium_and_gadolinium():
    below, above = Detector(thickness=0.15).absorption(np.array([35.9, 36.1]))
    assert above > 1.1 * below
    below, above = Detector("gadolinium_oxysulfide", 0.15).absorption(np.array([50.1, 50.4]))
    assert above > 1.5 * below


def test_signal_weighs_with_energy_or_counts():
    energies = np.array([40.0, 80.0])
    np.testing.assert_allclose(Detector(None).signal(energies), energies)
    np.testing.assert_allclose(Detector(None, counts="photons").signal(energies), 1.0)


def test_quanta_of_one_energy_are_the_absorbed_photons():
    panel = Detector()
    expected = float(panel.absorption(np.array([60.0]))[0])
    assert detected_quanta(MonochromaticSpectrum(60.0), panel) == pytest.approx(expected)


def test_energy_weighting_costs_quanta_and_counting_does_not():
    beam = Spectrum(80)
    share = beam.photons / beam.photons.sum()
    mean, square = (share * beam.energies).sum(), (share * beam.energies**2).sum()
    assert detected_quanta(beam, Detector(None)) == pytest.approx(mean**2 / square)
    assert mean**2 / square < 0.95
    assert detected_quanta(beam, Detector(None, counts="photons")) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("blur", ["gaussian", "lorentzian"])
@pytest.mark.parametrize("cycles", [3, 11])
def test_a_cosine_is_dimmed_by_the_mtf_at_its_frequency(blur, cycles):
    width, spacing = 64, 0.25
    at = (torch.arange(width, dtype=torch.float64) + 0.5) / width
    wave = 1 + 0.3 * torch.cos(math.pi * cycles * at)  # symmetric about both borders
    panel = Detector(blur=blur, mtf50=0.9)
    frequency = cycles / 2 / (width * spacing)
    ratio = (frequency / 0.9) ** 2
    mtf = 2**-ratio if blur == "gaussian" else 1 / (1 + ratio)
    blurred = blur_image(wave.expand(1, 1, 5, width), panel, pixel_spacing=(7.0, spacing))
    torch.testing.assert_close(blurred, (1 + 0.3 * mtf * torch.cos(math.pi * cycles * at)).expand(1, 1, 5, width))


def test_modulation_is_one_half_at_mtf50():
    spacing, width = 0.5, 40
    at = (torch.arange(width, dtype=torch.float64) + 0.5) / width
    wave = torch.cos(math.pi * 20 * at)
    panel = Detector(mtf50=10 / (width * spacing))
    torch.testing.assert_close(blur_image(wave.expand(1, 1, 3, -1), panel, pixel_spacing=spacing)[0, 0, 0], wave / 2)


def test_gaussian_blur_spreads_an_edge_like_the_error_function():
    spacing, width = 0.05, 400
    edge = (torch.arange(width) >= 200).to(torch.float64).expand(1, 1, 4, width)
    blurred = blur_image(edge, Detector(blur="gaussian", mtf50=0.5), pixel_spacing=spacing)[0, 0, 0]
    sigma = math.sqrt(math.log(2) / 2) / (math.pi * 0.5)
    x = (torch.arange(width, dtype=torch.float64) + 0.5 - 200) * spacing
    torch.testing.assert_close(blurred, torch.special.ndtr(x / sigma), atol=2e-4, rtol=0)


@pytest.mark.parametrize("size", [(16, 16), (9, 14), (1, 7)])
def test_blur_keeps_the_sum_and_uniform_images(size):
    image = torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    blurred = blur_image(image, Detector(mtf50=0.3), pixel_spacing=0.7)
    torch.testing.assert_close(blurred.sum(dim=(2, 3)), image.sum(dim=(2, 3)))
    flat = torch.full((1, 1, *size), 0.37)
    torch.testing.assert_close(blur_image(flat, Detector(), pixel_spacing=0.2), flat)


def test_each_image_of_a_batch_may_have_its_own_spacing():
    image = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    both = blur_image(image, Detector(), pixel_spacing=torch.tensor([[0.2, 0.2], [0.8, 0.4]]))
    alone = blur_image(image[1:], Detector(), pixel_spacing=(0.8, 0.4))
    torch.testing.assert_close(both[1:], alone)


def test_blur_is_differentiable_and_none_is_the_identity():
    image = torch.rand(1, 1, 4, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda i: blur_image(i, Detector(), pixel_spacing=0.4), image, rtol=1e-6)
    assert blur_image(image, Detector(blur=None), pixel_spacing=0.4) is image


@pytest.mark.parametrize(
    "options, message",
    [
        ({"scintillator": "jelly"}, "got 'jelly'"),
        ({"thickness": 0.0}, "thickness must be positive"),
        ({"mtf50": -1.0}, "mtf50 must be positive"),
        ({"packing": 1.5}, "packing must lie in 0 to 1"),
        ({"counts": "charge"}, "counts must be 'energy' or 'photons'"),
        ({"blur": "box"}, "blur must be"),
    ],
)
def test_impossible_detectors_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Detector(**options)


def test_spacing_must_be_positive():
    with pytest.raises(InputError, match="pixel_spacing must be positive"):
        blur_image(torch.ones(1, 1, 2, 2), Detector(), pixel_spacing=0.0)
