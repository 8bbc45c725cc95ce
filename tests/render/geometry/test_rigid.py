"""Rigid motions: closed forms, exponential and logarithm, distances, and what is no rigid motion."""

import math

import pytest
import torch
from hypothesis import given, settings
from support.motions import SPECIAL_VECTORS, random_poses, vectors
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import (
    check_pose,
    compose,
    geodesic_distance,
    rigid_inverse,
    rigid_matrix,
    se3_exp,
    se3_log,
    transform_points,
)


def turn_z(degrees: float) -> torch.Tensor:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[c, -s, 0], [s, c, 0], [0, 0, 1]], dtype=torch.float64)


def test_rigid_matrix_moves_points_by_rotation_then_translation():
    motion = rigid_matrix(turn_z(90), torch.tensor([10.0, 20.0, 30.0]))
    assert motion.dtype == torch.float64
    moved = transform_points(motion, torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 5.0]], dtype=torch.float64))
    expected = torch.tensor([[10.0, 21.0, 30.0], [8.0, 20.0, 35.0]], dtype=torch.float64)
    torch.testing.assert_close(moved, expected)


def test_rigid_matrix_broadcasts_one_rotation_over_many_translations():
    motion = rigid_matrix(torch.eye(3), torch.arange(12.0).reshape(4, 3))
    assert motion.shape == (4, 4, 4)
    assert torch.equal(motion[2, :3, 3], torch.tensor([6.0, 7.0, 8.0]))
    assert torch.equal(motion[:, 3], torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(4, 4))


def test_inverse_is_the_inverse_matrix():
    motion = random_poses(20)
    torch.testing.assert_close(rigid_inverse(motion), torch.linalg.inv(motion))


def test_compose_lets_the_last_motion_act_first():
    a, b, c = random_poses(3)
    points = torch.randn(5, 3, dtype=torch.float64)
    step_by_step = transform_points(a, transform_points(b, transform_points(c, points)))
    torch.testing.assert_close(transform_points(compose(a, b, c), points), step_by_step)


def test_exponential_of_a_quarter_turn_follows_the_arc():
    parameters = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0, math.pi / 2], dtype=torch.float64)
    expected = rigid_matrix(turn_z(90), torch.tensor([2 / math.pi, 2 / math.pi, 0.0], dtype=torch.float64))
    torch.testing.assert_close(se3_exp(parameters), expected)


def test_exponential_without_rotation_is_the_translation():
    parameters = torch.tensor([5.0, -7.0, 9.0, 0.0, 0.0, 0.0])
    assert torch.equal(se3_exp(parameters), rigid_matrix(torch.eye(3), parameters[:3]))


@settings(max_examples=40, deadline=None)
@given(u=vectors, w=vectors)
def test_exponential_is_the_matrix_exponential_and_the_logarithm_undoes_it(u, w):
    u, w = torch.tensor(u, dtype=torch.float64) * 300, torch.tensor(w, dtype=torch.float64) * 1.8
    generator = torch.zeros(4, 4, dtype=torch.float64)
    generator[:3, :3] = torch.linalg.cross(w.expand(3, 3), torch.eye(3, dtype=torch.float64)).T
    generator[:3, 3] = u
    motion = se3_exp(torch.cat([u, w]))
    torch.testing.assert_close(motion, torch.linalg.matrix_exp(generator), atol=1e-10, rtol=1e-12)
    torch.testing.assert_close(se3_log(motion), torch.cat([u, w]), atol=1e-5, rtol=1e-9)
    torch.testing.assert_close(se3_exp(se3_log(motion)), motion, atol=1e-9, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("special", SPECIAL_VECTORS)
def test_exponential_and_logarithm_stay_finite_at_special_rotations(special, dtype):
    parameters = torch.tensor([30.0, -40.0, 50.0, *SPECIAL_VECTORS[special]], dtype=dtype, requires_grad=True)
    motion = se3_exp(parameters)
    assert motion.dtype == dtype
    logarithm = se3_log(motion)
    back = se3_exp(logarithm)
    torch.testing.assert_close(back, motion, atol=2e-4 if dtype == torch.float32 else 1e-11, rtol=0)
    (gradient,) = torch.autograd.grad(logarithm.sum() + (back * torch.arange(4, dtype=dtype)).sum(), parameters)
    assert bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("w", [(0.0, 0.0, 0.0), (0.2, -0.1, 0.3), (0.0, 3.0, 0.0)])
def test_exponential_and_logarithm_pass_gradcheck(w):
    parameters = torch.tensor([[0.3, 0.4, -0.5, *w]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(se3_exp, parameters)
    assert torch.autograd.gradcheck(se3_log, se3_exp(parameters).detach().requires_grad_())


def test_jacobian_of_log_after_exp_is_the_identity_at_zero():
    zero = torch.zeros(6, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda p: se3_log(se3_exp(p)), zero)
    torch.testing.assert_close(jacobian, torch.eye(6, dtype=torch.float64))


def test_distance_is_the_turn_in_degrees_and_the_shift_in_mm():
    first = random_poses(1)[0]
    second = compose(first, rigid_matrix(turn_z(-33), torch.tensor([3.0, 4.0, 0.0], dtype=torch.float64)))
    angle, shift = geodesic_distance(first, second)
    assert float(angle) == pytest.approx(33, abs=1e-9)
    assert float(shift) == pytest.approx(5, abs=1e-9)


def test_distance_is_the_same_in_another_world():
    first, second, world = random_poses(3, seed=5)
    here, there = geodesic_distance(first, second), geodesic_distance(world @ first, world @ second)
    torch.testing.assert_close(here, there)


def test_distance_has_a_finite_gradient_where_poses_coincide():
    pose = random_poses(2).requires_grad_()
    angle, shift = geodesic_distance(pose, pose.detach().clone())
    (angle + shift).sum().backward()
    assert bool(torch.isfinite(pose.grad).all())
    assert float(angle.detach().max()) < 1e-5


def test_check_returns_the_pose_it_was_given():
    pose = random_poses(3, dtype=torch.float32).requires_grad_()
    assert check_pose(pose) is pose


def broken(change: str) -> torch.Tensor:
    pose = random_poses(2, seed=3)
    if change == "scaling":
        pose[1, :3, :3] *= 1.01
    if change == "reflection":
        pose[1, :3, 0] *= -1
    if change == "shear":
        pose[1, :3, 0] += 0.01 * pose[1, :3, 1]
    if change == "transposed":
        pose[1] = pose[1].T.clone()
    if change == "nan":
        pose[1, 0, 3] = math.nan
    if change == "zero":
        pose[1, :3, :3] = 0
    return pose


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("scaling", r"pose\[1\] must be a rigid motion .*, got a scaling by 1\.01; divide"),
        ("reflection", r"got a reflection \(determinant -1\)"),
        ("shear", "columns are not orthonormal"),
        ("transposed", r"expected 0 0 0 1 \(is the matrix transposed\?\)"),
        ("nan", "not finite"),
        ("zero", "columns are not orthonormal"),
    ],
)
def test_what_is_no_rigid_motion_is_refused_with_its_reason(change, message):
    with pytest.raises(GeometryError, match=message):
        check_pose(broken(change))


@pytest.mark.parametrize("pose", [torch.eye(4), torch.eye(3)[None], torch.zeros(0, 4, 4), torch.eye(4).int()[None]])
def test_pose_of_another_shape_or_type_is_refused(pose):
    with pytest.raises(GeometryError, match=r"pose must be floating point of shape \(B, 4, 4\), got"):
        check_pose(pose)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(GeometryError, match=r"\(\.\.\., 3, 3\) and \(\.\.\., 3\), got \(4, 4\)"):
        rigid_matrix(torch.eye(4), torch.zeros(3))
    with pytest.raises(GeometryError, match="must broadcast"):
        rigid_matrix(torch.eye(3).expand(2, 3, 3), torch.zeros(3, 3))
    with pytest.raises(GeometryError, match=r"se3 parameters must be \(\.\.\., 6\), got shape \(7,\)"):
        se3_exp(torch.zeros(7))
    with pytest.raises(GeometryError, match="at least one motion"):
        compose()
