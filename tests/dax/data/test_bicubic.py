"""The antialiased bicubic kernel, against its formula in float64 and against torch."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from xraykit.dax.data.bicubic import kernel_bands, kernel_weights, resized

from benchmarks.oracles.dax_published import published_scale, xray_like

IMAGE = torch.from_numpy(published_scale(xray_like(120, 150, seed=2)))
NOISE = torch.from_numpy(np.random.default_rng(0).random((120, 150), dtype=np.float32))
SHAPES = [(120, 150), (97, 60), (31, 32), (9, 14), (2, 5), (1, 1)]


def matrix(length: int, size: int) -> np.ndarray:
    """(size, length) float64: the formula of `kernel_weights`, dense."""
    scale = length / size
    x = np.abs(np.arange(length) + 0.5 - scale * (np.arange(size) + 0.5)[:, None]) / max(scale, 1)
    weights = np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))
    return weights / weights.sum(1, keepdims=True)


def exact(image: torch.Tensor, size: int) -> torch.Tensor:
    height, width = image.shape
    return torch.from_numpy(matrix(height, size) @ image.double().numpy() @ matrix(width, size).T)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 8, 33, 224])
@pytest.mark.parametrize("image", [IMAGE, NOISE], ids=["image", "noise"])
def test_resized_images_are_those_of_the_formula(image, shape, size):
    part = image[: shape[0], : shape[1]]
    torch.testing.assert_close(resized(part, size).double(), exact(part, size), atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [8, 31, 60])
def test_resized_images_are_those_of_torch(shape, size):
    part = IMAGE[: shape[0], : shape[1]]
    theirs = F.interpolate(part[None, None], size=(size, size), mode="bicubic", antialias=True)[0, 0]
    torch.testing.assert_close(resized(part, size), theirs, atol=3e-6 if size <= min(shape) else 1e-5, rtol=0)


def test_it_is_no_further_from_the_formula_than_torch_is():
    theirs = F.interpolate(NOISE[None, None], size=(47, 47), mode="bicubic", antialias=True)[0, 0]
    truth = exact(NOISE, 47)
    assert (resized(NOISE, 47) - truth).abs().max() <= (theirs - truth).abs().max()


@pytest.mark.parametrize(("mirror", "overturn"), [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("size", [24, 200])
def test_flips_come_after_resizing(mirror, overturn, size):
    axes = [axis for axis, flipped in ((1, mirror), (0, overturn)) if flipped]
    made = resized(NOISE, size, mirror=mirror, overturn=overturn)
    torch.testing.assert_close(made, resized(NOISE, size).flip(axes), atol=1e-7, rtol=0)


@pytest.mark.parametrize("box", [(0, 0, 40, 40), (80, 110, 40, 40), (0, 100, 50, 50), (33, 51, 7, 7), (0, 0, 120, 150)])
@pytest.mark.parametrize("size", [16, 96])
def test_what_lies_beyond_a_box_is_not_seen(box, size):
    top, left, height, width = box
    around = torch.full_like(NOISE, torch.nan)
    window = around[top : top + height, left : left + width]
    window.copy_(NOISE[:height, :width])
    made = resized(window, size, mirror=True)
    torch.testing.assert_close(made, resized(NOISE[:height, :width].contiguous(), size, mirror=True), atol=1e-7, rtol=0)


@pytest.mark.parametrize(("length", "size"), [(20, 7), (150, 47), (7, 20), (5, 5), (1, 3)])
def test_bands_are_the_weights_that_are_not_zero(length, size):
    pixels, weights = kernel_bands(length, size)
    dense = torch.zeros(size, length).scatter_add_(1, pixels.long(), weights)
    number = torch.tensor([0.0, float(length)])
    torch.testing.assert_close(dense, kernel_weights(*number, torch.tensor(False), size, length), atol=2e-6, rtol=0)
    torch.testing.assert_close(dense, torch.from_numpy(matrix(length, size)).float(), atol=2e-7, rtol=0)


def test_rows_of_weights_sum_to_one_and_stay_inside():
    start, length = torch.tensor([3.0, 0.0]), torch.tensor([10.0, 20.0])
    weights = kernel_weights(start, length, torch.tensor([False, True]), 7, 20)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 7))
    assert not weights[0, :, :3].any()
    assert not weights[0, :, 13:].any()
