"""Three windows: exact 2-means, bounds and slopes, polarity."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from xraykit.fluorosam.data import prepare_windows, three_windows, two_means
from xraykit.fluorosam.network import NAMED, InputConfig
from xraykit.render import InputError

CONFIG = NAMED["mini"]


def cost(values, centres):
    return float(torch.stack([(values - c).square() for c in centres]).min(0).values.sum())


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=7))
def test_two_means_are_the_best_of_all_partitions(values):
    x = torch.tensor(values, dtype=torch.float64)
    low, high = two_means(x)
    assert low <= high
    best = min(
        cost(x, [x[m].mean(), x[~m].mean()])
        for code in range(1, 2 ** len(values) - 1)
        if (m := torch.tensor([bool(code >> i & 1) for i in range(len(values))])).any()
    )
    assert cost(x, [low, high]) == pytest.approx(best, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("values", [[4.0], [4.0, 4.0, 4.0]])
def test_two_means_of_one_value_are_that_value(values):
    assert two_means(torch.tensor(values)) == (4.0, 4.0)


def picture():
    generator = torch.Generator().manual_seed(5)
    image = 0.2 + 0.02 * torch.randn(60, 80, generator=generator)
    image[20:40, 30:70] += 0.6
    return image


def test_windows_follow_the_stated_lines():
    image = picture()
    windows = three_windows(image, samples=10_000)
    shares = (image - image.min()) / (image.max() - image.min())
    torch.testing.assert_close(windows[0], shares)
    bright = torch.zeros(60, 80, dtype=torch.bool)
    bright[20:40, 30:70] = True
    for window, members in zip(windows[1:], (~bright, bright), strict=True):
        inside = shares[members].double()
        first = max(inside.mean() - 3 * inside.std(correction=0), inside.min())
        last = min(inside.mean() + 3 * inside.std(correction=0), inside.max())
        lines = torch.tensor([0.0, float(first), float(last), 1.0]), torch.tensor([0.0, 0.1, 0.9, 1.0])
        for grey, value in ((first, 0.1), (last, 0.9)):
            near = (shares - grey).abs().argmin()
            assert float(window.flatten()[near]) == pytest.approx(value, abs=0.02)
        import numpy as np

        expected = torch.from_numpy(np.interp(shares.numpy(), *(each.numpy() for each in lines))).float()
        torch.testing.assert_close(window, expected, rtol=0, atol=1e-5)


def test_windows_grow_with_the_grey_value_and_lie_in_their_range():
    image = picture()
    order = image.flatten().argsort()
    for window in three_windows(image):
        assert float(window.min()) >= 0 and float(window.max()) <= 1
        assert bool((window.flatten()[order].diff() >= -1e-6).all())


def test_units_of_the_image_do_not_matter():
    image = picture()
    whole = (image * 60000).round().to(torch.int32)
    torch.testing.assert_close(three_windows(whole), three_windows(whole.double() / 65535 - 3), rtol=0, atol=1e-5)
    assert torch.equal(three_windows(image), three_windows(image.clone()))


@pytest.mark.parametrize("kind", [torch.uint8, torch.int32, torch.float32])
def test_a_constant_image_is_safe(kind):
    assert torch.equal(three_windows(torch.full((5, 6), 7, dtype=kind)), torch.zeros(3, 5, 6))


def test_images_of_one_and_two_pixels_are_safe():
    assert three_windows(torch.ones(1, 1)).shape == (3, 1, 1)
    assert bool(torch.isfinite(three_windows(torch.tensor([[1.0, 5.0]]))).all())


def test_sampled_pixels_that_are_all_alike_are_safe():
    image = torch.zeros(100, 100)
    image[0, 1] = 1.0
    assert bool(torch.isfinite(three_windows(image, samples=100)).all())


def test_a_negative_gives_the_same_input():
    image = picture()
    bright = prepare_windows(image, CONFIG, bone="bright").image
    torch.testing.assert_close(prepare_windows(5 - 2 * image, CONFIG, bone="dark").image, bright, rtol=0, atol=1e-4)
    other = replace(CONFIG, input=InputConfig(inverted=False))
    torch.testing.assert_close(prepare_windows(image, other, bone="bright").image, -bright)


def test_bone_is_shown_bright_and_padding_is_middle_grey():
    found = prepare_windows(picture(), CONFIG, bone="bright")
    assert found.image.shape == (3, 256, 256)
    assert bool((found.image[:, 192:] == 0).all())
    assert float(found.image[0, 96, 160]) > 0.5 > float(found.image[0, 10, 10])
    assert float(found.image.abs().max()) <= 1


@pytest.mark.parametrize(
    "image, message",
    [
        (torch.zeros(3, 4, 5), r"must be \(H, W\) grey values, got \(3, 4, 5\)"),
        (torch.zeros(0, 4), r"must be \(H, W\) grey values, got \(0, 4\)"),
        (torch.tensor([[1.0, torch.nan]]), "finite grey values, got NaN or infinity"),
    ],
)
def test_what_is_no_grey_image_is_refused(image, message):
    with pytest.raises(InputError, match=message):
        prepare_windows(image, CONFIG, bone="dark")


def test_the_tone_of_bone_must_be_stated():
    with pytest.raises(InputError, match="bone must be 'bright' or 'dark', got 'auto'"):
        prepare_windows(torch.zeros(4, 4), CONFIG, bone="auto")
