"""Features tell right poses from wrong ones, and the predicted error is the one that a covariance causes."""

import math

import pytest
import torch
from support.registrations import CAMERA, lopsided, registration_at, shot_of, true_pose, twisted
from xraykit.render import InputError, Volume, rigid_matrix, se3_exp
from xraykit.xvr import true_tre
from xraykit.xvr.anatomy import Anatomy, structure_of
from xraykit.xvr.trust.features import measure
from xraykit.xvr.trust.probes import SHIFT, TURN, probes
from xraykit.xvr.trust.target_points import misplacement, points_in_view, predicted_error, target_points

VOLUME = lopsided()
BODY = Anatomy.of(VOLUME)
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


def test_the_right_pose_is_sharper_and_stands_out_more_than_wrong_ones():
    right = features_at(POSE, noise=0.05)
    for wrong in (twisted(POSE, shift=(25, 0, 20)), twisted(POSE, turn=(0, 0, 40)), twisted(POSE, turn=(30, 20, 0))):
        found = features_at(wrong, noise=0.05)
        assert found["sharpness"] < right["sharpness"] - 0.015
        assert found["prominence"] < right["prominence"] - 0.3
        assert found["gradient_ncc"] < right["gradient_ncc"]
    assert right["sharpness"] > 0.01
    assert right["gradient_ncc"] > 0.8


def test_gain_and_offset_of_the_xray_change_nothing():
    shot = shot_of(VOLUME, POSE)
    found = registration_at(POSE[None], POSE, pivot=BODY.pivot[None])
    other = type(shot)(0.01 * shot.image - 5.0, CAMERA)
    before, after = (measure(found, (one,), (BODY,)) for one in (shot, other))
    assert after == pytest.approx(before, abs=2e-3)


def test_coverage_is_the_share_of_compared_pixels_behind_the_anatomy():
    assert features_at(POSE)["coverage"] > 0.5
    assert features_at(twisted(POSE, shift=(300, 0, 0)))["coverage"] < 0.1


def test_only_the_chosen_structure_is_probed():
    large, small = (Anatomy.of(structure_of(VOLUME, (label,))) for label in (1, 2))
    both = [features_at(POSE, structures=(large, small), structure=k) for k in (0, 1)]
    assert both[0] != both[1]
    near, far = probes(POSE.expand(2, 1, 4, 4), torch.stack([large.pivot, small.pivot]), 1)
    for poses in (near, far):
        assert torch.equal(poses[:, 0], POSE.expand(12, 1, 4, 4))
        assert bool((poses[:, 1] != POSE).flatten(1).any(1).all())


def test_near_probes_shift_the_pivot_by_the_stated_length_and_turn_about_it():
    near, far = probes(POSE[None], BODY.pivot[None], 0)
    at = misplacement(near[:, 0, 0], POSE[0], BODY.pivot[None])
    expected = 2 * [0, 0, 0, SHIFT, SHIFT, 4 * SHIFT]
    torch.testing.assert_close(at, torch.tensor(expected, dtype=torch.float64), atol=1e-6, rtol=0)
    relative = POSE[0, :3, :3].T @ near[:3, 0, 0, :3, :3]
    trace = relative.diagonal(dim1=1, dim2=2).sum(1)
    torch.testing.assert_close(torch.rad2deg(torch.acos((trace - 1) / 2)), torch.full((3,), TURN, dtype=torch.float64))
    again = probes(POSE[None], BODY.pivot[None], 0)[1]
    assert torch.equal(far, again)


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
