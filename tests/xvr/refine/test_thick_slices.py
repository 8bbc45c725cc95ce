"""Blurring is Gaussian and knows what is valid; thick slices blur DRRs as said; thin ones are left alone."""

from unittest import mock

import pytest
import torch
from support.registration import camera, moved, pose, shot, target_error, two_bones
from torch.nn import functional as F
from xraykit.render import Volume, render
from xraykit.render.geometry import project
from xraykit.xvr.refine import registration
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.registration import register_structures
from xraykit.xvr.refine.thick_slices import WIDEST, blurred, slice_blur


def in_slices(volume: Volume, count: int, axis: int = 2) -> Volume:
    """The volume with the means of `count` slices along i, j or k."""
    kernel = [1, 1, 1]
    kernel[2 - axis] = count
    affine = volume.affine.clone()
    affine[:3, 3] += affine[:3, axis] * (count - 1) / 2
    affine[:3, axis] *= count
    return Volume(F.avg_pool3d(volume.mu[None], kernel)[0], affine)


@pytest.fixture(scope="module")
def volume():
    return two_bones()


def test_a_point_becomes_a_gaussian_of_that_covariance():
    image, valid = torch.zeros(61, 81), torch.ones(61, 81, dtype=torch.bool)
    image[30, 40] = 2.0
    covariance = torch.tensor([[9.0, 3.0], [3.0, 4.0]])
    seen, _ = blurred(image, valid, covariance)
    y, x = torch.meshgrid(torch.arange(61.0) - 30, torch.arange(81.0) - 40, indexing="ij")
    places = torch.stack([x, y], dim=-1)
    closed = torch.exp(-(places @ torch.linalg.inv(covariance) * places).sum(-1) / 2)
    closed = 2 * closed / (2 * torch.pi * torch.linalg.det(covariance).sqrt())
    inner = (slice(15, -15), slice(15, -15))
    torch.testing.assert_close(seen[inner], closed[inner], rtol=0, atol=1e-4 * float(closed.max()))


def test_invalid_pixels_and_the_border_leave_no_trace():
    image, valid = torch.full((50, 50), 7.0), torch.ones(50, 50, dtype=torch.bool)
    valid[:, :12], image[:, :12] = False, 1e4
    seen, kept = blurred(image, valid, torch.tensor([[4.0, 0.0], [0.0, 0.0]]))
    torch.testing.assert_close(seen[kept], torch.full_like(seen[kept], 7.0))
    assert bool(kept[:, 16:46].all()) and not bool(kept[:, :14].any()) and not bool(kept[:, 48:].any())


def test_an_image_of_which_nothing_would_be_left_stays_as_it_is():
    image, valid = torch.rand(40, 40), torch.zeros(40, 40, dtype=torch.bool)
    valid[:, 20] = True
    seen, kept = blurred(image, valid, torch.tensor([[9.0, 0.0], [0.0, 0.0]]))
    assert seen is image and kept is valid


@pytest.mark.parametrize("axis", [0, 2])
def test_the_blurred_xray_is_what_thick_slices_show(volume, axis):
    lens, where, thick = camera(128), pose(volume), in_slices(volume, 4, axis)
    fine, coarse = (render(one, lens, where, samples=200)[0, 0].float() for one in (volume, thick))
    covariance = slice_blur(thick, lens, where, volume.center)
    assert covariance is not None
    seen, kept = blurred(fine, torch.ones_like(fine, dtype=torch.bool), covariance)
    as_it_is, matched = (float((coarse - one)[kept].square().mean()) for one in (fine, seen))
    assert matched < as_it_is / 4


def test_the_axis_is_that_which_the_image_shows(volume):
    thick, lens, where = in_slices(volume, 4), camera(256), pose(volume, cra_cau=20.0)
    covariance = slice_blur(thick, lens, where, volume.center)
    assert covariance is not None
    along = F.normalize(thick.affine[:3, 2], dim=0)
    uv = project(torch.stack([volume.center, volume.center + along]), lens, where).uv[0]
    step = uv[1] - uv[0]
    pixel = 300 / 256 * 0.75
    torch.testing.assert_close(
        covariance, (float(thick.spacing[2]) ** 2 - pixel**2) / 4 * torch.outer(step, step), rtol=0.01, atol=0.01
    )


def test_thin_slices_coarse_grids_and_large_pixels_are_left_alone(volume):
    where, center = pose(volume), volume.center
    thin = volume.affine.clone()
    thin[:3, :2] *= 0.2
    thin[:3, 2] *= 2.5 / 3.0
    assert slice_blur(Volume(volume.mu, thin), camera(512), where, center) is None  # 0.6 x 0.6 x 2.5 mm
    assert slice_blur(volume, camera(512), where, center) is None  # 3 mm each way
    thick = in_slices(volume, 4)
    assert slice_blur(thick, camera(16), where, center) is None  # a pixel is 14 mm, a slice 12
    assert slice_blur(thick, camera(32), where, center) is not None


def test_thin_slices_register_to_the_bit_as_without(volume):
    truth = pose(volume)
    start, settings = (
        moved(truth, volume.center, (2, 1, 0), (3, 3, 3)),
        RegistrationSettings(scales=(32,), iterations=4),
    )
    found = register_structures(shot(volume, truth), volume, start, settings)
    with mock.patch.object(registration, "slice_blur", return_value=None):
        without = register_structures(shot(volume, truth), volume, start, settings)
    assert torch.equal(found.poses, without.poses) and found.similarity == without.similarity


def test_a_start_at_the_source_asks_for_no_endless_blur(volume):
    thick, lens = in_slices(volume, 4), camera(128)
    beside = pose(volume, sod=1.0)
    covariance = slice_blur(thick, lens, beside, volume.center)
    assert covariance is None or float(covariance.trace()) <= (WIDEST * 128) ** 2 * 1.001


def test_thick_slices_end_nearer_to_the_truth(volume):
    truth, thick = pose(volume), in_slices(volume, 4)
    start, settings = moved(truth, volume.center, (2, -2, 2), (3, -6, 3)), RegistrationSettings(scales=(48, 96))
    seen = shot(volume, truth, camera(96))
    found = register_structures(seen, thick, start, settings)
    with mock.patch.object(registration, "slice_blur", return_value=None):
        without = register_structures(seen, thick, start, settings)
    after, before = (target_error(one.poses[0], truth, volume) for one in (found, without))
    assert after < before / 2, (after, before)
