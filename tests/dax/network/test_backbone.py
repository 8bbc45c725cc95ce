"""One call for vectors, maps and attention: equal to timm where timm can, and right where it cannot."""

import pytest
import torch
from support.dax_checkpoints import random_state
from xraykit.dax.network import Backbone, BackboneConfig, new_backbone, resize_positions
from xraykit.dax.network.published import fill_backbone
from xraykit.render import InputError


def images(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def vit() -> Backbone:
    return fill_backbone(random_state("vit_tiny16"), source="test").with_channels(1)


@pytest.fixture(scope="module")
def mini() -> Backbone:
    return new_backbone(BackboneConfig("vit_mini16", image_size=64), seed=0).eval()


@pytest.fixture(scope="module")
def resnet() -> Backbone:
    return fill_backbone(random_state("resnet18"), source="test").with_channels(1)


def test_maps_of_a_transformer_are_timms_intermediate_features(vit):
    given = images(2, 1, 224, 224)
    with torch.no_grad():
        features = vit.features(given)
        last, maps = vit.network.forward_intermediates(given, indices=[2, 5, 8, 11], norm=True)
        torch.testing.assert_close(features.pooled, vit.network(given), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(features.pooled, last[:, 0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(vit(given), features.pooled, atol=1e-5, rtol=1e-5)
    assert [(each.name, each.stride) for each in features.maps] == [(f"block{n}", 16) for n in (3, 6, 9, 12)]
    for ours, timms in zip(features.maps, maps, strict=True):
        torch.testing.assert_close(ours.values, timms, atol=1e-5, rtol=1e-5)
    assert features.attention is None


def test_maps_of_a_resnet_are_its_layers_and_the_vector_is_their_last_mean(resnet):
    given = images(2, 1, 224, 160)
    with torch.no_grad():
        features = resnet.features(given)
        torch.testing.assert_close(resnet.network(given), features.pooled)
    assert [(each.name, each.stride, tuple(each.values.shape[1:])) for each in features.maps] == [
        ("layer1", 4, (64, 56, 40)),
        ("layer2", 8, (128, 28, 20)),
        ("layer3", 16, (256, 14, 10)),
        ("layer4", 32, (512, 7, 5)),
    ]
    torch.testing.assert_close(features.pooled, features.maps[-1].values.mean((2, 3)))
    torch.testing.assert_close(resnet(given), features.pooled)


@pytest.mark.parametrize("how", ["size", "published"])
@pytest.mark.parametrize("size", [(48, 48), (96, 240), (448, 16), (976, 64)])
def test_any_size_equals_timm_with_positions_of_that_size(vit, how, size):
    from dataclasses import replace

    import timm

    given, grid = images(1, 1, *size), (size[0] // 16, size[1] // 16)
    state = dict(vit.network.state_dict())
    own = state["pos_embed"]
    positions = resize_positions(own[:, 1:], (14, 14), grid, how)
    peer = timm.create_model("vit_tiny_patch16_224", num_classes=0, in_chans=1, img_size=size).eval()
    peer.load_state_dict({**state, "pos_embed": torch.cat([own[:, :1], positions], 1)})
    ours = Backbone(replace(vit.config, position_resize=how), vit.network)
    with torch.no_grad():
        torch.testing.assert_close(ours(given), peer(given), atol=1e-5, rtol=1e-5)


def test_pixels_beyond_the_last_whole_patch_are_not_seen(mini):
    given = images(1, 1, 71, 90)
    with torch.no_grad():
        torch.testing.assert_close(mini(given), mini(given[..., :64, :80]))


def test_attention_is_the_class_tokens_row_of_the_softmax(vit):
    given, seen = images(2, 1, 224, 224), []
    last = vit.network.blocks[-1].attn
    hook = last.attn_drop.register_forward_hook(lambda module, inputs, output: seen.append(output))
    last.fused_attn = False
    try:
        with torch.no_grad():
            vit.network(given)
    finally:
        hook.remove()
        last.fused_attn = True
    with torch.no_grad():
        attention = vit.features(given, attention=True).attention
    assert attention.shape == (2, 3, 14, 14)
    torch.testing.assert_close(attention.flatten(2), seen[0][:, :, 0, 1:], atol=1e-6, rtol=1e-4)
    total = attention.sum((2, 3))
    assert bool((total < 1).all()) and bool((total > 0).all())


def test_asking_for_attention_changes_nothing_else(mini):
    given = images(1, 1, 48, 64)
    with torch.no_grad():
        without, with_it = mini.features(given), mini.features(given, attention=True)
    assert with_it.attention.shape == (1, 3, 3, 4)
    torch.testing.assert_close(without.pooled, with_it.pooled)


def test_patch_tokens_are_the_last_map(mini):
    given = images(2, 1, 48, 64)
    with torch.no_grad():
        pooled, patches = mini.tokens(given)
        features = mini.features(given)
    torch.testing.assert_close(pooled, features.pooled)
    torch.testing.assert_close(patches, features.maps[-1].values.flatten(2).transpose(1, 2))


def test_what_lies_under_a_mask_is_not_seen(mini):
    masked = torch.zeros(2, 16, dtype=torch.bool)
    masked[:, [0, 5]] = True
    first = images(2, 1, 64, 64)
    other = first.clone()
    other[:, :, :16, :16] = 0.3
    other[:, :, 16:32, 16:32] = 0.7
    token = torch.randn(192, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(
            mini.tokens(first, masked=masked, mask_token=token), mini.tokens(other, masked=masked, mask_token=token)
        )
        assert not torch.allclose(mini.tokens(first, masked=masked)[0], mini.tokens(first)[0], atol=1e-4)
        nothing = torch.zeros_like(masked)
        torch.testing.assert_close(mini.tokens(first, masked=nothing), mini.tokens(first))


def test_a_mask_token_keeps_its_positions(mini):
    masked = torch.ones(1, 16, dtype=torch.bool)
    with torch.no_grad():
        _, patches = mini.tokens(images(1, 1, 64, 64), masked=masked)
    assert patches[0].std(0).max() > 1e-3  # equal tokens at different places become different


def test_gradients_reach_images_weights_and_the_mask_token(mini):
    given = images(1, 1, 48, 48).requires_grad_()
    token = torch.zeros(192, requires_grad=True)
    masked = torch.zeros(1, 9, dtype=torch.bool)
    masked[:, 4] = True
    pooled, patches = mini.tokens(given, masked=masked, mask_token=token)
    (pooled.sum() + patches[:, :, 0].square().sum()).backward()
    assert token.grad.abs().sum() > 0
    assert given.grad[..., :16, :16].abs().sum() > 0
    assert not given.grad[..., 16:32, 16:32].any()
    assert all(value.grad is not None for value in mini.network.parameters())
    mini.zero_grad(set_to_none=True)


def test_derivatives_of_vector_maps_and_attention_are_right():
    backbone = new_backbone(BackboneConfig("vit_mini16", image_size=32), seed=0).double().eval()
    backbone.network.blocks = backbone.network.blocks[:2]
    given = images(1, 1, 32, 32).double().requires_grad_()

    def outputs(x):
        features = backbone.features(x, attention=True)
        return features.pooled[:, :4], features.at(8)[0].values[:, :3], features.attention

    assert torch.autograd.gradcheck(outputs, given, fast_mode=True)


@pytest.mark.parametrize("fixture", ["vit", "resnet"])
def test_bfloat16_autocast_is_finite_and_close(fixture, request):
    backbone, given = request.getfixturevalue(fixture), images(2, 1, 96, 96)
    with torch.no_grad():
        exact = backbone.features(given)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = backbone.features(given, attention=fixture == "vit")
    for each, other in ((rounded.pooled, exact.pooled), (rounded.maps[1].values, exact.maps[1].values)):
        assert bool(torch.isfinite(each).all())
        assert (each.float() - other).norm() / other.norm() < 0.05
    kinds = {each.dtype for each in (rounded.float().pooled, *(m.values for m in rounded.float().maps))}
    assert kinds == {torch.float32}


def test_checkpointing_gives_the_same_gradients(mini):
    given = images(1, 1, 48, 48)
    gradients = []
    for enabled in (False, True):
        mini.network.set_grad_checkpointing(enabled)
        mini(given).sum().backward()
        gradients.append(mini.network.patch_embed.proj.weight.grad.clone())
        mini.zero_grad(set_to_none=True)
    mini.network.set_grad_checkpointing(False)
    torch.testing.assert_close(*gradients)


def test_registers_are_no_patches():
    backbone = new_backbone(BackboneConfig("vit_small_patch14_reg4_dinov2", image_size=56), seed=0).eval()
    with torch.no_grad():
        features = backbone.features(images(1, 1, 70, 42), attention=True)
    assert {tuple(each.values.shape[-2:]) for each in features.maps} == {(5, 3)}
    assert features.attention.shape == (1, 6, 5, 3)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (torch.zeros(1, 3, 64, 64), r"images must be floating point \(B, 1, H, W\), got torch.float32 of shape \(1, 3"),
        (torch.zeros(64, 64), r"images must be floating point \(B, 1, H, W\)"),
        (torch.zeros(1, 1, 64, 64, dtype=torch.uint8), r"images must be floating point .* got torch.uint8"),
        (torch.zeros(1, 1, 15, 64), r"images must be at least a patch of 16 pixels, got \(15, 64\)"),
    ],
)
def test_images_that_do_not_fit_are_an_error(mini, given, sentence):
    with pytest.raises(InputError, match=sentence):
        mini(given)
    with pytest.raises(InputError, match=sentence):
        mini.features(given)


def test_a_mask_that_does_not_fit_is_an_error(mini, resnet):
    with pytest.raises(InputError, match=r"masked must be bool of shape \(1, 16\), got torch.bool of shape \(1, 9\)"):
        mini.tokens(images(1, 1, 64, 64), masked=torch.zeros(1, 9, dtype=torch.bool))
    with pytest.raises(InputError, match="masked patches need a vision transformer, got resnet18"):
        resnet.tokens(images(1, 1, 64, 64), masked=torch.zeros(1, 4, dtype=torch.bool))
    assert resnet.tokens(images(1, 1, 64, 64))[1] is None


def test_attention_where_there_is_none_is_an_error(resnet):
    with pytest.raises(InputError, match="attention needs a plain vision transformer, got resnet18"):
        resnet.features(images(1, 1, 64, 64), attention=True)
    plain = new_backbone(BackboneConfig("test_vit3", image_size=32), seed=0)
    with pytest.raises(
        InputError, match=r"must be that of a class token in timm's plain Attention, .* without class token"
    ):
        plain.features(images(1, 1, 32, 32), attention=True)


def test_a_network_of_one_size_says_so():
    swin = new_backbone(BackboneConfig("swin_tiny_patch4_window7_224"), seed=0)
    with pytest.raises(
        InputError, match=r"images for swin_tiny_patch4_window7_224 must be 224 x 224 pixels, got \(96, 96"
    ):
        swin.features(images(1, 1, 96, 96))


def test_a_network_without_intermediate_features_says_so(resnet):
    network = torch.nn.Module()
    network.num_features, network.feature_info = 4, []
    with pytest.raises(InputError, match="maps need a timm model with forward_intermediates, got strange"):
        Backbone(BackboneConfig("strange"), network).features(images(1, 1, 8, 8))
