"""One channel in the place of three: the same function of grey images."""

import pytest
import torch
from xraykit.dax.network import BackboneConfig, new_backbone
from xraykit.dax.network.one_channel import absorb_standardization, convert_channels, set_channels
from xraykit.render import InputError

GREY = torch.rand(2, 1, 96, 96, generator=torch.Generator().manual_seed(0))
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def test_a_summed_convolution_gives_the_same_output():
    weight = torch.randn(64, 3, 7, 7, generator=torch.Generator().manual_seed(1)) / 20
    three = torch.nn.functional.conv2d(GREY.expand(-1, 3, -1, -1), weight, stride=2)
    for again in (convert_channels(weight, 1), convert_channels(convert_channels(weight, 1), 3)):
        images = GREY.expand(-1, again.shape[1], -1, -1)
        torch.testing.assert_close(torch.nn.functional.conv2d(images, again, stride=2), three, atol=1.5e-6, rtol=0)
    assert convert_channels(weight, 3) is weight


@pytest.mark.parametrize("architecture", ["vit_mini16", "resnet10", "convnext_atto"])
def test_a_backbone_says_the_same_of_grey_in_one_channel_and_in_three(architecture):
    one = new_backbone(BackboneConfig(architecture, image_size=96), seed=0).eval()
    three = one.with_channels(3)
    assert (three.config.channels, one.config.channels) == (3, 1)
    with torch.no_grad():
        torch.testing.assert_close(three(GREY.expand(-1, 3, -1, -1)), one(GREY), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(three.with_channels(1)(GREY), one(GREY), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("architecture", "border"), [("vit_mini16", 0), ("resnet10", 2)])
def test_colour_standardisation_folds_into_weights_exactly_but_for_the_border(architecture, border):
    network = new_backbone(BackboneConfig(architecture, channels=3, image_size=96), seed=0).network.eval()
    stem = network.patch_embed.proj if architecture == "vit_mini16" else torch.nn.Sequential(network.conv1, network.bn1)
    standardised = (GREY - MEAN[:, None, None]) / STD[:, None, None]
    with torch.no_grad():
        expected = stem(standardised)
        m, s = absorb_standardization(network, MEAN.tolist(), STD.tolist())
        set_channels(network, 1)
        result = stem((GREY - m) / s)
    inner = slice(border, -border or None)
    torch.testing.assert_close(result[..., inner, inner], expected[..., inner, inner], atol=1e-5, rtol=1e-5)
    assert (m, s) == pytest.approx((0.449, 0.226))


def test_unequal_means_need_somewhere_to_go():
    network = new_backbone(BackboneConfig("vit_xsmall_patch16_clip_224", channels=3, image_size=32), seed=0).network
    assert absorb_standardization(network, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]) == (0.5, 0.5)
    with pytest.raises(InputError, match="needs a first convolution with a bias or a batch normalisation after it"):
        absorb_standardization(network, [0.4, 0.5, 0.6], [0.5, 0.5, 0.5])
