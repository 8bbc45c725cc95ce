"""Backbones on disk and by name: never without their preprocessing."""

import json

import pytest
import timm
import torch
from support.dax_checkpoints import random_state, write_training
from xraykit.dax.data import PreprocessSettings
from xraykit.dax.network import PUBLISHED, BackboneConfig, load_backbone, new_backbone, save_backbone
from xraykit.dax.network import backbone_weights as weights
from xraykit.render import FileError, InputError
from xraykit.render.weights import HubFile, WeightsKind, save_weights

IMAGES = torch.rand(1, 1, 96, 96, generator=torch.Generator().manual_seed(0))
CONFIG = BackboneConfig(
    "vit_mini16",
    image_size=64,
    position_resize="published",
    preprocess=PreprocessSettings(version="B", deviations=2.5, size=96, fit="crop", mean=0.4, std=0.2),
)


@pytest.fixture
def saved(tmp_path):
    backbone = new_backbone(CONFIG, seed=3).eval()
    save_backbone(backbone, tmp_path / "net", trained_on={"images": 5})
    return backbone, tmp_path / "net"


def test_what_is_loaded_is_what_was_saved_with_its_preprocessing(saved):
    backbone, folder = saved
    again = load_backbone(folder)
    assert again.config == CONFIG and again.trained_on == {"images": 5} and not again.training
    assert torch.equal(again(IMAGES), backbone(IMAGES))
    assert load_backbone(folder / "model.safetensors").config == CONFIG
    stored = json.loads((folder / "config.json").read_text())
    assert stored["kind"] == "xray backbone" and stored["config"]["preprocess"]["deviations"] == 2.5


def test_names_stored_are_the_published_ones(saved):
    from safetensors import safe_open

    with safe_open(saved[1] / "model.safetensors", "pt") as file:
        assert {"cls_token", "pos_embed", "blocks.5.attn.qkv.weight"} <= set(file.keys())
        assert "mask_token" not in file.keys()  # noqa: SIM118 (no mapping)


def test_half_precision_is_half_the_size_and_close(saved, tmp_path):
    backbone, folder = saved
    path = save_backbone(backbone, tmp_path / "half", half=True)
    assert path.stat().st_size < 0.6 * (folder / "model.safetensors").stat().st_size
    torch.testing.assert_close(load_backbone(path)(IMAGES), backbone(IMAGES), atol=1e-2, rtol=1e-2)


def test_what_it_learned_from_survives_saving_again(saved, tmp_path):
    save_backbone(load_backbone(saved[1]), tmp_path / "again")
    assert load_backbone(tmp_path / "again").trained_on == {"images": 5}


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.pop("preprocess"),
        lambda config: config["preprocess"].update(strange=1),
        lambda config: config.update(architecture="nothing"),
        lambda config: config.update(preprocess=3),
    ],
)
def test_a_config_that_builds_nothing_is_an_error(saved, tmp_path, change):
    from dataclasses import asdict

    config = asdict(CONFIG)
    change(config)
    save_weights(tmp_path / "bad", saved[0].network.state_dict(), weights.BACKBONE, config=config)
    with pytest.raises(FileError, match="must carry a complete config, got one that is not"):
        load_backbone(tmp_path / "bad")


def test_other_weights_are_refused(tmp_path):
    save_weights(tmp_path / "pose", {"a": torch.ones(1)}, WeightsKind("pose network", "xraykit-xvr"), config={})
    with pytest.raises(FileError, match="must hold a xray backbone written by xraykit-dax, got other weights"):
        load_backbone(tmp_path / "pose")
    with pytest.raises(FileError, match=r"an xray backbone must be a folder, .* nothing is there"):
        load_backbone(tmp_path / "nothing")


def test_a_state_of_another_architecture_is_refused(tmp_path):
    from dataclasses import asdict

    other = new_backbone(BackboneConfig("resnet10"), seed=0).network.state_dict()
    save_weights(tmp_path / "bad", other, weights.BACKBONE, config=asdict(CONFIG))
    with pytest.raises(FileError, match="must hold exactly the weights of vit_mini16"):
        load_backbone(tmp_path / "bad")


def test_random_weights_are_always_the_same():
    first, again = load_backbone("random:resnet10"), load_backbone("random:resnet10")
    assert torch.equal(first(IMAGES), again(IMAGES)) and not first.training
    with pytest.raises(InputError, match="architecture must be one of ours or a timm model"):
        load_backbone("random:nothing")


def test_published_names_lead_to_their_files_on_the_hub():
    assert len(PUBLISHED) == 8
    assert PUBLISHED["DAX-ViT-T-16-vA"] == HubFile(
        "joshua-scheuplein/DAX-ViT-T-16-A", "dax-checkpoint-vit-t-16-version-a.pth"
    )
    assert PUBLISHED["DAX-ResNet50-vB"] == HubFile(
        "joshua-scheuplein/DAX-ResNet50-B", "dax-checkpoint-resnet50-version-b.pth"
    )
    assert {"DAX-ResNet18-vA", "DAX-ResNet50-vA", "DAX-ViT-T-8-vA", "DAX-ViT-S-16-vA", "DAX-ViT-S-16-vB"} < set(
        PUBLISHED
    )
    assert "DAX-ViT-S-8-vA" in PUBLISHED


def test_a_published_name_is_downloaded_and_read(tmp_path, monkeypatch):
    path = write_training(tmp_path / "a.pth", "resnet18", random_state("resnet18"))
    asked = []
    monkeypatch.setattr(HubFile, "download", lambda self: asked.append(self) or path)
    assert load_backbone("DAX-ResNet18-vA").config.architecture == "resnet18"
    assert load_backbone("DAX-ResNet18-vA", part="student", channels=3).config.channels == 3
    assert {each.repository for each in asked} == {"joshua-scheuplein/DAX-ResNet18-A"}


def test_options_of_published_files_are_refused_elsewhere(saved):
    for source in (str(saved[1]), "random:resnet10", "timm:resnet18"):
        with pytest.raises(InputError, match="states its own config; leave part out"):
            load_backbone(source, part="student")


def test_an_installation_without_the_shipped_backbone_says_so(tmp_path, monkeypatch, saved):
    monkeypatch.setattr(weights, "SHIPPED", tmp_path / "empty")
    with pytest.raises(FileError, match="must lie in its folder shipped, got an installation without it"):
        load_backbone("shipped")
    monkeypatch.setattr(weights, "SHIPPED", saved[1])
    assert load_backbone("shipped").config == CONFIG


def test_timms_weights_come_folded_to_one_channel(monkeypatch):
    made = timm.create_model

    def pretrained(name, **options):
        assert options.pop("pretrained")
        torch.manual_seed(0)
        return made(name, **options)

    monkeypatch.setattr(timm, "create_model", pretrained)
    backbone = load_backbone("timm:vit_tiny_patch16_224")
    peer = pretrained("vit_tiny_patch16_224", num_classes=0, pretrained=True).eval()
    settings = backbone.config.preprocess
    assert (settings.mean, settings.std, backbone.config.channels) == (0.5, 0.5, 1)
    given = torch.rand(1, 1, 224, 224, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(backbone(given), peer(given.expand(-1, 3, -1, -1)), atol=1e-5, rtol=1e-5)
    assert backbone.trained_on["source"] == "timm:vit_tiny_patch16_224"


def test_timms_weights_that_cannot_be_had_are_an_error(monkeypatch):
    def refused(name, **options):
        raise OSError("no connection")

    monkeypatch.setattr(timm, "create_model", refused)
    with pytest.raises(FileError, match=r"pretrained weights of resnet18 .* got neither \(no connection\)"):
        load_backbone("timm:resnet18")
    with pytest.raises(InputError, match="architecture must be one of ours or a timm model"):
        load_backbone("timm:nothing")
