"""What a network sees of an X-ray: with and without the reduction that its training images had."""

import numpy as np
import pytest
import torch
from PIL import Image
from xraykit.dax.data import (
    PreprocessSettings,
    find_xrays,
    frames_to_images,
    network_square,
    pad_frames,
    prepare_frames,
    preprocess,
    standardise,
    to_square,
)

from benchmarks.oracles.dax_published import xray_like


def test_without_a_reduction_it_is_preprocessing_and_then_the_square():
    image = torch.from_numpy(xray_like(50, 70, seed=1).astype(np.float32))
    settings = PreprocessSettings(size=32, mean=0.3, std=0.2)
    square, mapping = network_square(image, settings)
    wanted, other = to_square(preprocess(image, settings), settings)
    assert torch.equal(square, standardise(wanted, settings)) and mapping == other


@pytest.mark.parametrize("lowpass", [0.0, 9.0])
def test_with_a_reduction_it_is_what_training_frames_become(tmp_path, lowpass):
    draw = np.random.default_rng(0)
    noisy = draw.poisson(xray_like(150, 120, seed=2) / 400.0 + 1) * 300  # few photons, where the order matters
    Image.fromarray(noisy.astype(np.uint16)).save(tmp_path / "a.png")
    settings = PreprocessSettings(size=48, longest=60, lowpass=lowpass)
    collection = find_xrays([tmp_path / "a.png"], polarity="intensity")
    store = prepare_frames(collection, tmp_path / "store", longest=60)
    frame = frames_to_images(
        pad_frames([store[0]]), torch.tensor([settings.deviations]), torch.tensor([False]), lowpass=lowpass
    )
    trained = to_square(frame, settings)[0][0, 0]
    used, mapping = network_square(collection[0].intensity, settings)
    assert float((used - trained).abs().max()) < 2e-3
    whole = network_square(collection[0].intensity, PreprocessSettings(size=48, lowpass=lowpass))[0]
    assert float((whole - trained).abs().max()) > 0.02  # the other order is another image
    assert mapping.image_size == (150, 120)
