"""Trunks: shapes at either stride, normalisation, and weights from files of several kinds."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from xraykit.corr.network import MatcherConfig, fill_trunk, new_matcher
from xraykit.corr.network.trunk import MEAN, STD, Trunk
from xraykit.render import FileError, InputError
from xraykit.render.weights import WeightsKind, save_weights

IMAGES = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
SMALL = MatcherConfig("resnet18", image_size=64, dimension=32, module="none", layers=0)


@pytest.mark.parametrize(
    ("name", "stride", "norm", "channels"),
    [
        ("mini", 8, "group", 64),
        ("mini", 16, "group", 128),
        ("resnet18", 8, "batch", 128),
        ("resnet18", 16, "group", 256),
        ("convnext_atto", 16, "batch", 160),
    ],
)
def test_maps_have_the_stride_asked_for(name, stride, norm, channels):
    trunk = Trunk(name, stride=stride, norm=norm)
    assert trunk(IMAGES).shape == (2, channels, 64 // stride, 64 // stride) and trunk.channels == channels


def test_resnet50_to_stride_16_has_the_weights_of_the_paper_s():
    with torch.device("meta"):
        trunk = Trunk("resnet50")
    assert trunk.channels == 1024
    # 8,543,296 in three channels, less 2 x 64 x 49 in one
    assert sum(p.numel() for p in trunk.parameters()) == 8_543_296 - 2 * 64 * 49


def test_the_mini_trunk_stays_mini():
    assert sum(p.numel() for p in Trunk("mini", stride=8, norm="group").parameters()) < 300_000


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("resnet1", {}, r"trunk must be 'mini' or a timm model, got 'resnet1'; did you mean .*resnet1"),
        ("vit_tiny_patch16_224", {"stride": 8}, "must have maps at stride 8, got strides 16"),
        ("regnetx_002", {"norm": "group"}, "regnetx_002 must be made for grey images with norm='group'"),
    ],
)
def test_a_trunk_that_cannot_be_made_is_refused(name, options, match):
    with pytest.raises(InputError, match=match):
        Trunk(name, **options)


def test_frozen_statistics_and_weights_stay_as_they_are_in_training():
    trunk = Trunk("resnet18", norm="frozen_batch").train()
    before = {name: value.clone() for name, value in trunk.state_dict().items() if "bn" in name}
    trunk(IMAGES).square().mean().backward()
    assert before and all(torch.equal(trunk.state_dict()[name], value) for name, value in before.items())
    assert all(p.grad is None for name, p in trunk.named_parameters() if "bn" in name)
    assert trunk.network.conv1.weight.grad is not None


@pytest.fixture
def colour():
    torch.manual_seed(3)
    return timm.create_model("resnet18", num_classes=0)


def expected(model, images):
    maps = model.forward_intermediates(
        ((images - MEAN) / STD).expand(-1, 3, -1, -1), indices=[3], intermediates_only=True
    )
    return maps[0]


def write(kind, state, folder):
    if kind == "safetensors":
        save_file(state, folder / "weights.safetensors")
        return folder / "weights.safetensors"
    if kind == "backbone":
        return save_weights(folder / "backbone", state, WeightsKind("xray backbone", "xraykit-dax"), config={}).parent
    wrapped = {"module": {f"module.{k}": v for k, v in state.items()}, "plain": state}[kind]
    torch.save({"state_dict": wrapped} if kind == "module" else wrapped, folder / "weights.pth")
    return folder / "weights.pth"


@pytest.mark.parametrize("kind", ["safetensors", "backbone", "module", pytest.param("plain", marks=pytest.mark.slow)])
def test_weights_for_colour_say_the_same_of_grey(kind, colour, tmp_path):
    network = fill_trunk(new_matcher(SMALL), write(kind, colour.state_dict(), tmp_path)).eval()
    torch.testing.assert_close(network.patches.trunk(IMAGES), expected(colour.eval(), IMAGES), rtol=1e-4, atol=1e-4)
    assert network.trained_on["trunk"].endswith((".safetensors", ".pth"))


def test_weights_of_another_model_are_refused_and_nothing_changes(colour, tmp_path):
    path = write("plain", timm.create_model("resnet10t", num_classes=0).state_dict(), tmp_path)
    network = new_matcher(SMALL)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(
        FileError, match=r"exactly the weights of a resnet18 up to stride 16, got conv1.weight, .*missing"
    ):
        fill_trunk(network, path)
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_a_file_without_tensors_or_with_code_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(FileError, match="must hold tensors by name, got list"):
        fill_trunk(new_matcher(SMALL), tmp_path / "list.pth")
    torch.save({"x": pytest.approx}, tmp_path / "code.pth")
    with pytest.raises(FileError, match=r"code\.pth"):
        fill_trunk(new_matcher(SMALL), tmp_path / "code.pth")
    (tmp_path / "half.safetensors").write_bytes(b"1234")
    with pytest.raises(FileError, match="must be a whole safetensors file"):
        fill_trunk(new_matcher(SMALL), tmp_path / "half.safetensors")


def test_the_mini_trunk_has_no_published_weights(tmp_path):
    with pytest.raises(InputError, match="trunk mini must start from random weights"):
        fill_trunk(new_matcher("mini"), tmp_path)
