"""Normalised correlations: closed forms, invariances, and the published implementation."""

import pytest
import torch
from xraykit.render import InputError
from xraykit.xvr.refine.similarity import box_mean, gradient_ncc, mncc, ncc, patch_ncc, sobel


def images(batch: int = 2, size: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    first, noise = torch.rand(2, batch, 1, size, size, generator=generator, dtype=torch.float64)
    return first, 0.7 * first + 0.3 * noise


@pytest.mark.parametrize("measure", [ncc, patch_ncc, mncc])
def test_an_image_is_like_itself_whatever_gain_and_offset(measure):
    first, _ = images()
    torch.testing.assert_close(measure(100 * first, 700 * first - 300), torch.ones(2).double(), rtol=0, atol=1e-4)
    torch.testing.assert_close(measure(100 * first, -100 * first), -torch.ones(2).double(), rtol=0, atol=1e-4)


def test_edges_are_like_themselves_whatever_the_gain():
    """An offset shows at the border, which is padded with zeros as published."""
    first, _ = images()
    torch.testing.assert_close(gradient_ncc(100 * first, 700 * first), torch.ones(2).double(), rtol=0, atol=1e-4)


def test_ncc_is_pearsons_correlation():
    first, second = images(1)
    stacked = torch.stack([first.flatten(), second.flatten()])
    torch.testing.assert_close(ncc(1e3 * first, 1e3 * second)[0], torch.corrcoef(stacked)[0, 1])


def test_patch_ncc_is_the_mean_over_all_windows():
    first, second = images(1, 12)
    windows = (image.unfold(2, 5, 1).unfold(3, 5, 1).reshape(-1, 1, 5, 5) for image in (first, second))
    torch.testing.assert_close(patch_ncc(first, second, 5)[0], ncc(*windows).mean())


def test_invalid_pixels_change_nothing():
    first, second = images()
    valid = torch.ones(20, 20, dtype=torch.bool)
    valid[:, 13:] = False
    spoilt = torch.where(valid, second, 1e3)
    for measure in (ncc, patch_ncc):
        torch.testing.assert_close(measure(first, spoilt, valid=valid), measure(first[..., :13], second[..., :13]))


def test_sobel_of_a_ramp_is_its_slope_and_points_down_and_right():
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing="ij")
    across, down = sobel((2 * x - 3 * y)[None, None])[0]
    assert across.shape == (4, 5)
    assert bool((across == -16).all()) and bool((down == 24).all())  # as published: 8 times minus the slope


def test_box_mean_refuses_a_window_larger_than_the_image():
    with pytest.raises(InputError, match="between 1 and the image's sides, got 9 for an image of 8x20"):
        box_mean(torch.zeros(1, 1, 8, 20), 9)


@pytest.mark.parametrize("measure", [mncc, gradient_ncc])
def test_gradients(measure):
    first, second = images(1, 13)
    assert torch.autograd.gradcheck(lambda a: measure(a, second), first.requires_grad_())


@pytest.mark.peer
def test_published_implementation_agrees():
    metrics = pytest.importorskip("diffdrr.metrics", reason="needs diffdrr")
    first, second = (image.float() for image in images())
    theirs = metrics.MultiscaleNormalizedCrossCorrelation2d([None, 9], [0.5, 0.5])(first, second)
    torch.testing.assert_close(mncc(first, second), theirs, rtol=0, atol=2e-5)
    theirs = metrics.GradientNormalizedCrossCorrelation2d(patch_size=11, sigma=0)(first, second)
    torch.testing.assert_close(gradient_ncc(first, second), theirs, rtol=0, atol=2e-5)
