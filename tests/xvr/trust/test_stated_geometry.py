"""Stated geometry is freed at the end: what agrees with the X-rays is left alone, what contradicts them is said."""

from dataclasses import replace

import pytest
import torch
from support.registration import camera, moved, pose, shot, target_error, two_bones
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.freed_sdd import freed_sdd
from xraykit.xvr.refine.freeing import deviation, twist_between
from xraykit.xvr.refine.registration import register_structures
from xraykit.xvr.refine.structure import Structure
from xraykit.xvr.refine.surroundings import first_structures
from xraykit.xvr.trust.judge_registration import judge
from xraykit.xvr.trust.stated_geometry import DEPTH_FLOOR, check_geometry, with_depth_floor

SETTINGS = RegistrationSettings(scales=(32, 64))
SEED = torch.Generator().manual_seed(1)


@pytest.fixture(scope="module")
def scene():
    volume = two_bones()
    truth = torch.cat([pose(volume), pose(volume, lao_rao=85.0, cra_cau=-3.0)])
    shots = [replace(shot(volume, one[None], noise=0.005), name=name) for one, name in zip(truth, "ab", strict=True)]
    return volume, Structure.of(volume), truth, shots


def test_views_in_their_right_places_keep_one_motion(scene):
    _, body, truth, shots = scene
    found = register_structures(shots, body, truth[None], SETTINGS)
    checked = check_geometry(found, shots, (body,), SETTINGS)
    assert checked.registration is found
    assert (checked.doubts, checked.shift) == ((), 0.0)


def test_a_view_in_a_wrong_place_is_named_and_every_view_gets_its_own_pose(scene):
    volume, body, truth, shots = scene
    wrong = torch.cat([truth[:1], moved(truth[1:], volume.center, (1.5, -1.0, 1.5), (2.0, 0, 3.0))])
    found = register_structures(shots, body, wrong[None], SETTINGS)
    checked = check_geometry(found, shots, (body,), SETTINGS)
    joint, freed = (
        [target_error(one.poses[0, v], truth[v], volume) for v in range(2)] for one in (found, checked.registration)
    )
    assert sum(joint) > 2.0, joint
    assert sum(freed) < sum(joint) / 2, (freed, joint)
    assert checked.doubts and all("not exact" in doubt and "degrees" in doubt for doubt in checked.doubts)
    assert checked.doubts[0].startswith("a: by itself it moves by")
    assert not torch.equal(checked.registration.covariance, found.covariance)


def test_views_that_were_freed_each_have_their_own_expected_error(scene):
    volume, body, truth, shots = scene
    wrong = torch.cat([truth[:1], moved(truth[1:], volume.center, (1.5, -1.0, 1.5), (2.0, 0, 3.0))])
    dim = replace(shots[1], image=shots[1].image + 0.2 * torch.randn(shots[1].image.shape, generator=SEED))
    found = register_structures([shots[0], dim], body, wrong[None], SETTINGS)
    freed = check_geometry(found, [shots[0], dim], (body,), SETTINGS).registration
    assert freed.view_covariance.shape == (2, 1, 6, 6)
    trust = judge(freed, [shots[0], dim], [volume])
    clear, noisy = trust.view_errors
    assert noisy > 1.2 * clear
    assert torch.equal(freed.covariance, freed.view_covariance[1]) and trust.expected_error >= noisy * 0.9
    assert judge(found, [shots[0], dim], [volume]).view_errors == ()
    kept = first_structures(freed, 1)
    assert torch.equal(kept.view_covariance, freed.view_covariance)


def test_an_sdd_that_contradicts_the_xray_is_said_with_what_it_should_be(scene):
    _, body, truth, shots = scene
    claimed = [replace(one, camera=replace(camera(), sdd=1060.0)) for one in shots]
    found = register_structures(claimed, body, truth[None], SETTINGS)
    checked = check_geometry(found, claimed, (body,), SETTINGS)
    right = check_geometry(register_structures(shots, body, truth[None], SETTINGS), shots, (body,), SETTINGS)
    assert right.doubts == ()
    (doubt,) = checked.doubts
    said = float(doubt.split("sdd ")[1].split(" mm")[0])
    assert abs(said - 1000) < 25
    assert "1060 mm that were stated" in doubt and "--pixel-spacing" in doubt
    assert checked.shift > 0.3
    assert checked.registration is found


def test_an_sdd_a_few_percent_off_is_said_of_one_view(scene):
    _, body, truth, shots = scene
    claimed = replace(shots[0], camera=replace(camera(), sdd=1035.0))
    found = register_structures(claimed, body, truth[None, :1], SETTINGS)
    checked = check_geometry(found, (claimed,), (body,), SETTINGS)
    (doubt,) = checked.doubts
    assert abs(float(doubt.split("sdd ")[1].split(" mm")[0]) - 1000) < 15
    assert checked.shift > 10.0


def test_tissue_that_no_ct_shows_does_not_move_the_sdd():
    """Greys that it bends would move it by 62 mm, edges do not."""
    volume = two_bones()
    truth = pose(volume, lao_rao=60.0)
    plain = shot(volume, truth, noise=0.002)
    down = torch.linspace(0, 4, 64)[:, None]
    seen = replace(plain, image=plain.image + 3.0 * torch.exp(-down.square() / 2))
    body = (Structure.of(volume),)
    freed = freed_sdd(register_structures(seen, body, truth, SETTINGS), (seen,), body, SETTINGS)
    assert abs(freed.cameras[0].sdd_mm - 1000) < 12


def test_an_sdd_that_was_refined_is_not_freed_once_more(scene):
    _, body, truth, shots = scene
    claimed = replace(shots[0], camera=replace(camera(), sdd=1060.0))
    settings = replace(SETTINGS, intrinsics=("sdd",))
    found = register_structures(claimed, body, truth[None, :1], settings)
    assert check_geometry(found, (claimed,), (body,), settings).doubts == ()
    assert found.lens_covariance.shape == (1, 1) and float(found.lens_covariance) > 0


def test_a_twist_about_a_pivot_is_found_again():
    volume = two_bones()
    before, pivot = pose(volume), volume.center
    after = moved(before, pivot, (2.0, -1.0, 0.5), (3.0, 4.0, -5.0))
    twist = twist_between(before, after, pivot[None])[0]
    expected = torch.cat([torch.deg2rad(torch.tensor([2.0, -1.0, 0.5])), torch.tensor([3.0, 4.0, -5.0])])
    torch.testing.assert_close(twist, expected.double())


def test_a_deviation_counts_standard_deviations_and_none_where_nothing_is_known():
    spread = torch.tensor([0.01, 0.02, 0.03, 1.0, 2.0, 3.0], dtype=torch.float64)
    assert deviation(3 * spread, torch.diag(spread**2)) == pytest.approx(3.0)
    assert deviation(spread, torch.full((6, 6), torch.nan)) == 0.0


def test_the_floor_is_a_thousandth_of_the_distance_along_the_beam_alone():
    volume = two_bones()
    view, pivot = pose(volume).double(), volume.center[None].double()
    spread = torch.diag(torch.tensor([1e-3, 2e-3, 3e-3, 0.1, 0.2, 0.3], dtype=torch.float64).square())[None]
    added = (with_depth_floor(spread, view, pivot) - spread)[0]
    beam, distance = view[0, :3, 2], float((volume.center - view[0, :3, 3]).norm())
    assert float(added[:3].abs().max()) < 1e-12 and float(added[3:, :3].abs().max()) < 1e-12
    assert float(beam @ added[3:, 3:] @ beam) == pytest.approx((DEPTH_FLOOR * distance) ** 2)
    assert float(added.trace()) == pytest.approx((DEPTH_FLOOR * distance) ** 2)


@pytest.mark.parametrize(
    ("along", "across", "said"), [(2.0, 0.0, False), (6.0, 0.0, False), (9.0, 0.0, True), (0.0, 2.0, True)]
)
def test_a_view_alone_may_lie_a_little_deeper_than_noise_says(scene, monkeypatch, along, across, said):
    """The patient is 750 mm away; noise would have both depth and place known to 0.1 mm."""
    found, alone, settings = second_moved(scene, along, across)
    _, body, _, shots = scene
    monkeypatch.setattr("xraykit.xvr.trust.stated_geometry.freed_views", lambda *_: alone)
    settings = replace(settings, intrinsics=("sdd",))
    assert bool(check_geometry(found, shots, (body,), settings).doubts) == said


@pytest.mark.parametrize(("sdd", "said"), [(1001.0, "b: by itself it moves"), (1060.0, "with sdd 1060 mm")])
def test_an_sdd_is_the_reason_only_where_it_moves_by_more_than_it_may(scene, monkeypatch, sdd, said):
    """Free, it gains most of what free places gain either way."""
    found, alone, settings = second_moved(scene, 0.0, 4.0)
    _, body, _, shots = scene
    cameras = tuple(replace(one, sdd=sdd) for one in found.cameras)
    freed = replace(found, cameras=cameras, poses=alone[1].poses.expand_as(found.poses), lens_covariance=torch.eye(1))
    for name, value in (("freed_views", alone), ("freed_sdd", freed), ("similarities", torch.tensor([0.5, 0.6, 0.58]))):
        monkeypatch.setattr(f"xraykit.xvr.trust.stated_geometry.{name}", lambda *_, value=value: value)
    (doubt, *_) = check_geometry(found, shots, (body,), settings).doubts
    assert said in doubt


def second_moved(scene, along, across):
    """A right answer, and each view alone: the second has moved along and across its beam [mm], known to 0.1 mm."""
    volume, body, truth, shots = scene
    one = replace(SETTINGS, scales=(32,), iterations=1)
    found = replace(register_structures(shots, body, truth[None], one), poses=truth[None].double())
    known = torch.diag(torch.tensor([1e-3] * 3 + [0.1] * 3, dtype=torch.float64).square())[None]
    shift = along * truth[1, :3, 2] + across * truth[1, :3, 0]
    moves = (torch.zeros(3), shift)
    alone = tuple(
        replace(found, poses=moved(truth[v : v + 1], volume.center, (0, 0, 0), tuple(by.tolist()))[None].double(),
                cameras=found.cameras[v : v + 1], covariance=known)
        for v, by in enumerate(moves)
    )  # fmt: skip
    return found, alone, one
