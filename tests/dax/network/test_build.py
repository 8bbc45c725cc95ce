"""Architectures: names and sizes of the published backbones, their initialisation, and any timm model."""

import pytest
import torch
from support.dax_checkpoints import PARAMETERS, TENSORS, published_layout
from torch import nn
from xraykit.dax.network import ARCHITECTURES, BackboneConfig, new_backbone
from xraykit.render import InputError


@pytest.mark.parametrize("architecture", PARAMETERS)
def test_names_shapes_and_numbers_are_those_published(architecture):
    network = new_backbone(BackboneConfig(architecture, channels=3), seed=0).network
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes == published_layout(architecture)
    assert len(shapes) == TENSORS[architecture]
    assert sum(p.numel() for p in network.parameters()) == PARAMETERS[architecture]


@pytest.mark.parametrize(
    ("architecture", "parameters", "dimension"), [("vit_mini16", 2_756_928, 192), ("resnet10", 4_899_520, 512)]
)
def test_small_ones_of_our_own_have_their_size(architecture, parameters, dimension):
    backbone = new_backbone(BackboneConfig(architecture), seed=0)
    assert sum(p.numel() for p in backbone.parameters()) == parameters
    assert backbone.dimension == dimension


def test_transformers_start_from_truncated_normals():
    vit = new_backbone(BackboneConfig("vit_tiny16", channels=3), seed=0).network
    drawn = {name: value for name, value in vit.named_parameters() if name.endswith(("qkv.weight", "fc1.weight"))}
    for value in [*drawn.values(), vit.pos_embed, vit.cls_token]:
        assert value.abs().max() <= 2
        assert value.std().item() == pytest.approx(0.02, rel=0.2)
    norms = [module for module in vit.modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 25 and {module.eps for module in norms} == {1e-6}
    linear = [module for module in vit.modules() if isinstance(module, nn.Linear)]
    assert all(not module.bias.any() for module in linear)


def test_resnets_start_as_torchvisions():
    network = new_backbone(BackboneConfig("resnet18", channels=3), seed=0).network
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(bool((module.weight == 1).all()) for module in norms)
    deviation = (2 / (512 * 9)) ** 0.5
    assert network.layer4[1].conv2.weight.std().item() == pytest.approx(deviation, rel=0.01)


def test_a_seed_gives_one_network_and_leaves_the_random_state_alone():
    config = BackboneConfig("vit_mini16", image_size=64)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (new_backbone(config, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["network.cls_token"], other["network.cls_token"])


def test_a_seed_gives_one_function_of_grey_images_for_one_channel_and_three():
    images = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    one, three = (new_backbone(BackboneConfig("vit_mini16", channels), seed=0).eval() for channels in (1, 3))
    torch.testing.assert_close(one(images), three(images.expand(-1, 3, -1, -1)), atol=1e-5, rtol=0)


def test_drop_path_grows_linearly_over_the_blocks():
    vit = new_backbone(BackboneConfig("vit_tiny16"), drop_path=0.1, seed=0).network
    rates = [getattr(block.drop_path1, "drop_prob", 0.0) for block in vit.blocks]
    assert rates == pytest.approx([0.1 * i / 11 for i in range(12)])


@pytest.mark.parametrize(
    ("name", "size"), [("convnext_atto", 64), ("tf_efficientnet_lite0", 64), ("vit_small_patch14_dinov2", 56)]
)
def test_any_timm_model_says_the_same_as_timm(name, size):
    backbone = new_backbone(BackboneConfig(name, channels=3, image_size=size), seed=0).eval()
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = backbone.features(images)
        torch.testing.assert_close(features.pooled, backbone.network(images), atol=1e-5, rtol=1e-5)
    assert features.pooled.shape == (2, backbone.dimension)
    assert [each.values.shape[-1] for each in features.maps] == [-(-size // each.stride) for each in features.maps]
    assert len(features.maps) == 4


def test_an_unknown_architecture_is_answered_with_close_ones():
    with pytest.raises(
        InputError, match=r"architecture must be one of ours or a timm model, got 'vit_tiny_16'; did you"
    ):
        new_backbone(BackboneConfig("vit_tiny_16"), seed=0)
    for name in ("hf-hub:some/model", "some/model"):
        with pytest.raises(InputError, match="architecture must be one of ours or a timm model"):
            new_backbone(BackboneConfig(name), seed=0)


def test_a_size_or_drop_path_that_timm_refuses_is_an_error():
    with pytest.raises(InputError, match=r"image_size must be at least a patch of 16 pixels, got image_size=8"):
        new_backbone(BackboneConfig("vit_tiny16", image_size=8), seed=0)
    with pytest.raises(InputError, match=r"drop_path must be a probability from 0 to below 1, got drop_path=1"):
        new_backbone(BackboneConfig("vit_tiny16"), drop_path=1, seed=0)
    with pytest.raises(InputError, match=r"must take .* drop_path=0.1, got a refusal from timm"):
        new_backbone(BackboneConfig("vgg11"), drop_path=0.1, seed=0)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"architecture": ""}, "architecture must be a name, got ''"),
        ({"channels": 2}, "channels must be 1 or 3, got channels=2"),
        ({"image_size": 0}, "image_size must be a whole number from 1 to 8192, got image_size=0"),
        ({"position_resize": "nearest"}, "position_resize must be 'size' or 'published', got 'nearest'"),
    ],
)
def test_a_config_out_of_range_is_an_error(changed, sentence):
    with pytest.raises(InputError, match=sentence):
        BackboneConfig(**{"architecture": "vit_tiny16", **changed})


def test_the_table_names_what_timm_has():
    import timm

    assert all(timm.is_model(each.timm) for each in ARCHITECTURES.values())
