"""Features tell right poses from wrong ones, and the predicted error is the one that a covariance causes."""

import math

import pytest
import torch
from support.registrations import CAMERA, lopsided, registration_at, shot_of, true_pose, twisted
from xraykit.render import Camera, InputError, Volume
from xraykit.render.geometry import rigid_matrix, se3_exp
from xraykit.xvr import true_tre
from xraykit.xvr.refine.pose_distance import misplacement
from xraykit.xvr.refine.structure import Structure, structure_of
from xraykit.xvr.trust.features import measure
from xraykit.xvr.trust.target_points import points_in_view, predicted_error, share_shown, target_points

VOLUME = lopsided()
BODY = Structure.of(VOLUME)
POSE = true_pose(VOLUME).double()


def features_at(pose, *, noise=0.0, structures=(BODY,), structure=0, **changes):
    shot = shot_of(VOLUME, POSE, noise=noise)
    found = registration_at(
        pose.expand(len(structures), 1, 4, 4),
        POSE,
        pivot=torch.stack([body.pivot for body in structures]),
        **changes,
    )
    return measure(found, (shot,), structures, structure=structure)


def test_parts_fit_at_the_right_pose_and_pull_away_at_wrong_ones():
    right = features_at(POSE, noise=0.05)
    for wrong in (twisted(POSE, shift=(15, 0, 10)), twisted(POSE, turn=(0, 0, 40)), twisted(POSE, turn=(30, 20, 0))):
        found = features_at(wrong, noise=0.05)
        assert found["local_shift"] > right["local_shift"] + 1
        assert found["local_gain"] > right["local_gain"] + 1
        assert found["gradient_ncc"] < right["gradient_ncc"]
    assert right["gradient_ncc"] > 0.8


def test_gain_and_offset_of_the_xray_change_nothing():
    shot = shot_of(VOLUME, POSE)
    found = registration_at(POSE[None], POSE, pivot=BODY.pivot[None])
    other = type(shot)(0.01 * shot.image - 5.0, CAMERA)
    before, after = (measure(found, (one,), (BODY,)) for one in (shot, other))
    assert after == pytest.approx(before, abs=0.15)


def test_coverage_is_the_share_of_compared_pixels_behind_the_anatomy():
    assert features_at(POSE)["coverage"] > 0.5
    assert features_at(twisted(POSE, shift=(300, 0, 0)))["coverage"] < 0.1


def test_points_shown_are_those_on_valid_pixels_in_front_of_the_source():
    camera = Camera(sdd=1000.0, height=10, width=20, pixel_spacing=1.0)
    across = torch.tensor([-9.5, -4.5, 4.5, 9.5, 10.5, 0.5], dtype=torch.float64) / 2
    depths = torch.tensor([500.0] * 5 + [-500.0], dtype=torch.float64)
    points = torch.stack([across, torch.zeros(6).double(), depths], dim=1)
    eye, left = torch.eye(4, dtype=torch.float64), torch.zeros(10, 20, dtype=torch.bool)
    left[:, :10] = True
    assert share_shown(points, camera, eye, None) == pytest.approx(4 / 6)
    assert share_shown(points, camera, eye, left) == pytest.approx(2 / 6)


def test_only_what_is_around_the_chosen_structure_counts():
    large, small = (Structure.of(structure_of(VOLUME, (label,))) for label in (1, 2))
    shot, pivot = shot_of(VOLUME, POSE), torch.stack([large.pivot, small.pivot])
    away = torch.stack([POSE, twisted(POSE, shift=(12, 0, 0))])  # the small one is lost
    before, after = (
        [
            measure(registration_at(poses, POSE, pivot=pivot), (shot,), (large, small), structure=k)["local_shift"]
            for k in (0, 1)
        ]
        for poses in (POSE.expand(2, 1, 4, 4), away)
    )
    assert after[1] > before[1] + 0.5
    assert after[1] - before[1] > after[0] - before[0]


def test_a_structure_that_is_lost_from_view_is_measured_without_a_word():
    found = features_at(twisted(POSE, shift=(2000, 0, 0)))
    assert (found["coverage"], found["gradient_ncc"]) == (0.0, 0.0)
    assert found["local_shift"] > 1


def test_predicted_error_of_pure_shifts_and_pure_turns():
    points = torch.tensor([[30.0, 0, 0], [0, -30.0, 0], [0, 30.0, 9.0]], dtype=torch.float64)
    pivot = torch.zeros(3, dtype=torch.float64)
    shift = torch.diag(torch.tensor([0, 0, 0, 1.0, 4.0, 4.0], dtype=torch.float64))
    assert float(predicted_error(shift, pivot, points)) == pytest.approx(3.0)
    turn = torch.diag(torch.tensor([0, 0, 0.01**2, 0, 0, 0], dtype=torch.float64))
    assert float(predicted_error(turn, pivot, points)) == pytest.approx(0.3)
    assert float(predicted_error(turn * math.inf, pivot, points)) == math.inf


def test_predicted_error_is_the_root_mean_square_of_drawn_errors():
    generator = torch.Generator().manual_seed(1)
    root = torch.randn(6, 6, dtype=torch.float64, generator=generator) * torch.tensor([[2e-4] * 3 + [0.3] * 3]).T
    covariance, pivot, points = root @ root.T, BODY.pivot, target_points(VOLUME, count=40)
    twists = torch.randn(4000, 6, dtype=torch.float64, generator=generator) @ root.T
    about = rigid_matrix(torch.eye(3, dtype=torch.float64), pivot)
    back = rigid_matrix(torch.eye(3, dtype=torch.float64), -pivot)
    poses = about @ se3_exp(torch.cat([twists[:, 3:], twists[:, :3]], dim=1)) @ back @ POSE
    placed = points @ poses[:, :3, :3] - (poses[:, :3, 3:].mT @ poses[:, :3, :3])
    true = points @ POSE[:, :3, :3] - (POSE[:, :3, 3:].mT @ POSE[:, :3, :3])
    rms = (placed - true).square().sum(-1).mean().sqrt()
    assert float(predicted_error(covariance, pivot, points)) == pytest.approx(float(rms), rel=0.05)


def test_misplacement_is_the_true_target_registration_error():
    other = twisted(POSE, (1, 2, 3), (4, 5, 6))
    points = target_points(VOLUME)
    expected = true_tre(other, POSE, fiducials=points)
    torch.testing.assert_close(misplacement(other, POSE, points), expected)


def test_target_points_lie_in_the_structure_and_in_view():
    small = structure_of(VOLUME, (2,))
    points = target_points(small, count=50)
    assert 10 < len(points) <= 50
    assert float((points - torch.tensor([-22.0, -10.0, -26.0], dtype=torch.float64)).norm(dim=1).max()) < 15
    grid = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 900.0]], dtype=torch.float64)
    assert points_in_view(grid, (CAMERA,), POSE).tolist() == [[0.0, 0.0, 0.0]]
    assert len(points_in_view(grid[1:], (CAMERA,), POSE)) == 1  # none in view: all of them
    with pytest.raises(InputError, match="must attenuate somewhere"):
        target_points(Volume(torch.zeros(3, 3, 3), torch.eye(4)))


def test_an_undetermined_pose_has_the_largest_expected_error():
    found = features_at(POSE, covariance=torch.full((1, 6, 6), math.inf, dtype=torch.float64))
    assert found["log_expected_error"] == pytest.approx(math.log(1000.0))
