"""Noise: its moments over a million pixels, its seed, its gradient."""

import numpy as np
import pytest
import torch
from xraykit.render.errors import InputError
from xraykit.render.materials.materials import MATERIALS
from xraykit.render.physics.beer_lambert import transmission
from xraykit.render.physics.detector import Detector, detected_quanta
from xraykit.render.physics.noise import add_quantum_noise, add_readout_noise, quanta_behind
from xraykit.render.physics.spectrum import Spectrum

MILLION = (1, 1, 1000, 1000)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("law", ["poisson", "gaussian"])
@pytest.mark.parametrize("level, quanta", [(0.02, 800.0), (0.3, 2000.0), (1.0, 1e5)])
def test_mean_and_variance_over_a_million_pixels_are_right_within_a_percent(law, level, quanta):
    noisy = add_quantum_noise(torch.full(MILLION, level), quanta, generator=seeded(), law=law).double()
    assert noisy.mean().item() == pytest.approx(level, rel=0.01)
    assert noisy.var().item() == pytest.approx(level / quanta, rel=0.01)


def test_poisson_values_are_whole_quanta():
    counts = add_quantum_noise(torch.full((1, 1, 50, 50), 0.4), 10.0, generator=seeded()) * 10
    torch.testing.assert_close(counts, counts.round())
    assert counts.min() >= 0


def test_readout_noise_has_its_standard_deviation_and_no_bias():
    noisy = add_readout_noise(torch.full(MILLION, 0.5), 0.01, generator=seeded()).double()
    assert noisy.mean().item() == pytest.approx(0.5, rel=1e-3)
    assert noisy.var().item() == pytest.approx(1e-4, rel=0.01)


def test_a_compound_poisson_sum_over_the_spectrum_has_the_matched_moments():
    beam, panel, photons = Spectrum(80), Detector(), 5000.0
    counted = np.random.default_rng(0).poisson(
        photons * beam.photons / beam.photons.sum() * panel.absorption(beam.energies), (100_000, len(beam.energies))
    )
    signal = counted @ beam.energies
    measured = signal.mean() ** 2 / signal.var()
    assert photons * detected_quanta(beam, panel) == pytest.approx(measured, rel=0.015)


def test_behind_water_the_variance_is_that_of_a_compound_poisson_sum_of_the_hardened_beam():
    beam, panel, photons, water = Spectrum(80), Detector(), 50_000.0, torch.full((1, 1, 1, 1), 20.0).double()
    passed = np.exp(-MATERIALS["water"].mass_attenuation(beam.energies) * 20.0)
    arriving = photons * beam.photons / beam.photons.sum() * panel.absorption(beam.energies)
    signal = np.random.default_rng(0).poisson(arriving * passed, (200_000, len(beam.energies))) @ beam.energies
    signal = signal / (arriving @ beam.energies)  # relative to air

    first, second = (transmission(water, ("water",), beam, detector=panel, moment=moment) for moment in (1, 2))
    quanta = quanta_behind(photons * detected_quanta(beam, panel), first, second)
    assert first.item() == pytest.approx(signal.mean(), rel=2e-3)
    assert (first / quanta).item() == pytest.approx(signal.var(), rel=0.01)
    in_air = first / (photons * detected_quanta(beam, panel))
    assert in_air.item() < 0.85 * signal.var()


def test_in_air_and_in_complete_shadow_the_quanta_stay_finite_and_positive():
    one = torch.ones(1, 1, 1, 1)
    assert quanta_behind(500.0, one, one).item() == 500.0
    assert quanta_behind(500.0, 0 * one, 0 * one).item() == 500.0


@pytest.mark.parametrize("law", ["poisson", "gaussian"])
def test_same_seed_same_image(law):
    image = torch.rand(1, 1, 30, 40, generator=seeded(1))
    one, two, other = (add_quantum_noise(image, 500.0, generator=seeded(s), law=law) for s in (3, 3, 4))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    a, b = (add_readout_noise(image, 0.1, generator=seeded(3)) for _ in range(2))
    assert torch.equal(a, b)


def test_an_illumination_map_of_quanta_is_noisier_where_it_is_dim():
    quanta = torch.tensor([100.0, 10_000.0]).repeat_interleave(500)
    noisy = add_quantum_noise(torch.full((1, 1, 200, 1000), 0.5), quanta, generator=seeded())
    ratio = noisy[..., :500].var() / noisy[..., 500:].var()
    assert ratio.item() == pytest.approx(100, rel=0.05)


def test_gaussian_law_is_differentiable_with_the_noise_held_fixed():
    image = (torch.rand(1, 1, 3, 4, generator=seeded(2), dtype=torch.float64) + 0.05).requires_grad_()
    quanta = torch.tensor(300.0, dtype=torch.float64, requires_grad=True)

    def noisy(i, q):
        return add_readout_noise(
            add_quantum_noise(i, q, generator=seeded(5), law="gaussian"), 0.01, generator=seeded(6)
        )

    assert torch.autograd.gradcheck(noisy, (image, quanta), rtol=1e-6)


def test_gaussian_gradient_is_finite_in_complete_shadow():
    image = torch.zeros(1, 1, 2, 2, requires_grad=True)
    add_quantum_noise(image, 100.0, generator=seeded(), law="gaussian").sum().backward()
    torch.testing.assert_close(image.grad, torch.ones_like(image))


@pytest.mark.parametrize("quanta", [0.0, -5.0, float("inf"), float("nan")])
def test_dose_must_be_positive(quanta):
    with pytest.raises(InputError, match="quanta must be positive and finite"):
        add_quantum_noise(torch.ones(1, 1, 2, 2), quanta)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: add_quantum_noise(-torch.ones(1, 1, 2, 2), 10.0), "intensity must be 0 or more"),
        (lambda: add_quantum_noise(torch.full((1, 1, 2, 2), float("nan")), 10.0), "intensity must be 0 or more"),
        (lambda: add_quantum_noise(torch.ones(1, 1, 2, 2), 10.0, law="normal"), "law must be"),  # type: ignore[arg-type]
        (lambda: add_quantum_noise(torch.ones(1, 1, 2, 2, requires_grad=True), 10.0), "counts have no gradient"),
        (lambda: add_readout_noise(torch.ones(1, 1, 2, 2), -0.1), "std must be 0 or more"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
