"""FluoroSAM's checkpoints: every key in its place, and the same answers as plain code."""

from copy import deepcopy

import pytest
import torch
from support.fluorosam_checkpoints import (
    SMALL,
    Published,
    leftovers,
    published_layout,
    published_tensors,
    write_checkpoint,
)
from support.fluorosam_reference import Reference
from xraykit.fluorosam.network import (
    NAMED,
    PromptBatch,
    SegmentationNetwork,
    published_state,
    read_published,
    tokenise,
)
from xraykit.fluorosam.network.published_keys import COUNTED, from_published, published_name, to_published
from xraykit.render import FileError


@pytest.fixture(scope="module")
def tensors():
    return published_tensors(SMALL)


@pytest.fixture(scope="module")
def network(tensors, tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "last.ckpt"
    return read_published(write_checkpoint(path, {**tensors, **leftovers(SMALL)}))


@pytest.fixture(scope="module")
def reference(tensors):
    halved = {n: v.half().float() if ".text_model." in n else v for n, v in tensors.items()}
    return Reference(halved, SMALL)


@pytest.fixture(scope="module")
def embedded(network, reference):
    image = torch.rand(1, 3, 448, 448, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        return network.embed(image), reference.embedding(image)


def close(ours, theirs, tolerance=1e-4):
    assert ours.shape == theirs.shape
    assert float(theirs.abs().max()) > 1e-2
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance * float(theirs.abs().max()))


def test_the_largest_variant_has_exactly_the_published_tensors_and_parameters():
    with torch.device("meta"):
        network = SegmentationNetwork(NAMED["swin-l"])
    ours = {published_name(name): tuple(value.shape) for name, value in network.state_dict().items()}
    assert {name: shape for name, shape in ours.items() if name not in COUNTED} == published_layout(Published())
    assert sum(each.numel() for each in network.parameters()) == pytest.approx(265.9e6, rel=2e-4)


def test_the_embedding_is_that_of_plain_code(embedded):
    close(*embedded)


def test_features_of_texts_are_those_of_plain_code(network, reference):
    tokens = tokenise(["left femur", "the tip of a guide wire"])
    with torch.inference_mode():
        close(network.encode_text(tokens), torch.stack([reference.text(each) for each in tokens]))


@pytest.fixture(scope="module")
def exact(network, reference, embedded):
    """All in float64, as random weights make the last float32 digits of flat pixels loud."""
    state = {n: v.double() if v.is_floating_point() else v for n, v in reference.state.items()}
    return deepcopy(network).double(), Reference(state, SMALL), embedded[1].double()


@pytest.mark.parametrize("kinds", ["text", pytest.param("points", marks=pytest.mark.slow), "text points box mask"])
def test_masks_are_those_of_plain_code(exact, kinds):
    network, reference, embedding = exact
    generator = torch.Generator().manual_seed(3)
    text = torch.randn(64, generator=generator).double() if "text" in kinds else None
    points = [(100.0, 31.0, 1), (7.0, 440.0, 0)] if "points" in kinds else None
    box = (20.0, 30.0, 300.0, 200.0) if "box" in kinds else None
    mask = torch.randn(256, 256, generator=generator).double() if "mask" in kinds else None
    asked = PromptBatch(
        text=None if text is None else text[None, None],
        points=None if points is None else torch.tensor([[[p[:2] for p in points]]]).double() + 0.5,
        point_labels=None if points is None else torch.tensor([[[p[2] for p in points]]]),
        boxes=None if box is None else torch.tensor([[box]]).double() + 0.5,
        masks=None if mask is None else mask[None, None],
    )
    with torch.inference_mode():
        three = network.decode(embedding, asked)
        logits, quality = reference.masks(embedding, reference.tokens(text, points, box), mask)
    assert three.logits.shape == (1, 1, 3, 512, 512)
    close(three.logits[0, 0], logits[1:], 1e-7)
    close(three.quality[0, 0], quality[1:], 1e-7)


def test_the_fourth_mask_is_that_of_plain_code(exact):
    network, reference, embedding = exact
    asked = PromptBatch(boxes=torch.tensor([[[20.5, 30.5, 300.5, 200.5]]]).double())
    with torch.inference_mode():
        one = network.decode(embedding, asked, multimask=False)
        logits, quality = reference.masks(embedding, reference.tokens(box=(20.0, 30.0, 300.0, 200.0)))
    close(one.logits[0, 0], logits[:1], 1e-7)
    close(one.quality[0, 0], quality[:1], 1e-7)


def test_what_was_left_out_is_told(network):
    left = network.trained_on["left_out"]
    assert "prompt_encoder.text_model.visual.conv1.weight" in left
    assert len(left) == 3 + 1 + sum(SMALL.depths)


def test_both_shapes_of_the_flag_and_a_bare_state_dict_are_read(tensors, tmp_path):
    torch.save({**tensors, **leftovers(SMALL, initted=())}, tmp_path / "bare.pth")
    network = read_published(tmp_path / "bare.pth")
    assert network.prompt_encoder.vq._codebook.initted.shape == (1,)
    assert network.config.trunk.depths == SMALL.depths


def test_our_tensors_go_back_to_theirs(network, tensors):
    back = published_state(network)
    for name, value in tensors.items():
        expected = value.half().float() if ".text_model." in name else value
        assert torch.equal(back[name], expected), name


def test_merged_patches_change_their_order_and_back():
    name = "image_encoder.trunk.swin.layers.1.downsample.reduction.weight"
    c, cells = torch.arange(3)[:, None], torch.arange(4)[None]
    theirs = (10 * c + cells).flatten()  # channel by channel; cells (row, column): 00, 01, 10, 11
    ours = from_published(name, theirs)
    assert ours.tolist() == [0, 10, 20, 2, 12, 22, 1, 11, 21, 3, 13, 23]
    assert torch.equal(to_published(name, ours), theirs)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"mask_decoder.iou_token.weight": None}, r"got mask_decoder.iou_token.weight missing and nothing unknown"),
        ({"mask_decoder.extra.weight": torch.zeros(1)}, r"nothing missing and mask_decoder.extra.weight unknown"),
        (
            {"mask_decoder.iou_token.weight": torch.zeros(2, 256)},
            r"iou_token.weight of shape \(1, 256\), got \(2, 256\)",
        ),
        ({"image_encoder.norm.bias": torch.full((256,), torch.nan)}, "finite weights, got NaN"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(tensors, tmp_path, change, message):
    state = {name: value for name, value in {**tensors, **change}.items() if value is not None}
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(FileError, match=message):
        read_published(tmp_path / "other.pth")


def test_another_backbone_is_refused(tmp_path):
    torch.save({"state_dict": {"sam.image_encoder.backbone.stem.weight": torch.zeros(2)}}, tmp_path / "b0.ckpt")
    with pytest.raises(FileError, match="must hold FluoroSAM with a Swin transformer"):
        read_published(tmp_path / "b0.ckpt")


def test_a_file_without_tensors_is_refused(tmp_path):
    torch.save({"state_dict": {"a": 1}}, tmp_path / "no.ckpt")
    with pytest.raises(FileError, match="checkpoint with a state_dict of tensors, got state_dict"):
        read_published(tmp_path / "no.ckpt")


class Malicious:
    def __reduce__(self):
        return print, ("run",)


def test_python_objects_in_a_checkpoint_are_refused_and_never_run(tmp_path, capsys):
    torch.save({"state_dict": {"a": torch.zeros(1)}, "callbacks": Malicious()}, tmp_path / "bad.ckpt")
    with pytest.raises(FileError, match="was refused"):
        read_published(tmp_path / "bad.ckpt")
    assert capsys.readouterr().out == ""


def test_a_truncated_checkpoint_is_refused(tensors, tmp_path):
    path = write_checkpoint(tmp_path / "cut.ckpt", {"a": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(FileError, match="checkpoint"):
        read_published(path)
