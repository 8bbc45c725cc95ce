"""The same weights for images of another size: what convolutions find does not depend on how much lies around it."""

from dataclasses import replace

import pytest
import torch
from support.fluorosam_networks import TINY
from xraykit.fluorosam import new_network
from xraykit.fluorosam.network import NAMED, resized_network
from xraykit.render import InputError


def test_weights_are_those_of_before_and_shapes_those_of_the_new_size():
    network = new_network("mini", seed=2).eval()
    small = resized_network(network, 128).eval()
    assert (small.config.image_size, small.config.grid) == (128, 16)
    assert all(
        torch.equal(a, b) for a, b in zip(network.state_dict().values(), small.state_dict().values(), strict=True)
    )
    assert small.embed(torch.zeros(1, 3, 128, 128)).shape == (1, 5 * 128, 16, 16)
    back = resized_network(small, 256)
    assert back.config == network.config


def test_the_middle_of_a_large_image_looks_as_on_its_own_to_the_first_layers():
    network = new_network("mini", seed=2).eval()
    large = resized_network(network, 384).eval()
    image = torch.rand(1, 3, 384, 384, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, part = (
            large.image_encoder.trunk.stem[0](image),
            network.image_encoder.trunk.stem[0](image[..., 64:320, 64:320]),
        )
    assert torch.allclose(whole[..., 17:79, 17:79], part[..., 1:63, 1:63], atol=1e-5)


def test_its_own_size_is_the_network_itself_and_the_first_one_is_left_alone():
    network = new_network("mini")
    assert resized_network(network, 256) is network
    small = resized_network(network, 128)
    with torch.no_grad():
        next(small.parameters()).add_(1)
    assert not torch.equal(next(small.parameters()), next(network.parameters()))


@pytest.mark.parametrize("size", [100, 4, 0, -128])
def test_a_size_that_does_not_fit_is_refused(size):
    with pytest.raises(InputError, match=r"^(--image-size|image_size|grid) must"):
        resized_network(new_network("mini"), size)


def test_a_swin_is_refused():
    swin = replace(
        NAMED["swin-s"], image_size=224, grid=32, trunk=replace(NAMED["swin-s"].trunk, width=8, heads=(1, 1, 1, 1))
    )
    swin = replace(swin, text=TINY.text, quantiser=TINY.quantiser)
    with pytest.raises(InputError, match="trunk of convolutions"):
        resized_network(new_network(swin), 448)
