"""The loss: distances in closed form, and labels that really pull at the pose."""

import math

import pytest
import torch
from support.training import small_patient
from xraykit.render import Camera, carm_pose
from xraykit.render.geometry import rigid_matrix, rotation_about, se3_exp
from xraykit.xvr.evaluate import dgeo
from xraykit.xvr.train.loss import double_geodesic, image_loss, masked_mean, soft_dice, soft_mask
from xraykit.xvr.train.rendered_patient import prepare
from xraykit.xvr.train.rendered_views import line_integrals, organ_lengths

CENTER = torch.tensor([12.0, 12.0, 340.0], dtype=torch.float64)
POSE = carm_pose(lao_rao=170.0, cra_cau=10.0, sod=700.0, isocenter=CENTER).double()


def about_center(motion):
    shift = torch.eye(4, dtype=torch.float64)
    shift[:3, 3] = CENTER
    return shift @ motion @ torch.linalg.inv(shift)


def test_a_shift_counts_in_millimetres_and_a_turn_about_the_isocentre_by_half_the_source_distance():
    shift = rigid_matrix(torch.eye(3, dtype=torch.float64), torch.tensor([3.0, 0.0, 4.0], dtype=torch.float64))
    turn = rigid_matrix(rotation_about("Y", torch.tensor(0.1, dtype=torch.float64)), torch.zeros(3).double())
    poses = torch.cat([shift @ POSE, about_center(turn) @ POSE])
    distance = double_geodesic(poses, POSE.expand(2, 4, 4), isocenter=CENTER, sdd=1000.0)
    torch.testing.assert_close(distance, torch.tensor([5.0, 50.0], dtype=torch.float64), atol=1e-6, rtol=0)


def test_it_is_the_evaluation_s_double_geodesic():
    other = POSE @ se3_exp(torch.tensor([[20.0, -7.0, 40.0, 0.2, -0.1, 0.3]], dtype=torch.float64))
    found = double_geodesic(other, POSE, isocenter=CENTER, sdd=1020.0)
    torch.testing.assert_close(found, dgeo(other, POSE, sdd=1020.0, center=CENTER), atol=1e-6, rtol=0)


def test_its_gradient_is_right_and_finite_at_the_truth():
    twist = torch.tensor([[2.0, -1.0, 3.0, 0.1, 0.05, -0.2]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda t: double_geodesic(POSE @ se3_exp(t), POSE, isocenter=CENTER, sdd=1020.0), twist
    )
    zero = torch.zeros(1, 6, dtype=torch.float64, requires_grad=True)
    double_geodesic(POSE @ se3_exp(zero), POSE, isocenter=CENTER, sdd=1020.0).sum().backward()
    assert bool(torch.isfinite(zero.grad).all())


def test_dice_of_equal_masks_is_0_of_apart_ones_1_and_absent_labels_do_not_count():
    one = torch.zeros(1, 3, 4, 4)
    one[0, 0, :2], one[0, 1, 2:] = 1.0, 0.5
    apart = one.flip(2)
    torch.testing.assert_close(soft_dice(one, one), torch.tensor([0.0]))
    torch.testing.assert_close(soft_dice(one, apart), torch.tensor([1.0]))
    assert float(soft_dice(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 4, 4))) == 0.0
    assert float(soft_mask(torch.tensor(2.0))) == pytest.approx(1 - math.exp(-1))


def test_dice_pulls_at_the_pose_as_finite_differences_say():
    patient = prepare(small_patient(), voxel=12.0)
    camera = Camera(sdd=1020.0, height=24, width=24, pixel_spacing=14.0)
    pose = carm_pose(lao_rao=180.0, sod=700.0, isocenter=patient.grid.center).double()
    target = soft_mask(organ_lengths(patient, camera, pose))

    def loss(twist):
        return soft_dice(target, soft_mask(organ_lengths(patient, camera, pose @ se3_exp(twist)))).sum()

    twist = torch.tensor([[6.0, -4.0, 10.0, 0.03, 0.02, 0.05]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(twist), twist)
    steps = torch.tensor([0.2, 0.2, 2.0, 5e-4, 5e-4, 5e-4], dtype=torch.float64).diag()
    numeric = torch.stack([(loss(twist + s) - loss(twist - s)) / (2 * s.norm()) for s in steps]).detach()
    assert float(gradient.abs().min()) > 1e-5
    torch.testing.assert_close(gradient[0], numeric, rtol=0.08, atol=3e-4)


def test_equal_images_have_no_image_loss_whatever_their_gain():
    patient = prepare(small_patient(), voxel=12.0)
    camera = Camera(sdd=1020.0, height=24, width=24, pixel_spacing=14.0)
    pose = carm_pose(lao_rao=[180.0, 200.0], sod=700.0, isocenter=patient.grid.center)
    image = line_integrals(patient, camera, pose, torch.ones(2))
    assert float(image_loss(image, 3 * image + 1).max()) < 1e-3
    assert float(image_loss(image, image.flip(0)).min()) > 0.02


def test_rejected_views_move_nothing():
    values = torch.tensor([1.0, float("nan"), 3.0], requires_grad=True)
    kept = torch.tensor([True, False, True])
    mean = masked_mean(values, kept)
    mean.backward()
    assert float(mean.detach()) == 2.0
    assert values.grad.tolist() == [0.5, 0.0, 0.5]
    assert float(masked_mean(torch.ones(2), torch.zeros(2, dtype=torch.bool))) == 0.0
