"""Rotation, crop, resize and flips in one, against torchvision's one after another."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as F
from xraykit.dax.data.warp import warp_by_products, warp_views

from benchmarks.oracles.dax_published import BICUBIC, BILINEAR, published_scale, xray_like

SHAPE = (60, 72)
IMAGES = torch.stack([torch.from_numpy(published_scale(xray_like(*SHAPE, seed=n)))[None] for n in range(3)])
BOXES = [(0, 0, 60, 60), (5, 11, 23, 23), (30, 40, 30, 30), (10, 10, 7, 7)]
WARPS = [warp_views, warp_by_products]


def draws(angle: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every box on every image, with all ways to flip."""
    boxes = np.array([BOXES] * 3)
    flips = np.array([[[n & 1, n >> 1] for n in range(4)]] * 3, dtype=bool)
    return boxes, np.full((3, 4), angle), flips


def one_after_another(image, box, angle, flip, size, *, fill):
    if angle:
        image = F.rotate(image, angle, interpolation=BILINEAR, fill=fill)
    view = F.resized_crop(image, *box, [size, size], interpolation=BICUBIC, antialias=True)
    view = F.horizontal_flip(view) if flip[0] else view
    return F.vertical_flip(view) if flip[1] else view


def compare(warp, angle: float, size: int, *, fill=None) -> float:
    boxes, angles, flips = draws(angle)
    made = warp(IMAGES, [SHAPE] * 3, boxes, angles, flips, size)
    worst = 0.0
    for b, v in np.ndindex(3, 4):
        view = one_after_another(IMAGES[b], boxes[b, v].tolist(), angle, flips[b, v], size, fill=fill)
        worst = max(worst, float((made[b, v] - view[0]).abs().max()))
    return worst


@pytest.mark.parametrize("warp", WARPS)
@pytest.mark.parametrize("size", [8, 24, 61])
def test_unrotated_views_are_those_of_torchvision(warp, size):
    assert compare(warp, 0.0, size) < 2e-6


@pytest.mark.parametrize("warp", WARPS)
@pytest.mark.parametrize("angle", [17.0, -90.0, 133.7, 180.0])
def test_rotated_views_are_those_of_rotating_all_of_the_image(warp, angle):
    assert compare(warp, angle, 24) < 3e-5  # of rounding: where a pixel lies is computed in float32


def test_the_fill_of_torchvision_differs_at_the_outline_alone():
    ones = torch.ones(1, 1, 60, 60)
    made = warp_views(ones, [(60, 60)], np.array([[(0, 0, 60, 60)]]), np.array([[30.0]]), np.zeros((1, 1, 2), bool), 60)
    filled = F.rotate(ones[0], 30.0, interpolation=BILINEAR, fill=0)
    difference = (made[0] - filled).abs()
    outline = (made[0] > 1e-4) & (made[0] < 1 - 1e-4)
    assert float(difference[~outline].max()) < 1e-4
    assert float(difference.max()) < 0.26  # it weighs the outermost pixel by its covered share twice


@pytest.mark.parametrize("warp", WARPS)
@pytest.mark.parametrize("angle", [0.0, 40.0])
def test_padding_of_a_batch_is_not_seen(warp, angle):
    small = IMAGES[:1, :, :50, :44]
    padded = torch.zeros(1, 1, *SHAPE)
    padded[..., :50, :44] = small
    boxes, angles, flips = (
        np.array([[(6, 0, 44, 44), (20, 21, 12, 12)]]),
        np.full((1, 2), angle),
        np.zeros((1, 2, 2), bool),
    )
    made = warp(padded, [(50, 44)], boxes, angles, flips, 16)
    torch.testing.assert_close(made, warp(small, [(50, 44)], boxes, angles, flips, 16), atol=3e-5, rtol=0)


def test_beyond_a_rotated_image_it_is_dark():
    ones, box = torch.ones(1, 1, 40, 40), np.array([[(0, 0, 40, 40)]])
    made = warp_views(ones, [(40, 40)], box, np.array([[45.0]]), np.zeros((1, 1, 2), bool), 40)
    assert float(made[0, 0, 0, 0]) == 0
    assert float(made[0, 0, 20, 20]) == pytest.approx(1.0, abs=1e-5)
