"""Changes of the look stay in range, follow from their numbers, and are nothing where their strength is nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from xraykit.fluorosam.data import (
    AppearanceSettings,
    DropoutSettings,
    EqualisationSettings,
    SegmentationChanges,
    ToneSettings,
    change_appearance,
    change_tone,
    equalise,
)
from xraykit.fluorosam.data.appearance import CHANGES
from xraykit.render import InputError

ALL = AppearanceSettings(invert=0.0, changed=1.0)


def windows(height=40, width=56, seed=0):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


@given(st.integers(0, 10_000))
def test_values_stay_in_range_and_follow_from_the_numbers(seed):
    image = windows()
    first, again = (change_appearance(image, ALL, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == image.shape and first.dtype == torch.float32
    assert torch.equal(first, again) and torch.equal(image, windows())
    assert float(first.min()) >= 0 and float(first.max()) <= 1 and bool(torch.isfinite(first).all())


def test_no_change_and_inversion_are_exact():
    none, image = SegmentationChanges.none().appearance, windows()
    assert torch.equal(change_appearance(image, none, np.random.default_rng(0)), image)
    inverted = change_appearance(image, replace(none, invert=1.0), np.random.default_rng(0))
    assert torch.equal(inverted, 1 - image)


@pytest.mark.parametrize("change", [one for one, _ in CHANGES], ids=lambda one: one.__name__)
def test_each_change_changes_and_has_a_strength_that_is_none(change):
    nothing = DropoutSettings(0.0, (0, 0))
    none = replace(ALL, blur=0, sharpen=(0, 0), contrast=0, local_contrast=0, veil=0, noise=0, dropout=nothing)
    image = windows(256, 256)
    changed = [change(image.clone(), ALL, np.random.default_rng(seed)) for seed in range(8)]
    assert any(float((one - image).abs().max()) > 0.02 for one in changed)
    assert all(one.shape == image.shape for one in changed)
    if change.__name__ != "_shuffled":
        same = change(image.clone(), none, np.random.default_rng(1))
        assert torch.allclose(same, image, atol=1e-6)


def test_blur_keeps_the_mean_and_a_constant():
    blur = CHANGES[0][0]
    for seed in range(6):
        assert torch.allclose(blur(torch.full((3, 30, 30), 0.4), ALL, np.random.default_rng(seed)), torch.tensor(0.4))
        image = torch.zeros(3, 41, 41)
        image[:, 20, 20] = 1
        assert blur(image, ALL, np.random.default_rng(seed)).sum(dim=(1, 2)) == pytest.approx([1, 1, 1], rel=1e-5)


def test_one_tile_without_limit_is_plain_equalisation():
    image = windows(50, 30)[:1]
    made = equalise(image, limit=1e9, tiles=1)
    codes = (image * 255).round().long()
    rank = torch.stack([(codes <= value).float().mean() for value in codes.flatten()]).view_as(image)
    assert torch.allclose(made, rank, atol=1e-5)


def test_equalisation_of_a_dark_corner_raises_its_contrast_there_alone():
    image = torch.full((1, 64, 64), 0.5)
    image[0, :16, :16] += 0.02 * torch.rand(16, 16, generator=torch.Generator().manual_seed(1))
    made = equalise(image, limit=40.0, tiles=4)
    assert float(made[0, 2:10, 2:10].std()) > 5 * float(image[0, 2:10, 2:10].std())
    assert float(made[0, 40:, 40:].std()) < 1e-5


def test_more_tiles_than_pixels_and_a_single_row_are_possible():
    assert equalise(torch.rand(3, 1, 5), limit=4.0, tiles=8).shape == (3, 1, 5)
    assert change_appearance(torch.rand(3, 1, 1), ALL, np.random.default_rng(0)).shape == (3, 1, 1)


@given(st.integers(0, 1000))
def test_tone_keeps_the_order_of_grey_values(seed):
    grey = 7 * torch.rand(30, 30, generator=torch.Generator().manual_seed(seed)) - 2
    made = change_tone(grey, ToneSettings(), np.random.default_rng(seed))
    order = grey.flatten().argsort()
    assert bool((made.flatten()[order].diff() >= 0).all())
    assert float(made.min()) == 0 and float(made.max()) == 1


def test_tone_without_change_is_a_stretch_to_0_and_1():
    grey, none = torch.tensor([[2.0, 4.0], [3.0, 6.0]]), SegmentationChanges.none().tone
    assert change_tone(grey, none, np.random.default_rng(0)).tolist() == [[0, 0.5], [0.25, 1]]
    assert not change_tone(torch.full((2, 2), 3.0), ToneSettings(), np.random.default_rng(0)).any()


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: AppearanceSettings(count=(2, 9)), "count must be two ascending numbers"),
        (lambda: AppearanceSettings(noise=float("nan")), "noise must be 0 to 1"),
        (lambda: AppearanceSettings(equalise=-0.1), "equalise must be a probability"),
        (lambda: ToneSettings(most=0.5), "most must be 0 to 0.2"),
        (lambda: EqualisationSettings(tiles=(0, 4)), "tiles must be two ascending numbers"),
        (lambda: DropoutSettings(edge=(0.5, 0.1)), "edge must be two ascending numbers"),
    ],
)
def test_impossible_settings_are_refused_in_a_sentence(made, sentence):
    with pytest.raises(InputError, match=sentence):
        made()
