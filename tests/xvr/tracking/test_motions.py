"""Joint coordinates, screws, prediction and smoothing are those of motions that were put together by hand."""

import math

import pytest
import torch
from xraykit.render import InputError
from xraykit.render.geometry import geodesic_distance, rigid_inverse, rigid_matrix, rotation_about, se3_exp
from xraykit.xvr.tracking import BoneAxes, finite_screw, joint_coordinates, predicted, smoothed_poses

ORIGIN = torch.zeros(3, dtype=torch.float64)


def turn(axis, degrees, shift=(0.0, 0.0, 0.0)):
    angle = torch.tensor(math.radians(degrees), dtype=torch.float64)
    return rigid_matrix(rotation_about(axis, angle), torch.tensor(shift, dtype=torch.float64))


def knee(flexion, adduction, rotation, shift=(0.0, 0.0, 0.0), *, side="right"):
    """Femur and tibia of a joint that is bent about the femur's x, then the floating y, then the tibia's z."""
    sign = 1 if side == "right" else -1
    femur = turn("Z", 33.0, (5.0, 6.0, 7.0)) @ turn("X", 20.0)
    joint = turn("X", -flexion) @ turn("Y", sign * adduction) @ turn("Z", sign * rotation)
    return femur[None], (femur @ turn("X", 0.0, shift) @ joint)[None]


@pytest.mark.parametrize("side", ["left", "right"])
def test_angles_of_a_linkage_come_back(side):
    found = joint_coordinates(*knee(70.0, 4.0, -12.0, side=side), side)
    angles = [float(value) for value in (found.flexion, found.adduction, found.internal_rotation)]
    assert angles == pytest.approx([70.0, 4.0, -12.0], abs=1e-9)


def test_names_are_the_clinical_ones():
    """Of a right knee (x away from the middle): what is bent, adducted and turned inwards is seen to be so."""
    femur, flexed = knee(40.0, 0.0, 0.0)
    femur_axes = femur[0, :3, :3]
    assert float(-flexed[0, :3, 2] @ femur_axes[:, 1]) < 0  # the foot goes back
    _, adducted = knee(0.0, 10.0, 0.0)
    assert float(-adducted[0, :3, 2] @ femur_axes[:, 0]) < 0  # the foot goes to the middle
    _, turned = knee(0.0, 0.0, 10.0)
    assert float(turned[0, :3, 1] @ femur_axes[:, 0]) < 0  # the front goes to the middle


@pytest.mark.parametrize("side, sign", [("right", 1), ("left", -1)])
def test_shifts_of_a_straight_knee_are_along_the_body(side, sign):
    found = joint_coordinates(*knee(0.0, 0.0, 0.0, (3.0, 2.0, -9.0), side=side), side)
    shifts = [float(value) for value in (found.lateral, found.anterior, found.distraction)]
    assert shifts == pytest.approx([3.0 * sign, 2.0, 9.0], abs=1e-9)


def test_a_pose_of_the_world_changes_no_joint_coordinate():
    femur, tibia = knee(55.0, -3.0, 8.0, (1.0, 2.0, -3.0))
    world = turn("Y", 77.0, (100.0, -3.0, 9.0))
    for a, b in zip(vars(joint_coordinates(femur, tibia, "left")).values(),
                    vars(joint_coordinates(world @ femur, world @ tibia, "left")).values(), strict=True):  # fmt: skip
        torch.testing.assert_close(a, b)


def test_axes_are_squared_to_the_one_that_is_kept():
    axes = BoneAxes("femur", right=(2.0, 0.0, 0.4), proximal=(0.0, 0.0, 3.0), origin=(1.0, 2.0, 3.0))
    kept = axes.frame("proximal")
    torch.testing.assert_close(kept[:3, :3], torch.eye(3, dtype=torch.float64))
    assert kept[:3, 3].tolist() == [1.0, 2.0, 3.0]
    right = axes.frame("right")[:3, 0]
    torch.testing.assert_close(right, torch.tensor([2.0, 0.0, 0.4], dtype=torch.float64) / math.hypot(2.0, 0.4))


def test_parallel_axes_and_unknown_sides_are_refused():
    with pytest.raises(InputError, match="femur: right and proximal must be two directions"):
        BoneAxes("femur", right=(1.0, 0.0, 0.0), proximal=(2.0, 0.0, 0.0))
    with pytest.raises(InputError, match="the side of a knee must be left or right, got 'both'"):
        joint_coordinates(*knee(0, 0, 0), "both")


def test_a_screw_about_a_known_axis_is_found():
    through = torch.tensor([10.0, -20.0, 3.0], dtype=torch.float64)
    motion = turn("X", 0.0, through.tolist()) @ turn("Z", 25.0, (0.0, 0.0, 4.0)) @ turn("X", 0.0, (-through).tolist())
    near = torch.tensor([0.0, 0.0, 50.0], dtype=torch.float64)
    found = finite_screw(motion[None], near)
    assert (float(found.turn), float(found.shift)) == pytest.approx((25.0, 4.0))
    torch.testing.assert_close(found.axis[0], torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(found.point[0], torch.tensor([10.0, -20.0, 50.0], dtype=torch.float64))


def test_a_motion_that_hardly_turns_has_no_axis():
    found = finite_screw(turn("Z", 0.5, (3.0, 4.0, 0.0))[None], ORIGIN)
    assert bool(found.axis.isnan().all()) and float(found.shift) == pytest.approx(5.0)


def screw(time):
    """Body to camera on a path of constant velocity."""
    velocity = torch.tensor([1.0, -2.0, 0.5, 0.02, 0.01, -0.03], dtype=torch.float64)
    start = turn("Y", 40.0, (3.0, 8.0, 700.0))
    return se3_exp(velocity * time) @ start


def test_constant_velocity_is_continued_and_the_last_pose_offered():
    first, second = (rigid_inverse(screw(t)) for t in (0.0, 1.0))
    starts = predicted([first, second], [0.0, 1.0], 2.5)
    torch.testing.assert_close(rigid_inverse(starts[0]), screw(2.5))
    torch.testing.assert_close(starts[1], second)
    assert len(predicted([first], [0.0], 1.0)) == 1


def test_a_velocity_is_not_carried_on_for_ever():
    poses = [rigid_inverse(screw(t)) for t in (0.0, 1.0)]
    torch.testing.assert_close(rigid_inverse(predicted(poses, [0.0, 1.0], 50.0)[0]), screw(3.0))


def test_smoothing_takes_noise_and_outliers_out_and_leaves_lost_frames():
    generator = torch.Generator().manual_seed(0)
    times = torch.arange(31).double()
    true = torch.stack([screw(float(t)) for t in times])
    size = torch.tensor([0.5, 0.5, 0.5, 0.01, 0.01, 0.01], dtype=torch.float64)
    noise = size * torch.randn(31, 6, generator=generator, dtype=torch.float64)
    noise[12, :3] += 40.0
    poses = true @ se3_exp(noise)
    poses[20] = torch.nan
    smooth = smoothed_poses(poses, times, width=6.0, pivot=ORIGIN, radius=40.0)
    assert bool(smooth[20].isnan().all())
    known = [t for t in range(31) if t not in (12, 20)]
    raw, left = (torch.stack(geodesic_distance(some[known], true[known])).mean(1) for some in (poses, smooth))
    assert bool((left < 0.75 * raw).all())
    assert float(geodesic_distance(smooth[12], true[12])[1]) < 1.0


def test_smoothing_keeps_a_path_of_constant_velocity():
    times = torch.tensor([0.0, 1.0, 2.0, 4.0, 7.0], dtype=torch.float64)
    true = torch.stack([screw(float(t)) for t in times])
    torch.testing.assert_close(smoothed_poses(true, times, width=3.5, pivot=ORIGIN, radius=40.0), true)
    with pytest.raises(InputError, match="width of smoothing must be positive"):
        smoothed_poses(true, times, width=0.0, pivot=ORIGIN, radius=1.0)
