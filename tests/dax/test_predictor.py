"""From X-rays to features: the network's own preprocessing, any sizes together, in order."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from xraykit.dax.data import PreprocessSettings, preprocess, to_square
from xraykit.dax.network import Backbone, BackboneConfig, new_backbone
from xraykit.dax.predictor import XrayEmbedder, network_input
from xraykit.render import FileError, InputError

SETTINGS = PreprocessSettings(size=48, mean=0.4, std=0.2)


def intensity(height, width, seed=0):
    values = torch.rand(height, width, generator=torch.Generator().manual_seed(seed))
    return 1000 + 40_000 * torch.nn.functional.avg_pool2d(values[None], 5, 1, 2)[0]


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return new_backbone(BackboneConfig("vit_mini16", image_size=48, preprocess=SETTINGS), seed=0).train()


FRAMES = [intensity(60, 60), intensity(70, 50, seed=1), intensity(33, 90, seed=2)]


def test_input_is_preprocessed_made_square_and_standardised():
    result = network_input(FRAMES[1], SETTINGS)
    expected, _ = to_square(preprocess(FRAMES[1], SETTINGS), SETTINGS)
    assert result.shape == (1, 48, 48) and result.dtype == torch.float32
    torch.testing.assert_close(result[0], (expected - 0.4) / 0.2)
    plain = network_input(FRAMES[1], replace(SETTINGS, mean=None, std=None))
    assert 0 <= plain.min() and plain.max() <= 1


def test_scale_and_type_of_the_intensity_do_not_matter():
    whole = FRAMES[0].round()
    expected = network_input(whole, SETTINGS)
    for same in (whole.numpy().astype(np.uint16), whole.double() * 3, (whole / 65535).numpy()[::-1].copy()[::-1]):
        torch.testing.assert_close(network_input(same, SETTINGS), expected, atol=1e-3, rtol=1e-3)


def test_a_frame_brings_its_exposed_field():
    class Frame:
        intensity = FRAMES[0]
        field = torch.zeros(60, 60, dtype=torch.bool)

    Frame.field[10:50, 10:50] = True
    settings = replace(SETTINGS, field="exposed", mean=None, std=None)
    assert not network_input(Frame(), settings)[0, :6].any()
    with pytest.raises(InputError, match="needs the exposed field, got none"):
        network_input(FRAMES[0], settings)


def test_features_do_not_depend_on_the_batch(backbone):
    together = XrayEmbedder(backbone, device="cpu", batch_size=2)
    apart = XrayEmbedder(backbone, device="cpu", batch_size=1)
    torch.testing.assert_close(together.embed(FRAMES), apart.embed(FRAMES), atol=1e-5, rtol=1e-5)
    assert [len(each.pooled) for each in together.batches(FRAMES)] == [2, 1]
    assert together.embed([]).shape == (0, 192)


def test_the_backbone_is_frozen_and_says_what_it_says_by_itself(backbone):
    backbone.train()
    embedder = XrayEmbedder(backbone, device="cpu")
    assert not backbone.training
    (features,) = embedder.batches(FRAMES, attention=True)
    direct = backbone.features(torch.stack([network_input(frame, SETTINGS) for frame in FRAMES]), attention=True)
    torch.testing.assert_close(features.pooled, direct.pooled)
    torch.testing.assert_close(features.attention, direct.attention)
    assert not features.pooled.requires_grad and not features.maps[0].values.requires_grad


def test_frames_are_read_when_they_are_needed(backbone):
    read = []
    frames = (read.append(number) or FRAMES[number] for number in range(3))
    batches = XrayEmbedder(backbone, device="cpu", batch_size=1).batches(frames)
    assert read == []
    next(batches)
    assert read == [0]


def test_three_channels_are_fed_the_same_image(backbone):
    three = XrayEmbedder(backbone.with_channels(3), device="cpu").embed(FRAMES)
    torch.testing.assert_close(three, XrayEmbedder(backbone, device="cpu").embed(FRAMES), atol=1e-5, rtol=1e-5)


def test_mixed_precision_answers_in_float32(backbone):
    exact = XrayEmbedder(backbone, device="cpu").embed(FRAMES)
    mixed = XrayEmbedder(backbone, device="cpu", precision="bfloat16").embed(FRAMES)
    assert mixed.dtype == torch.float32
    assert (mixed - exact).norm() / exact.norm() < 0.05


def test_weights_are_loaded_by_name():
    embedder = XrayEmbedder("random:resnet10", device="cpu")
    assert embedder.embed([FRAMES[0]]).shape == (1, 512)
    with pytest.raises(FileError, match="nothing is there"):
        XrayEmbedder("no such thing", device="cpu")


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (torch.zeros(1, 4, 4), r"must be an XrayFrame or an intensity array \(H, W\), got shape \(1, 4, 4\)"),
        ("a.dcm", r"must be an XrayFrame or an intensity array \(H, W\), got str"),
        (np.full((4, 4), np.nan), "an X-ray must be finite"),
    ],
)
def test_what_is_no_x_ray_is_an_error(frame, sentence):
    with pytest.raises(InputError, match=sentence):
        network_input(frame, SETTINGS)


def test_options_out_of_range_are_an_error(backbone):
    with pytest.raises(InputError, match="batch_size must be a whole number from 1, got batch_size=0"):
        XrayEmbedder(backbone, batch_size=0)
    with pytest.raises(InputError, match="precision must be 'float32' or 'bfloat16', got 'half'"):
        XrayEmbedder(backbone, precision="half")
    with pytest.raises(InputError, match="--device must be cpu, cuda or cuda:N, got 'tpu9'"):
        XrayEmbedder(backbone, device="tpu9")
