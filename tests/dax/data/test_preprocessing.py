"""From intensities to images in [0, 1]."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from xraykit.dax.data import PreprocessSettings, preprocess, preprocess_linear, standardise
from xraykit.dax.data.lowpass import gaussian_lowpass
from xraykit.dax.data.region import middle
from xraykit.render import InputError

from benchmarks.oracles.dax_published import published_log, published_scale, xray_like

SETTINGS = PreprocessSettings()


@pytest.mark.parametrize("size", [8, 9, 64, 101])
@pytest.mark.parametrize(("k", "lowpass"), [(3.0, 0.0), (2.0, 0.0), (3.0, 5.3)])
def test_square_images_become_what_the_published_formulas_say(size, k, lowpass):
    image = xray_like(size, size)
    ours = preprocess(torch.from_numpy(image), PreprocessSettings(deviations=k, lowpass=lowpass))
    torch.testing.assert_close(
        ours, torch.from_numpy(published_scale(published_log(image, k=k, lowpass=lowpass))), atol=3e-6, rtol=0
    )


def test_the_linear_branch_is_the_published_scaling_alone():
    image = xray_like(64, 64)
    torch.testing.assert_close(
        preprocess_linear(torch.from_numpy(image), SETTINGS),
        torch.from_numpy(published_scale(image)),
        atol=1e-6,
        rtol=0,
    )


def test_wide_images_are_scaled_by_the_published_region():
    image = xray_like(40, 90)
    expected = torch.from_numpy(published_scale(published_log(image)))
    torch.testing.assert_close(preprocess(torch.from_numpy(image), SETTINGS), expected, atol=3e-6, rtol=0)


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_the_scale_of_the_values_does_not_matter(bits):
    image = torch.from_numpy(xray_like(48, 48).astype(np.float32))
    scaled = image * (2**bits - 1) / 65_535
    for chain in (preprocess, preprocess_linear):
        torch.testing.assert_close(chain(scaled, SETTINGS), chain(image, SETTINGS), atol=2e-6, rtol=0)


def test_a_dead_pixel_changes_nothing_but_itself():
    image = xray_like(64, 64).astype(np.float32)
    whole = preprocess(torch.from_numpy(image), SETTINGS)
    image[30, 30] = 0
    ours, published = preprocess(torch.from_numpy(image), SETTINGS), published_scale(published_log(image))
    others = torch.ones(64, 64, dtype=torch.bool)
    others[30, 30] = False
    assert (ours - whole)[others].abs().max() < 2e-3
    assert np.abs(published - whole.numpy()).max() > 0.5  # the contrast that it would have cost


@pytest.mark.parametrize("value", [0.0, 1.0, 65_535.0])
@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (50, 3), (7, 7), (16, 16)])
def test_constant_and_tiny_images_give_zeros(value, shape):
    for chain in (preprocess, preprocess_linear):
        assert torch.equal(chain(torch.full(shape, value), SETTINGS), torch.zeros(shape))


@pytest.mark.parametrize("shape", [(2, 40), (40, 2), (7, 7), (60, 20)])
def test_the_region_is_never_empty_and_inside(shape):
    rows, columns = middle(*shape)
    assert 0 <= rows.start < rows.stop <= shape[0]
    assert 0 <= columns.start < columns.stop <= shape[1]
    image = preprocess(torch.from_numpy(xray_like(*shape).astype(np.float32)), SETTINGS)
    assert float(image.min()) == 0
    assert float(image.max()) == 1


def test_batches_are_treated_image_by_image():
    images = torch.stack([torch.from_numpy(xray_like(24, 32, seed=n).astype(np.float32)) for n in range(3)])
    together = preprocess(images[:, None], SETTINGS)
    assert together.shape == (3, 1, 24, 32)
    assert torch.equal(together[:, 0], torch.stack([preprocess(image, SETTINGS) for image in images]))


def test_what_lies_beyond_the_exposed_field_does_not_count():
    inner = torch.from_numpy(xray_like(64, 64).astype(np.float32))
    field = torch.zeros(64, 64, dtype=torch.bool)
    field[12:50, 10:52] = True
    settings = PreprocessSettings(field="exposed")
    closed = [torch.where(field, inner, torch.tensor(value)) for value in (1.0, 60_000.0)]
    first, second = (preprocess(image, settings, field=field) for image in closed)
    assert torch.equal(first, second)
    assert float(first[~field].max()) == 0
    assert float(first[field].max()) == 1


def test_a_field_off_the_middle_counts_as_a_whole():
    image = torch.from_numpy(xray_like(64, 64).astype(np.float32))
    field = torch.zeros(64, 64, dtype=torch.bool)
    field[:6] = True
    made = preprocess(image, PreprocessSettings(field="exposed"), field=field)
    assert float(made[:6].max()) == 1
    assert float(made[6:].max()) == 0


def test_all_pixels_exposed_is_the_whole_image():
    image = torch.from_numpy(xray_like(40, 40).astype(np.float32))
    made = preprocess(image, PreprocessSettings(field="exposed"), field=torch.ones(40, 40, dtype=torch.bool))
    assert torch.equal(made, preprocess(image, SETTINGS))


@pytest.mark.parametrize(("shape", "sigma"), [((37, 20), 1.3), ((12, 50), 9.1), ((5, 5), 4.0), ((8, 8), 0.05)])
def test_the_lowpass_is_that_of_scipy(shape, sigma):
    image = np.random.default_rng(0).random(shape)
    torch.testing.assert_close(
        gaussian_lowpass(torch.from_numpy(image), sigma), torch.from_numpy(gaussian_filter(image, sigma))
    )


def test_standardising_needs_both_numbers():
    images = torch.rand(2, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(standardise(images, SETTINGS), images)
    torch.testing.assert_close(standardise(images, PreprocessSettings(mean=0.4, std=0.2)), (images - 0.4) / 0.2)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(5), r"shape \(\.\.\., H, W\)"),
        (torch.zeros(0, 4), "no empty axis"),
        (torch.tensor([[1.0, float("nan")]]), "finite"),
        (torch.tensor([[1.0, float("inf")]]), "finite"),
    ],
)
def test_what_is_no_image_is_refused(image, message):
    with pytest.raises(InputError, match=message):
        preprocess(image, SETTINGS)


def test_an_exposed_field_must_be_there_and_hold_something():
    settings = PreprocessSettings(field="exposed")
    with pytest.raises(InputError, match="needs the exposed field"):
        preprocess(torch.rand(9, 9), settings)
    with pytest.raises(InputError, match="true somewhere"):
        preprocess(torch.rand(9, 9), settings, field=torch.zeros(9, 9, dtype=torch.bool))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"version": "C"}, "version"),
        ({"field": "open"}, "field"),
        ({"fit": "squash"}, "fit"),
        ({"deviations": -1.0}, "deviations"),
        ({"lowpass": float("nan")}, "lowpass"),
        ({"size": 0}, "size"),
        ({"mean": 0.5}, "both or neither"),
        ({"mean": 0.5, "std": 0.0}, "std positive"),
    ],
)
def test_settings_out_of_range_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        PreprocessSettings(**values)
