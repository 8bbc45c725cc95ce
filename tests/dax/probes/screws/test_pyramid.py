"""The pyramid: wanted strides from any maps, and places of tokens."""

import math

import pytest
import torch
from xraykit.dax.probes.screws.pyramid import FeaturePyramid, sine_embedding, token_centres
from xraykit.render import InputError


@pytest.mark.parametrize(
    ("channels", "strides", "sides"),
    [
        ([3, 5, 7], [8, 16, 32], [16, 8, 4]),  # a ResNet
        ([2, 3, 5, 7], [4, 8, 16, 32], [32, 16, 8, 4]),  # with a map that is not needed
        ([6, 6], [16, 16], [8, 8]),  # a ViT
        ([6], [8], [16]),
        ([6], [32], [4]),
        ([6, 4], [4, 32], [32, 4]),
    ],
)
def test_levels_have_the_wanted_strides(channels, strides, sides):
    pyramid = FeaturePyramid(channels, strides, width=16, wanted=(8, 16, 32))
    levels = pyramid([torch.randn(2, c, side, side) for c, side in zip(channels, sides, strict=True)])
    assert [tuple(level.shape) for level in levels] == [(2, 16, 16, 16), (2, 16, 8, 8), (2, 16, 4, 4)]


def test_all_maps_of_a_stride_are_read():
    pyramid = FeaturePyramid([2, 3], [16, 16], width=16, wanted=(16,))
    maps = [torch.randn(1, c, 4, 4, requires_grad=True) for c in (2, 3)]
    pyramid(maps)[0].square().sum().backward()
    assert all(bool((one.grad != 0).any()) for one in maps)


def test_centres_are_those_of_the_cells_row_by_row():
    centres = token_centres([(1, 2), (2, 1)], torch.device("cpu"))
    torch.testing.assert_close(centres, torch.tensor([[0.25, 0.5], [0.75, 0.5], [0.5, 0.25], [0.5, 0.75]]))


def test_the_embedding_is_sines_and_cosines_of_u_then_of_v():
    u, v = 0.3, 0.8
    expected = [wave(2 * math.pi * x * f) for x in (u, v) for wave in (math.sin, math.cos) for f in (1.0, 0.01)]
    torch.testing.assert_close(sine_embedding(torch.tensor([u, v]), 8), torch.tensor(expected))


def test_maps_without_strides_and_a_wrong_number_of_maps_are_refused():
    with pytest.raises(InputError, match="each map needs its channels and its stride"):
        FeaturePyramid([3, 4], [8], width=16, wanted=(8,))
    with pytest.raises(InputError, match="reads 1 maps, got 2"):
        FeaturePyramid([3], [8], width=16, wanted=(8,))([torch.zeros(1, 3, 4, 4)] * 2)
