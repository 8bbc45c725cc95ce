"""Trunks and text towers from other weights: all of what fits, or an error that lists what does not."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from support.fluorosam_encoders import TINY
from xraykit.fluorosam import new_network, save_network
from xraykit.fluorosam.network import ClassHead, TrunkConfig, fill_encoder, fill_text, fill_trunk, resized_network
from xraykit.render import FileError, InputError
from xraykit.render.weights import WeightsKind, save_weights

SWIN = replace(
    TINY, trunk=TrunkConfig("swin", width=8, depths=(1, 1, 2, 1), heads=(1, 2, 2, 2), window=2, drop_path=0.0)
)  # fmt: skip


def timm_swin(channels=3):
    """What a file of timm has for this Swin, with random weights and a head."""
    from timm.models.swin_transformer import SwinTransformer

    torch.manual_seed(3)
    model = SwinTransformer(
        img_size=64, in_chans=channels, embed_dim=8, depths=(1, 1, 2, 1), num_heads=(1, 2, 2, 2), window_size=2,
        num_classes=5,
    )  # fmt: skip
    state = {name: torch.randn_like(value) for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    return model.eval(), state


def official(state):
    """The same under the official names: a merge belongs to the layer before it."""
    made = {}
    for name, value in state.items():
        parts = name.split(".")
        if parts[:1] == ["layers"] and parts[2] == "downsample":
            parts[1] = str(int(parts[1]) - 1)
        made[".".join(parts)] = value
    made["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(4, 4, dtype=torch.long)
    made["layers.1.blocks.0.attn_mask"] = torch.zeros(4, 4, 4)
    return made


@pytest.mark.parametrize("wrapped", ["plain", "module", "model", "official", "safetensors"])
def test_swin_gives_the_maps_of_timms_network(wrapped, tmp_path):
    model, state = timm_swin()
    path = tmp_path / ("swin.safetensors" if wrapped == "safetensors" else "swin.pth")
    if wrapped == "safetensors":
        save_file(state, path)
    else:
        content = {
            "plain": state,
            "module": {"state_dict": {f"module.{name}": value for name, value in state.items()}},
            "model": {"model": state, "epoch": 3},
            "official": {"model": official(state)},
        }[wrapped]
        torch.save(content, path)
    network = fill_trunk(new_network(SWIN), path).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        maps = network.image_encoder.trunk(images)
        last = model.forward_features(images)  # (B, H, W, C), normalised by the file's norm
    torch.testing.assert_close(maps[-1].permute(0, 2, 3, 1), last, rtol=1e-4, atol=1e-4)
    assert network.trained_on["trunk"] == path.name


def test_a_convolution_for_one_channel_sees_the_mean_of_three_windows(tmp_path):
    _, state = timm_swin(channels=1)
    save_file(state, tmp_path / "grey.safetensors")
    network = fill_trunk(new_network(SWIN), tmp_path / "grey.safetensors")
    weight = network.image_encoder.trunk.state_dict()["swin.patch_embed.proj.weight"]
    torch.testing.assert_close(weight.sum(1, keepdim=True), state["patch_embed.proj.weight"])


def test_a_backbone_that_was_learned_without_labels_starts_a_trunk(tmp_path):
    _, state = timm_swin(channels=1)
    kept = {name: value for name, value in state.items() if not name.startswith("head.")}
    kind = WeightsKind("xray backbone", "xraykit-dax", libraries=("torch",))
    save_weights(tmp_path / "weights", kept, kind, config={"architecture": "swin"}, trained_on={})
    network = fill_trunk(new_network(SWIN), tmp_path / "weights")
    norm = network.image_encoder.trunk.state_dict()["norms.3.weight"]
    torch.testing.assert_close(norm, state["norm.weight"])


@pytest.mark.parametrize("config", [TINY, SWIN])
def test_trunk_of_our_own_weights(config, tmp_path):
    other = new_network(config, seed=5)
    save_network(other, tmp_path)
    network = fill_trunk(new_network(config, seed=6), tmp_path)
    mine, theirs = network.state_dict(), other.state_dict()
    for name, value in mine.items():
        same = torch.equal(value, theirs[name])
        assert same or not name.startswith("image_encoder.trunk."), name
    assert not torch.equal(mine["image_encoder.neck.output.weight"], theirs["image_encoder.neck.output.weight"])


def test_what_is_missing_and_left_over_is_listed_and_nothing_changes(tmp_path):
    _, state = timm_swin()
    del state["layers.2.blocks.1.mlp.fc1.weight"]
    state["layers.2.blocks.7.mlp.fc1.weight"] = torch.zeros(3)
    save_file(state, tmp_path / "other.safetensors")
    network = new_network(SWIN)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(FileError, match=r"swin.layers.2.blocks.1.mlp.fc1.weight missing and swin.layers.2.blocks.7"):
        fill_trunk(network, tmp_path / "other.safetensors")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_swin_does_not_start_a_trunk_of_convolutions(tmp_path):
    save_file(timm_swin()[1], tmp_path / "swin.safetensors")
    with pytest.raises(FileError, match="weights of a conv trunk of width 8"):
        fill_trunk(new_network(TINY), tmp_path / "swin.safetensors")


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {"state_dict": {}}])
def test_a_file_without_tensors_is_refused(content, tmp_path):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(FileError, match="tensors by name"):
        fill_trunk(new_network(TINY), tmp_path / "x.pth")


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"not a safetensors file")
    with pytest.raises(FileError, match="damaged"):
        fill_trunk(new_network(TINY), tmp_path / "x.safetensors")


def test_text_tower_of_another_network(tmp_path):
    other = new_network(TINY, seed=5)
    other.trained_on = {"text": {"objective": "text contrast"}}
    save_network(other, tmp_path)
    network = fill_text(new_network(TINY, seed=6), tmp_path)
    torch.testing.assert_close(network.encode_text(["left femur"]), other.encode_text(["left femur"]))
    assert network.trained_on["text"] == {"objective": "text contrast"}


def test_text_tower_of_another_size_is_refused(tmp_path):
    save_network(new_network(replace(TINY, text=replace(TINY.text, layers=2))), tmp_path)
    with pytest.raises(FileError, match="text tower"):
        fill_text(new_network(TINY), tmp_path)


def test_head_spreads_its_outputs_over_finer_cells():
    head = ClassHead(4, 3, detail=2)
    embedding = torch.randn(2, 4, 5, 5)
    logits = head(embedding)
    assert logits.shape == (2, 3, 10, 10)
    row = head.output(embedding)[1, :, 2, 3].unflatten(0, (3, 2, 2))
    torch.testing.assert_close(logits[1, :, 4:6, 6:8], row)


def test_head_without_classes_is_refused():
    with pytest.raises(InputError, match="numbers from 1"):
        ClassHead(4, 0)


def test_an_image_encoder_is_taken_whole_from_images_of_any_size_and_nothing_else_is(tmp_path):
    other = resized_network(new_network(TINY, seed=5), 96)
    other.trained_on = {"encoder": {"classes": 83}}
    save_network(other, tmp_path)
    network = new_network(TINY, seed=6)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert fill_encoder(network, tmp_path) is network
    for name, value in network.state_dict().items():
        expected = other.state_dict()[name] if name.startswith("image_encoder.") else before[name]
        assert torch.equal(value, expected), name
    assert network.config == TINY and network.trained_on == {"encoder": {"classes": 83}}


def test_an_image_encoder_of_another_shape_is_refused_and_changes_nothing(tmp_path):
    save_network(new_network(replace(TINY, neck_width=32), seed=5), tmp_path)
    network = new_network(TINY, seed=6)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(FileError, match="image encoder of this network"):
        fill_encoder(network, tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
