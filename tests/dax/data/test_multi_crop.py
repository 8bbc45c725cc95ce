"""Views of frames: their shapes, and their statistics against the published augmentation."""

import random

import numpy as np
import pytest
import torch
from xraykit.dax.data import (
    MultiCropSettings,
    PreparedFrame,
    PreprocessSettings,
    draw_crops,
    frames_to_images,
    multi_crops,
    pad_frames,
)
from xraykit.dax.data.frame_codes import encode

from benchmarks.oracles.dax_published import published_preprocess, published_views, xray_like

IMAGE = xray_like(80, 80, seed=4)
DRAWS = 320


def prepared(image: np.ndarray) -> PreparedFrame:
    return PreparedFrame("x", *encode(torch.from_numpy(image.astype(np.float32)), None, longest=max(image.shape)))


def z_score(ours: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
    """Difference of the means over the first axis in standard errors."""
    error = (ours.var(0) / len(ours) + theirs.var(0) / len(theirs)).sqrt()
    return (ours.mean(0) - theirs.mean(0)) / error.clamp_min(1e-6)


@pytest.mark.parametrize("version", ["A", "B"])
def test_statistics_of_views_are_those_of_the_published_augmentation(version):
    settings = MultiCropSettings(version, 24, 12, 1)
    frames = pad_frames([prepared(IMAGE)] * DRAWS)
    draws = draw_crops(settings, frames.sizes, seed=0, places=[(n, 0) for n in range(DRAWS)])
    ours = multi_crops(frames, draws, settings)
    random.seed(1)
    torch.manual_seed(1)
    transforms = published_views(version, sizes=(24, 12))
    for mine, transform in zip(ours, transforms, strict=True):
        theirs = torch.stack([transform(published_preprocess(IMAGE, version)) for _ in range(DRAWS)])
        assert z_score(mine, theirs).abs().max() < 5.5  # of up to 576 pixels
        for statistic in (
            lambda x: x.mean((1, 2, 3)),
            lambda x: x.std((1, 2, 3)),
            lambda x: x.diff(dim=-1).std((1, 2, 3)),
        ):
            assert z_score(statistic(mine), statistic(theirs)).abs() < 4.5


def test_shapes_and_order_of_views():
    settings = MultiCropSettings("B", 32, 16, 3)
    frames = pad_frames([prepared(xray_like(50, 40)), prepared(xray_like(30, 60))])
    crops = multi_crops(frames, draw_crops(settings, frames.sizes, seed=0, places=[(0, 0), (0, 1)]), settings)
    assert [tuple(crop.shape) for crop in crops] == [(2, 1, 32, 32)] * 2 + [(2, 1, 16, 16)] * 3
    assert all(crop.dtype == torch.float32 and crop.is_contiguous() for crop in crops)


def test_views_of_a_frame_do_not_depend_on_its_company():
    settings = MultiCropSettings("B", 32, 16, 2)
    some = [prepared(xray_like(50, 40 + 5 * n, seed=n)) for n in range(3)]
    places = [(0, n) for n in range(3)]
    together, alone = pad_frames(some), pad_frames(some[1:2])
    many = multi_crops(together, draw_crops(settings, together.sizes, seed=0, places=places), settings)
    one = multi_crops(alone, draw_crops(settings, alone.sizes, seed=0, places=places[1:2]), settings)
    for a, b in zip(many, one, strict=True):
        torch.testing.assert_close(a[1], b[0], atol=1e-6, rtol=0)


def test_no_local_views_are_fine_and_standardising_comes_last():
    settings = MultiCropSettings("A", 16, 8, 0)
    frames = pad_frames([prepared(IMAGE)])
    draws = draw_crops(settings, frames.sizes, seed=0, places=[(0, 0)])
    plain = multi_crops(frames, draws, settings)
    scaled = multi_crops(frames, draws, settings, PreprocessSettings(mean=0.4, std=0.2))
    assert len(plain) == 2
    torch.testing.assert_close(scaled[0], (plain[0] - 0.4) / 0.2)


def test_views_are_made_in_full_precision_under_autocast():
    settings = MultiCropSettings("B", 16, 8, 2)
    frames = pad_frames([prepared(IMAGE)] * 2)
    draws = draw_crops(settings, frames.sizes, seed=0, places=[(0, 0), (0, 1)])
    plain = multi_crops(frames, draws, settings)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = multi_crops(frames, draws, settings)
    assert all(torch.equal(a, b) for a, b in zip(plain, under, strict=True))


def test_half_of_the_images_of_b_stay_linear_with_bone_dark():
    frames = pad_frames([prepared(IMAGE)] * 2)
    log, linear = frames_to_images(frames, torch.tensor([3.0, 3.0]), torch.tensor([False, True]))
    correlation = np.corrcoef(log.flatten(), linear.flatten())[0, 1]
    assert correlation < -0.9
