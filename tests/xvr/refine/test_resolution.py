"""Blurring is Gaussian and knows what is valid; voxels blur DRRs as said; small ones are left alone."""

from unittest import mock

import pytest
import torch
from support.registration import camera, moved, pose, shot, target_error, two_bones
from torch.nn import functional as F
from xraykit.render import Volume, render
from xraykit.render.geometry import project
from xraykit.xvr.refine import resolution
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.competition import Contenders
from xraykit.xvr.refine.motion import Motion
from xraykit.xvr.refine.objective_at import objectives_at
from xraykit.xvr.refine.registration import register_structures
from xraykit.xvr.refine.resolution import WIDEST, blurred, missing_blur
from xraykit.xvr.refine.structure import Structure


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


def cubes_of(volume: Volume, count: int) -> Volume:
    """The volume with the means of `count` voxels each way."""
    for axis in range(3):
        volume = in_slices(volume, count, axis)
    return volume


@pytest.mark.parametrize(
    "coarsely", [lambda v: in_slices(v, 4, 0), lambda v: in_slices(v, 4), lambda v: cubes_of(v, 3)]
)
def test_the_blurred_xray_is_what_large_voxels_show(volume, coarsely):
    lens, where, coarse = camera(128), pose(volume), coarsely(volume)
    fine, seen = (render(one, lens, where, samples=200)[0, 0].float() for one in (volume, coarse))
    covariance = missing_blur(coarse, lens, where, volume.center, 1.0)
    assert covariance is not None
    matched, kept = blurred(fine, torch.ones_like(fine, dtype=torch.bool), covariance)
    as_it_is, after = (float((seen - one)[kept].square().mean()) for one in (fine, matched))
    assert after < as_it_is / 4


def test_the_covariance_is_that_of_the_voxel_as_the_image_shows_it_less_the_pixel(volume):
    thick, lens, where = in_slices(volume, 4), camera(256), pose(volume, cra_cau=20.0)
    covariance = missing_blur(thick, lens, where, volume.center, 1.0)
    assert covariance is not None
    closed = -torch.eye(2, dtype=torch.float64) / 12
    for edge in thick.affine[:3, :3].T:
        first, last = project(torch.stack([volume.center - edge / 2, volume.center + edge / 2]), lens, where).uv[0]
        closed += torch.outer(last - first, last - first) / 4
    torch.testing.assert_close(covariance, closed, rtol=0.01, atol=0.01)


def test_a_shrunk_image_is_blurred_by_its_own_filter_too(volume):
    where, center = pose(volume), volume.center
    whole, half = (missing_blur(volume, camera(256), where, center, f) for f in (1.0, 0.5))
    assert whole is not None and half is not None
    torch.testing.assert_close(whole - half, (1 / 6 + 1 / 48 - 1 / 12) * torch.eye(2, dtype=torch.float64))


def test_a_shrunk_point_has_the_variance_that_is_taken_off():
    image = torch.zeros(1, 1, 64, 64)
    total = torch.zeros(16)
    for column in range(64):  # a point anywhere in a pixel
        image.zero_()[..., column] = 1.0
        small = F.interpolate(image, size=(16, 16), mode="bilinear", antialias=True, align_corners=False)[0, 0, 8]
        total += small * (torch.arange(16) + 0.5 - (column + 0.5) / 4).square()
    spread = float(total[4:12].mean()) / 4 * 4
    assert spread == pytest.approx(1 / 6, rel=0.1)


def test_small_voxels_and_large_pixels_are_left_alone(volume):
    where, center = pose(volume), volume.center
    small = volume.affine.clone()
    small[:3, :3] *= 0.2
    assert missing_blur(Volume(volume.mu, small), camera(256), where, center, 1.0) is None  # 0.6 mm, pixels of 0.9
    assert missing_blur(volume, camera(256), where, center, 1.0) is not None  # 3 mm
    thick = in_slices(volume, 4)
    assert missing_blur(thick, camera(16), where, center, 1.0) is None  # a pixel is 14 mm, a slice 12
    assert missing_blur(thick, camera(64), where, center, 1.0) is not None


def test_a_start_at_the_source_asks_for_no_endless_blur(volume):
    thick, lens = in_slices(volume, 4), camera(128)
    beside = pose(volume, sod=1.0)
    covariance = missing_blur(thick, lens, beside, volume.center, 1.0)
    assert covariance is None or float(covariance.trace()) <= (WIDEST * 128) ** 2 * 1.001


def test_a_picture_of_this_very_ct_is_compared_as_it_is_and_one_of_the_patient_at_its_resolution(volume):
    truth, coarse, settings = pose(volume), Structure.of(cubes_of(volume, 3)), RegistrationSettings()
    for rendered, place in ((coarse.volume, 0), (volume, 1)):
        motion = Motion.of(truth[None], coarse.pivot[None])
        choices = objectives_at(96, [shot(rendered, truth, camera(96))], [coarse], motion, settings)
        assert len(choices) == 2
        chosen, _ = Contenders.all_of(motion).most_alike(choices)
        assert chosen is choices[place]


def test_there_is_no_choice_where_voxels_are_small(volume):
    motion = Motion.of(pose(volume)[None], volume.center[None])
    seen = shot(volume, pose(volume), camera(48))
    assert len(objectives_at(48, [seen], [Structure.of(volume)], motion, RegistrationSettings())) == 1


@pytest.mark.parametrize("coarsely", [lambda v: in_slices(v, 4), lambda v: cubes_of(v, 3)])
def test_large_voxels_end_nearer_to_the_truth(volume, coarsely):
    truth, coarse = pose(volume), coarsely(volume)
    start, settings = moved(truth, volume.center, (2, -2, 2), (3, -6, 3)), RegistrationSettings(scales=(48, 96))
    seen = shot(volume, truth, camera(96))
    found = register_structures(seen, coarse, start, settings)
    with mock.patch.object(resolution, "missing_blur", return_value=None):
        without = register_structures(seen, coarse, start, settings)
    after, before = (target_error(one.poses[0], truth, volume) for one in (found, without))
    assert after < before / 2, (after, before)
