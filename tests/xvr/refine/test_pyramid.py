"""Coarser X-rays and volumes stay where they are; windows hold what projects."""

from dataclasses import replace

import torch
from support.registration import camera, pose, shot, two_bones
from xraykit.render import Volume, render
from xraykit.render.geometry import project
from xraykit.xvr.refine.pyramid import (
    SPAN,
    blocks_within,
    footprint,
    samples_through,
    scales_showing,
    shrunk_shot,
    shrunk_volume,
)
from xraykit.xvr.refine.structure import Structure, centre_of_mass, structure_of
from xraykit.xvr.refine.window import Window, anatomy_window, trimmed
from xraykit.xvr.xray.shot import Shot


def test_a_shrunken_shot_is_what_the_smaller_camera_sees():
    volume = two_bones()
    fine = shot(volume, pose(volume), camera(128), gain=1.0)
    image, valid, small = shrunk_shot(fine, 32)
    seen = render(volume, small, pose(volume), samples=150)[0, 0] - 0.7
    assert image.shape == (32, 32) and bool(valid.all()) and small.pixel_spacing == (300 / 32, 300 / 32)
    assert float((image - seen).abs().mean()) < 0.01 * float(seen.max() - seen.min())
    assert float(torch.corrcoef(torch.stack([image.flatten(), seen.flatten()]))[0, 1]) > 0.998


def test_oblong_shots_keep_their_shape_and_small_ones_their_size():
    lens = replace(camera(64), height=48)
    still = Shot(torch.rand(48, 64), lens)
    image, _, small = shrunk_shot(still, 32)
    assert image.shape == (24, 32) and (small.height, small.width) == (24, 32)
    assert shrunk_shot(still, 500)[0] is not None and shrunk_shot(still, 500)[2] is lens


def test_a_pixel_stays_valid_only_if_all_that_went_into_it_was():
    valid = torch.ones(64, 64, dtype=torch.bool)
    valid[:, 32:] = False
    picture = torch.rand(64, 64)
    picture[:, 32:] = 99.0
    image, kept, _ = shrunk_shot(Shot(picture, camera(64), valid), 16)
    assert bool(kept[:, :7].all()) and not bool(kept[:, 8:].any())
    assert float(image.max()) < 1.01


def test_averaged_voxels_keep_mass_and_place():
    volume = two_bones()
    assert blocks_within(volume, 2.0) == (1, 1, 1) and blocks_within(volume, 9.5) == (3, 3, 3)
    coarse = shrunk_volume(volume, (2, 3, 1))
    assert coarse.shape == (40, 14, 20)
    torch.testing.assert_close(centre_of_mass(coarse), centre_of_mass(volume), rtol=0, atol=0.02)
    mass = [
        float((v.mu.double() * v.mu_scale).sum() * torch.linalg.det(v.affine[:3, :3]).abs()) for v in (volume, coarse)
    ]
    assert abs(mass[1] / mass[0] - 1) < 1e-3


def test_anatomy_prepares_each_size_once():
    body = Structure.of(two_bones())
    assert body.with_voxels(6.5) is body.with_voxels(7.9)
    assert body.with_voxels(6.5) is not body.with_voxels(3.0)
    assert body.with_voxels(3.0).mu.dtype == torch.int16


def test_negative_attenuation_is_kept_as_floating_point():
    volume = two_bones()
    assert shrunk_volume(volume.with_mu(volume.mu - 0.001), (1, 1, 1)).mu.dtype == torch.float32


def test_trimming_moves_nothing():
    volume = structure_of(two_bones(), [2])
    small = trimmed(volume)
    assert small.mu.numel() < volume.mu.numel() / 3
    a, b = (render(v, camera(), pose(volume), samples=400, backend="torch") for v in (volume, small))
    assert float((a - b).abs().max()) < 0.01 * float(a.max())


def test_the_window_holds_every_corner_and_shrinks_the_image():
    volume = trimmed(structure_of(two_bones(), [1]))
    where = pose(two_bones())
    window = anatomy_window([volume], camera(), where[:, None])
    assert window.height < 50
    lens = window.camera(camera())
    points = (volume.mu > 0.01).nonzero().flip(1).double() @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    assert bool(project(points, lens, where).visible.all())
    assert torch.equal(
        window.of(torch.arange(64 * 64).reshape(64, 64)).flatten()[:1], torch.tensor([window.top * 64 + window.left])
    )


def test_a_structure_outside_the_image_gets_the_nearest_window():
    volume = trimmed(structure_of(two_bones(), [1]))
    aside = pose(two_bones())
    aside[0, :3, 3] += 400 * aside[0, :3, 0]
    window = anatomy_window([volume], camera(), aside[:, None])
    assert window.width == 24 and window.left in (0, 40)


def test_a_source_inside_the_volume_takes_the_whole_image():
    volume = two_bones()
    inside = pose(volume, sod=10.0)
    assert anatomy_window([volume], camera(), inside[:, None]) == Window(0, 0, 64, 64)


def test_footprint_and_samples():
    volume = two_bones()
    assert abs(footprint(camera(), pose(volume, sod=750.0), volume.center) - 300 / 64 * 0.75) < 1e-6
    assert samples_through(volume) == 64
    assert samples_through(Volume(torch.ones(200, 100, 100), torch.eye(4))) == 172


def test_scales_show_the_smallest_body_and_end_at_the_image():
    volume = two_bones()
    small = Volume(volume.mu[:8, :8, :8], volume.affine)
    poses = pose(volume).expand(2, 4, 4)
    coarse, middle, fine = scales_showing(camera(4096), poses, [volume, small])
    seen = 8 * float(small.spacing.max()) / footprint(camera(4096), poses[0], small.center) * coarse / 4096
    assert SPAN <= seen < 1.1 * SPAN
    assert (middle, fine) == (2 * coarse, 4 * coarse)
    assert scales_showing(camera(40), poses, [volume, small]) == (40,)
