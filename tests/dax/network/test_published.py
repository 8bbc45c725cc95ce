"""Published checkpoints of every layout: strictly loaded, equal to timm, nothing in them executed."""

import os
from argparse import Namespace

import pytest
import timm
import torch
from support.dax_checkpoints import RESNETS, SIZES, random_head, random_state, write_training
from support.grids import each_once
from xraykit.dax.data import PreprocessSettings
from xraykit.dax.network import read_published, read_published_head
from xraykit.dax.network.published import IMAGENET_MEAN, IMAGENET_STD
from xraykit.render import FileError, InputError

TIMM = {
    "vit_tiny16": ("vit_tiny_patch16_224", {}),
    "vit_tiny8": ("vit_tiny_patch16_224", {"patch_size": 8}),
    "vit_small16": ("vit_small_patch16_224", {}),
    "vit_small8": ("vit_small_patch8_224", {}),
    "resnet18": ("resnet18", {}),
    "resnet50": ("resnet50", {}),
}
# The eight models of the paper: architecture, augmentation, and the head it was trained with. Every run reads the small
# ones, in which each augmentation, kind of head and kind of network occurs.
PAPER = [
    ("resnet18", "v1", {"norm": True}),
    pytest.param("resnet50", "v1", {"norm": True}, marks=pytest.mark.slow),
    ("resnet50", "v2", {"norm": True, "plain": True}),
    ("vit_tiny16", "v1", {}),
    ("vit_tiny8", "v1", {"old_names": True}),
    pytest.param("vit_small16", "v1", {}, marks=pytest.mark.slow),
    pytest.param("vit_small16", "v2", {}, marks=pytest.mark.slow),
    pytest.param("vit_small8", "v1", {}, marks=pytest.mark.slow),
]
WRAPS = [lambda s: s, lambda s: {"state_dict": s}, lambda s: {"model": s, "epoch": 3}]
IMAGES = torch.rand(1, 1, 224, 224, generator=torch.Generator().manual_seed(0))


def peer_output(architecture, state, images):
    name, options = TIMM[architecture]
    peer = timm.create_model(name, num_classes=0, **options).eval()
    peer.load_state_dict(state, strict=True)
    with torch.no_grad():
        return peer(images.expand(-1, 3, -1, -1))


@pytest.mark.parametrize(("architecture", "augmentation", "head"), PAPER)
def test_every_published_layout_gives_timms_features(tmp_path, architecture, augmentation, head):
    state = random_state(architecture)
    head = random_head(SIZES[architecture], **head)
    path = write_training(tmp_path / "dax.pth", architecture, state, head=head, augmentation=augmentation)
    backbone = read_published(path)
    assert backbone.config.architecture == architecture
    assert (backbone.config.channels, backbone.config.image_size) == (1, 224)
    assert backbone.config.position_resize == "published"
    assert backbone.config.preprocess == PreprocessSettings(version="B" if augmentation == "v2" else "A")
    assert not backbone.training
    with torch.no_grad():
        torch.testing.assert_close(backbone(IMAGES), peer_output(architecture, state, IMAGES), atol=1e-5, rtol=1e-5)


def test_three_channels_are_kept_where_asked_for(tmp_path):
    state = random_state("vit_tiny16")
    backbone = read_published(write_training(tmp_path / "a.pth", "vit_tiny16", state), channels=3)
    assert backbone.config.channels == 3
    assert all(torch.equal(value, state[name]) for name, value in backbone.network.state_dict().items())


@pytest.mark.parametrize("architecture", ["vit_tiny16", "resnet18"])
def test_the_student_is_read_where_asked_for(tmp_path, architecture):
    teacher, student = (random_state(architecture, seed=seed) for seed in (0, 1))
    path = write_training(tmp_path / "a.pth", architecture, teacher, student=student)
    read = {part: read_published(path, part=part, channels=3).network.state_dict() for part in ("teacher", "student")}
    assert all(torch.equal(read["teacher"][name], teacher[name]) for name in teacher)
    assert all(torch.equal(read["student"][name], student[name]) for name in student)


def test_what_the_training_says_of_itself_is_kept(tmp_path):
    path = write_training(
        tmp_path / "a.pth", "resnet18", random_state("resnet18"), data_mean=0.4, data_std=0.2, subtract_lowpass=True
    )
    backbone = read_published(path)
    assert backbone.config.preprocess == PreprocessSettings(mean=0.4, std=0.2, lowpass=20 / 0.305)
    assert backbone.trained_on == {
        "source": "a.pth",
        "part": "teacher",
        "arch": "resnet18",
        "epochs": 200,
        "augmentation": "v1",
        "optimizer": "adamw",
        "epoch": 200,
    }
    own = PreprocessSettings(deviations=2.0)
    assert read_published(path, preprocess=own).config.preprocess == own


@pytest.mark.parametrize("architecture, wrap", each_once(["vit_tiny16", "resnet18"], WRAPS))
def test_plain_state_dicts_are_read_and_their_classifier_left_out(tmp_path, architecture, wrap):
    state = random_state(architecture)
    classifier = "fc" if architecture in RESNETS else "head"
    whole = {
        **state,
        f"{classifier}.weight": torch.zeros(1000, SIZES[architecture]),
        f"{classifier}.bias": torch.zeros(1000),
    }
    torch.save(wrap(whole), tmp_path / "plain.pth")
    backbone = read_published(tmp_path / "plain.pth")
    assert backbone.config.position_resize == "size"
    with torch.no_grad():
        torch.testing.assert_close(backbone(IMAGES), peer_output(architecture, state, IMAGES), atol=1e-5, rtol=1e-5)


def test_photographs_mean_and_deviation_are_folded_in(tmp_path):
    state = random_state("vit_tiny16")
    torch.save(state, tmp_path / "dino_deitsmall16_pretrain.pth")
    backbone = read_published(tmp_path / "dino_deitsmall16_pretrain.pth", imagenet=True)
    settings = backbone.config.preprocess
    mean, std = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
    with torch.no_grad():
        result = backbone((IMAGES - settings.mean) / settings.std)
    peer = timm.create_model("vit_tiny_patch16_224", num_classes=0).eval()
    peer.load_state_dict(state)
    with torch.no_grad():
        torch.testing.assert_close(result, peer((IMAGES - mean) / std), atol=1e-4, rtol=1e-4)


def test_an_architecture_of_timm_is_read_by_its_name(tmp_path):
    peer = timm.create_model("convnext_atto").eval()
    state = {name: value for name, value in peer.state_dict().items() if not name.startswith("head.fc.")}
    torch.save(state, tmp_path / "a.pth")
    backbone = read_published(tmp_path / "a.pth", architecture="convnext_atto")
    peer.reset_classifier(0)
    given = IMAGES[..., :64, :64]
    with torch.no_grad():
        torch.testing.assert_close(backbone(given), peer(given.expand(-1, 3, -1, -1)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("old_names", [False, True])
def test_a_head_comes_by_present_names(tmp_path, old_names):
    head = random_head(192, old_names=old_names)
    path = write_training(tmp_path / "a.pth", "vit_tiny16", random_state("vit_tiny16"), head=head)
    read = read_published_head(path)
    assert set(read) == set(random_head(192))
    assert read["last_layer.parametrizations.weight.original0"].shape == (32, 1)


def test_a_file_without_a_head_says_so(tmp_path):
    torch.save(random_state("resnet18"), tmp_path / "a.pth")
    with pytest.raises(FileError, match="must hold a DINO head beside the backbone, got none"):
        read_published_head(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.pop("blocks.3.attn.qkv.bias"), "got blocks.3.attn.qkv.bias missing and nothing unexpected"),
        (lambda s: s.update({"blocks.3.extra": s["cls_token"]}), "nothing missing and blocks.3.extra unexpected"),
        (lambda s: s.update({"norm.weight": s["norm.weight"][:5]}), r"norm.weight of shape \(192,\), got \(5,\)"),
        (lambda s: s["norm.weight"].fill_(torch.nan), "must hold finite weights, got NaN or infinity in norm.weight"),
    ],
)
def test_weights_that_do_not_fit_are_named(tmp_path, change, sentence):
    state = random_state("vit_tiny16")
    change(state)
    with pytest.raises(FileError, match=sentence):
        read_published(write_training(tmp_path / "a.pth", "vit_tiny16", state))


def test_names_of_neither_backbone_nor_head_are_listed(tmp_path):
    state = {f"backbone.{name}": value for name, value in random_state("resnet18").items()}
    torch.save({"teacher": {**state, "neck.weight": torch.ones(1), "head.odd": torch.ones(1)}}, tmp_path / "a.pth")
    with pytest.raises(FileError, match=r"got 2 other names \(neck.weight, head.odd\)"):
        read_published(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ({"patch_embed.proj.weight": torch.ones(100, 3, 16, 16)}, "a transformer with embedding 100, 0 blocks"),
        ({"conv1.weight": torch.ones(64, 3, 7, 7), "layer1.0.conv1.weight": torch.ones(1)}, r"a ResNet with \(1, 0, 0"),
        ({"stem.weight": torch.ones(1)}, "the names stem.weight"),
    ],
)
def test_an_unknown_architecture_is_described(tmp_path, state, found):
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(FileError, match=rf"must hold the weights of one of vit_tiny16, .* got {found}"):
        read_published(tmp_path / "a.pth")


def test_a_wrong_architecture_is_refused(tmp_path):
    path = write_training(tmp_path / "a.pth", "vit_tiny16", random_state("vit_tiny16"))
    with pytest.raises(FileError, match="must hold exactly the weights of resnet18"):
        read_published(path, architecture="resnet18")
    with pytest.raises(InputError, match="architecture must be one of ours or a timm model"):
        read_published(path, architecture="nothing")


def test_weights_of_other_channels_are_refused(tmp_path):
    state = random_state("vit_tiny16")
    state["patch_embed.proj.weight"] = torch.ones(192, 2, 16, 16)
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(FileError, match="must hold weights for images of 1 or 3 channels, got 2"):
        read_published(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("content", "found"), [({"student": 1, "epoch": 2}, "epoch, student"), ([1, 2], "list"), ({}, "")]
)
def test_other_content_is_refused(tmp_path, content, found):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(
        FileError, match=rf"must be a checkpoint with 'teacher' or a state dict of tensors, got '{found}'"
    ):
        read_published(tmp_path / "a.pth")


def test_another_part_is_refused(tmp_path):
    torch.save(random_state("resnet18"), tmp_path / "a.pth")
    with pytest.raises(InputError, match="part must be 'teacher' or 'student', got 'ema'"):
        read_published(tmp_path / "a.pth", part="ema")


def test_a_mean_that_is_no_number_is_refused(tmp_path):
    path = write_training(tmp_path / "a.pth", "resnet18", random_state("resnet18"), data_mean="low", data_std=1.0)
    with pytest.raises(FileError, match="must state a mean and a std that are numbers, got low and 1"):
        read_published(path)


class Harmful:
    """Runs a command where it is unpickled without care."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("place", ["top", "args"])
def test_code_in_a_file_is_refused_and_never_run(tmp_path, place):
    trap = Harmful(tmp_path / "touched")
    extra = {"extra": trap} if place == "top" else {"args": Namespace(arch=trap)}
    torch.save({"teacher": random_state("resnet18"), **extra}, tmp_path / "a.pth")
    with pytest.raises(FileError, match=r"got other Python objects .* nothing of it was run"):
        read_published(tmp_path / "a.pth")
    assert not (tmp_path / "touched").exists()
