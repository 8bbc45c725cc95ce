"""A network sees images as in its training: standardised, equalised, averaged down, normalised."""

import pytest
import torch
from support.pose_networks import CONFIG
from xraykit.render import InputError
from xraykit.xvr import NetworkFrame
from xraykit.xvr.network import network_input
from xraykit.xvr.network.preprocess import equalize


def frame(**options):
    return NetworkFrame(**({"sdd": CONFIG["sdd"], "height": 8, "delx": 4.0} | options))


def images(batch=2, size=8, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    scale = torch.tensor([1.0, 5.0, 0.2])[:batch, None, None, None]
    return (scale * torch.rand(batch, 1, size, size, generator=generator) + 3.0).to(dtype)


def test_each_image_is_standardised_by_itself_and_normalised():
    x = images()
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    expected = ((x - low) / (high - low + 1e-6) - 0.15) / 0.1
    torch.testing.assert_close(network_input(x, frame()), expected)


def test_batch_standardisation_is_the_published_one():
    x = images()
    expected = ((x - x.min()) / (x.max() - x.min() + 1e-6) - 0.15) / 0.1
    torch.testing.assert_close(network_input(x, frame(), standardization="batch"), expected)
    assert float((network_input(x, frame()) - expected).abs().max()) > 1.0


def test_gain_and_offset_do_not_change_what_the_network_sees():
    x = images()
    torch.testing.assert_close(network_input(7 * x - 100, frame()), network_input(x, frame()), atol=1e-4, rtol=0)


def test_mirrored_frames_see_the_image_flipped_left_to_right():
    mirrored = frame(reverse_x_axis=False)
    torch.testing.assert_close(network_input(images(), mirrored), network_input(images(), frame()).flip(-1))


def test_resizing_averages_as_torchvision_does():
    transforms = pytest.importorskip("torchvision.transforms", reason="comes with timm")
    x = images(size=41, dtype=torch.float32)
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    expected = (transforms.Resize((8, 8), antialias=True)((x - low) / (high - low + 1e-6)) - 0.3) / 0.2
    torch.testing.assert_close(network_input(x, frame(mean=0.3, std=0.2)), expected, atol=1e-5, rtol=0)


def test_equalisation_is_the_published_sum_over_all_pixels_and_bins():
    x = images(batch=2, size=40, seed=1)
    x = ((x - x.amin((2, 3), keepdim=True)) / (x.amax((2, 3), keepdim=True) - x.amin((2, 3), keepdim=True))) ** 3
    bins = torch.linspace(0, 1, 256, dtype=torch.float64)
    weights = torch.exp(-((x.flatten(1)[..., None] - bins) ** 2) / (2 * 0.01**2))
    histogram = weights.sum(1)
    cumulative = (histogram / histogram.sum(1, keepdim=True)).cumsum(1)
    curve = (cumulative - cumulative[:, :1]) / (1 - cumulative[:, :1])
    expected = (weights / weights.sum(-1, keepdim=True) * curve[:, None]).sum(-1).reshape(x.shape)
    torch.testing.assert_close(equalize(x), expected, atol=1e-4, rtol=0)
    assert float((expected - x).abs().max()) > 0.3


def test_equalised_images_are_flat_in_distribution_and_keep_the_order():
    x = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(2)) ** 2
    y = equalize(x).flatten()
    assert bool((y[x.flatten().argsort()].diff() >= -1e-5).all())
    torch.testing.assert_close(
        y.quantile(torch.tensor([0.25, 0.5, 0.75])), torch.tensor([0.25, 0.5, 0.75]), atol=0.1, rtol=0
    )


def test_gradients_reach_the_image_also_through_the_equalisation():
    x = torch.linspace(0.03, 0.97, 16, dtype=torch.float64).reshape(1, 1, 4, 4).requires_grad_()
    assert torch.autograd.gradcheck(equalize, x, eps=1e-7, atol=1e-5)
    network_input(images().requires_grad_(), frame(equalize=True, height=4)).square().sum().backward()


def test_equalisation_needs_far_less_than_a_number_per_pixel_and_bin():
    x = torch.rand(1, 1, 1024, 1024, generator=torch.Generator().manual_seed(0))
    with torch.profiler.profile(profile_memory=True, activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        equalize(x)
    largest = max(event.cpu_memory_usage for event in profile.events())
    assert 0 < largest < 16 * 4 * x.numel()  # the sum written out takes 256 numbers per pixel


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(1, 1, 8, 9), "images must be floating point.*canonical_image"),
        (torch.zeros(1, 3, 8, 8), "images must be floating point"),
        (torch.zeros(1, 1, 8, 8, dtype=torch.uint8), "images must be floating point.*uint8"),
        (torch.full((1, 1, 8, 8), torch.nan), "images must be finite"),
    ],
)
def test_what_is_no_image_is_refused(x, message):
    with pytest.raises(InputError, match=message):
        network_input(x, frame())


def test_an_unknown_standardisation_is_refused():
    with pytest.raises(InputError, match="standardization must be 'image' or 'batch'"):
        network_input(images(), frame(), standardization="volume")
