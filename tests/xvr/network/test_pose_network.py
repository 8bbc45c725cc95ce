"""The network is the published one: same names, same sizes, same pose from the same weights."""

import pytest
import torch
from support.pose_networks import SIZES, published_layout, random_state, reference_extrinsic, reference_numbers
from xraykit.render import FileError, InputError
from xraykit.render.weights import fill_module
from xraykit.xvr import NetworkFrame, PoseNetwork


def filled(model, state, *, source):
    """The network with these weights, as its readers fill it."""
    return fill_module(model, state, source=source, wanted=model.described())


def network(parameterization="quaternion_adjugate", *, backbone="resnet18", height=64, **options):
    frame = NetworkFrame(1020.0, height, 4.352875, parameterization=parameterization)
    return PoseNetwork(frame, backbone=backbone, **options)


@pytest.fixture(scope="module")
def small():
    return network().eval()


def test_heads_and_backbones_have_the_published_names_and_shapes(small):
    assert {name: tuple(t.shape) for name, t in small.state_dict().items()} == published_layout("resnet18", 10)


@pytest.mark.parametrize(
    ("backbone", "tensors", "count"), [("resnet18", 60, 11_170_240), ("resnet34", 108, 21_278_400)]
)
def test_parameter_counts_are_the_published_ones(backbone, tensors, count):
    model = network(backbone=backbone)
    assert {name: tuple(t.shape) for name, t in model.state_dict().items()} == published_layout(backbone, 10)
    assert len(model.backbone.state_dict()) == tensors and len(model.state_dict()) == tensors + 4
    assert sum(p.numel() for p in model.backbone.parameters()) == count
    assert sum(p.numel() for p in model.parameters()) == count + 6669


@pytest.mark.parametrize("parameterization", SIZES)
def test_random_published_weights_give_the_pose_of_the_published_formulas(parameterization):
    """Backbone, heads, unit and pose formulas, each written a second time in tests/support/pose_networks.py."""
    state = {name: t.double() for name, t in random_state(SIZES[parameterization], seed=3).items()}
    model = filled(network(parameterization).double().eval(), state, source="test")
    images = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    with torch.no_grad():
        ours = model(images)
    rotation, translation = reference_numbers(state, images)
    theirs = torch.stack(
        [
            reference_extrinsic(r.tolist(), (1000 * t).tolist(), parameterization)
            for r, t in zip(rotation, translation, strict=True)
        ]
    )
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-9)
    assert float((ours[0] - ours[1]).abs().max()) > 1e-3  # the images matter


def test_a_view_does_not_depend_on_its_batch_mates(small):
    images = torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together, alone = small(images), torch.cat([small(image[None]) for image in images])
    torch.testing.assert_close(together, alone, atol=2e-3, rtol=0)  # mm; float32 sums in another order


def test_under_autocast_the_pose_stays_a_rigid_motion_in_full_precision(small):
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        E = small(torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert E.dtype == torch.float32
    torch.testing.assert_close(E[0, :3, :3] @ E[0, :3, :3].T, torch.eye(3), atol=1e-5, rtol=0)


def test_every_weight_gets_a_gradient(small):
    model = filled(network(), small.state_dict(), source="test")
    with torch.no_grad():  # timm starts the last norm of each block at zero, which hides the weights before it
        for name, parameter in model.named_parameters():
            parameter.add_(0.5 if name.endswith("bn2.weight") else 0.0)
    model(torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().max()) > 0, name


def test_any_timm_backbone_keeps_its_own_norm_when_asked():
    names = network(backbone="test_resnet", norm="default").state_dict().keys()
    assert any(name.endswith("running_mean") for name in names)
    assert not any(name.endswith("running_mean") for name in published_layout("resnet18", 10))


def test_a_backbone_that_is_none_is_refused_with_names_alike():
    with pytest.raises(InputError, match=r"timm model such as .*resnet18.*got 'resnet17'"):
        network(backbone="resnet17")


def test_an_unknown_norm_is_refused():
    with pytest.raises(InputError, match="norm must be 'groupnorm' or 'default'"):
        network(norm="layernorm")


def test_a_backbone_whose_channels_do_not_divide_into_groups_is_refused():
    with pytest.raises(InputError, match="norm='default'"):
        network(backbone="mobilenetv3_small_050")


def test_a_backbone_that_cannot_take_the_size_is_refused():
    with pytest.raises(InputError, match="takes no images of 64 x 64 px"):
        network(backbone="vit_tiny_patch16_224", norm="default")


def test_weights_of_another_architecture_are_named(small):
    state = dict(small.state_dict())
    state["backbone.layer5.0.conv1.weight"] = state.pop("rot_regression.bias")
    with pytest.raises(FileError, match=r"resnet18.*rot_regression\.bias missing and backbone\.layer5.*unexpected"):
        filled(small, state, source="x.pth")


def test_weights_of_another_parameterisation_are_refused(small):
    state = small.state_dict() | {"rot_regression.weight": torch.zeros(6, 512)}
    with pytest.raises(FileError, match=r"rot_regression\.weight of shape \(10, 512\), got \(6, 512\)"):
        filled(small, state, source="x.pth")


def test_weights_that_are_no_tensor_or_not_finite_are_refused(small):
    with pytest.raises(FileError, match="got str"):
        filled(small, small.state_dict() | {"xyz_regression.bias": "no"}, source="x.pth")
    with pytest.raises(FileError, match=r"NaN or infinity in xyz_regression\.bias"):
        filled(small, small.state_dict() | {"xyz_regression.bias": torch.full((3,), torch.nan)}, source="x.pth")
