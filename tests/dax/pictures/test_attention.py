"""Attention maps: shares with sum 1, the fewest patches that hold most, and the right corner of the picture."""

import numpy as np
import pytest
import torch
from xraykit.dax.network import FeatureMap, Features
from xraykit.dax.pictures import attention_maps, heat_overlay, most_attended
from xraykit.dax.pictures.attention import enlarged
from xraykit.render import InputError


def features(attention=None, maps=()):
    return Features(torch.zeros(1, 4), tuple(FeatureMap("m", 16, one) for one in maps), attention)


def test_the_first_map_is_the_mean_of_heads_and_all_have_sum_one():
    heads = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0)) * 0.01
    maps = attention_maps(features(heads))
    assert maps.shape == (2, 4, 4, 5)
    torch.testing.assert_close(maps.sum((2, 3)), torch.ones(2, 4))
    torch.testing.assert_close(maps[:, 0], heads.mean(1) / heads.mean(1).sum((1, 2), keepdim=True))
    torch.testing.assert_close(maps[:, 2], heads[:, 1] / heads[:, 1].sum((1, 2), keepdim=True))


def test_without_attention_it_is_the_length_of_the_last_maps_vectors():
    last = torch.zeros(1, 2, 2, 2)
    last[0, :, 0, 1], last[0, :, 1, 0] = torch.tensor([3.0, 4.0]), torch.tensor([0.0, -5.0])
    maps = attention_maps(features(maps=[torch.rand(1, 9, 8, 8), last]))
    torch.testing.assert_close(maps, torch.tensor([[[[0.0, 0.5], [0.5, 0.0]]]]))


def test_a_map_of_zeros_stays_zero():
    assert not attention_maps(features(torch.zeros(1, 2, 3, 3))).any()


def test_the_fewest_patches_with_that_share_are_chosen():
    attention = np.array([[0.1, 0.4], [0.3, 0.2]])
    assert most_attended(attention, 0.4).tolist() == [[False, True], [False, False]]
    assert most_attended(attention, 0.41).tolist() == [[False, True], [True, False]]
    assert most_attended(attention, 0.9).tolist() == [[False, True], [True, True]]
    assert most_attended(attention, 1.0).all()


@pytest.mark.parametrize(
    ("attention", "share"), [(np.ones(3), 0.0), (np.ones(3), 1.1), (np.zeros(3), 0.5), (-np.ones(3), 0.5)]
)
def test_shares_that_cannot_be_held_are_refused(attention, share):
    with pytest.raises(InputError, match="share must be above 0"):
        most_attended(attention, share)


def test_a_map_is_enlarged_without_a_mirror():
    grid = np.zeros((4, 4))
    grid[0, 3] = 1.0
    large = enlarged(grid, (64, 32))
    assert np.unravel_index(large.argmax(), large.shape) in {
        (row, column) for row in range(9) for column in range(28, 32)
    }
    np.testing.assert_allclose(enlarged(np.full((3, 5), 0.7), (30, 20)), 0.7)


def test_heat_colours_the_attended_corner_alone():
    grey = np.full((40, 60), 100, dtype=np.uint8)
    attention = np.zeros((4, 6))
    attention[3, 0] = 1.0  # lower left
    picture = heat_overlay(grey, attention)
    assert picture.shape == (40, 60, 3) and picture.dtype == np.uint8
    changed = (picture != 100).any(2)
    rows, columns = np.nonzero(changed)
    assert rows.min() >= 20 and columns.max() < 20
    red, green, blue = picture[39, 0].astype(int)
    assert red > 200 and green > 180 and blue < 160  # yellow


def test_even_attention_colours_nothing():
    grey = np.arange(100, dtype=np.uint8).reshape(10, 10)
    for attention in (np.full((5, 5), 0.04), np.zeros((5, 5))):
        assert (heat_overlay(grey, attention) == grey[..., None]).all()


def test_the_scale_of_attention_does_not_matter():
    grey = np.full((20, 20), 50, dtype=np.uint8)
    attention = np.random.default_rng(0).random((4, 4)) ** 4
    np.testing.assert_array_equal(heat_overlay(grey, attention), heat_overlay(grey, attention / 37))
