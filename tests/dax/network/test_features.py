"""Features of several depths on one grid."""

import pytest
import torch
from xraykit.dax.network import FeatureMap, Features
from xraykit.render import InputError


def pyramid(size):
    generator = torch.Generator().manual_seed(0)
    maps = [
        FeatureMap(f"layer{i}", stride, torch.randn(1, 2, -(-size // stride), -(-size // stride), generator=generator))
        for i, stride in enumerate((4, 8, 16, 32), start=1)
    ]
    return Features(torch.zeros(1, 2), tuple(maps))


@pytest.mark.parametrize("size", [224, 96, 976])
@pytest.mark.parametrize("stride", [4, 8, 16, 32])
def test_all_maps_get_the_size_of_the_finest_at_that_stride(size, stride):
    maps = pyramid(size).at(stride)
    assert {tuple(each.values.shape[-2:]) for each in maps} == {(-(-size // stride),) * 2}
    assert {each.stride for each in maps} == {stride}


def test_finer_maps_are_averaged_and_coarser_ones_keep_a_plane():
    features = pyramid(64)
    torch.testing.assert_close(features.at(8)[0].values, torch.nn.functional.avg_pool2d(features.maps[0].values, 2))
    plane = (torch.arange(8) + 0.5).expand(1, 1, 8, 8)
    both = Features(torch.zeros(1, 1), (FeatureMap("a", 8, plane), FeatureMap("b", 2, torch.zeros(1, 1, 32, 32))))
    finer = both.at(2)[0].values[0, 0, 0]
    torch.testing.assert_close(finer[2:-2], ((torch.arange(32) + 0.5) / 4)[2:-2])


def test_a_map_at_its_own_stride_is_itself():
    features = pyramid(64)
    assert features.at(16)[2].values is features.maps[2].values


def test_gradients_flow_through_both_directions():
    values = torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    other = FeatureMap("b", 4, torch.zeros(1, 1, 4, 4, dtype=torch.float64))
    for stride in (2, 8):
        assert torch.autograd.gradcheck(
            lambda x, stride=stride: Features(x, (FeatureMap("a", 4, x), other)).at(stride)[0].values, values
        )


def test_a_stride_or_features_without_maps_is_an_error():
    with pytest.raises(InputError, match="stride must be a whole number of pixels from 1, got stride=0"):
        pyramid(64).at(0)
    with pytest.raises(InputError, match="maps are needed, got features without any"):
        Features(torch.zeros(1, 2), ()).at(4)
