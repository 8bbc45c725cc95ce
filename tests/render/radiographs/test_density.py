"""Values that grow with density come out of every polarity, on one scale where the intensity is known."""

import math

import pytest
import torch
from xraykit.render import InputError, Radiograph
from xraykit.render.radiographs import relative_line_integrals

INTEGRALS = 4 * torch.rand(2, 9, 11, generator=torch.Generator().manual_seed(0))


def test_line_integrals_stay():
    xray = Radiograph(INTEGRALS, "line_integral")
    assert relative_line_integrals(xray) is xray


@pytest.mark.parametrize("gain", [1.0, 4095.0])
def test_intensities_lose_their_gain_and_keep_their_contrast(gain):
    found = relative_line_integrals(Radiograph(gain * torch.exp(-INTEGRALS), "intensity"))
    assert found.polarity == "line_integral"
    offset = (found.pixels - INTEGRALS).flatten()
    assert float(offset.std()) < 1e-5
    darkest = relative_line_integrals(Radiograph(torch.exp(-INTEGRALS), "intensity"))
    torch.testing.assert_close(found.pixels, darkest.pixels, rtol=0, atol=1e-5)


def test_zeros_count_as_half_the_smallest_positive_intensity():
    pixels = torch.full((1, 30, 30), 8.0)
    pixels[0, 0, :2] = torch.tensor([2.0, 0.0])
    found = relative_line_integrals(Radiograph(pixels, "intensity")).pixels[0, 0]
    assert float(found[1] - found[0]) == pytest.approx(math.log(2))
    assert float(found[2]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("polarity", "sign"), [("log_attenuation", 1.0), ("log_intensity", -1.0)])
def test_processed_values_keep_their_scale_bone_bright(polarity, sign):
    found = relative_line_integrals(Radiograph(300 * sign * INTEGRALS + 5000, polarity)).pixels
    assert float((found - 300 * INTEGRALS).std()) < 1e-2


def test_an_image_without_intensity_is_refused():
    with pytest.raises(InputError, match="must hold intensities above zero, got none; state its polarity"):
        relative_line_integrals(Radiograph(torch.zeros(1, 4, 4), "intensity"))
