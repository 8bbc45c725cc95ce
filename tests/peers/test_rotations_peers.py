"""Rotations and rigid motions against DiffDRR's and nanodrr's, away from the defects known of them.

Known there and avoided here: DiffDRR clamps the angle of se3_log_map from below and takes its ten-number matrices in
float32 only; nanodrr's se3 maps are NaN without rotation.
"""

import pytest
import torch
from support.later import later
from support.motions import random_poses, random_rotations
from xraykit.render.geometry import parameters_from, rigid_matrix, rotation_from, se3_exp, se3_log

REASON = "needs the peers group: uv sync --group peers"
diffdrr_pose, nanodrr_se3 = later("diffdrr.pose", reason=REASON), later("nanodrr.geometry.se3", reason=REASON)
pytestmark = pytest.mark.peer

F64 = torch.float64
SIZES = {
    "axis_angle": 3,
    "euler_angles": 3,
    "quaternion": 4,
    "quaternion_adjugate": 10,
    "rotation_6d": 6,
    "rotation_9d": 9,
    "rotation_10d": 10,
}
SINGLE = ("quaternion_adjugate", "rotation_10d")  # DiffDRR takes these in float32 only
NANODRR = {
    "axis_angle": "so3_log",
    "so3_log_map": "so3_log",
    "euler_angles": "euler",
    "quaternion_adjugate": "quaternion_adjugate",
    "rotation_9d": "rotation_9d",
}


def random_parameters(size: int, *, seed: int = 0) -> torch.Tensor:
    return torch.randn(200, size, dtype=F64, generator=torch.Generator().manual_seed(seed))


def close(ours: torch.Tensor, theirs: torch.Tensor, *, single: bool) -> None:
    torch.testing.assert_close(ours, theirs.to(F64), atol=2e-5 if single else 1e-11, rtol=0)


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_any_parameters_give_the_pose_of_diffdrr(name, size):
    parameters, translation = random_parameters(size), 100 * random_parameters(3, seed=1)
    if name == "rotation_10d":
        # Where the two smallest eigenvalues nearly coincide, float32 and float64 pick different eigenvectors.
        parameters[:, [0, 4, 7, 9]] += torch.tensor([-6.0, 0.0, 2.0, 4.0], dtype=F64)
    single = name in SINGLE
    if single:
        parameters, translation = parameters.float(), translation.float()
    theirs = diffdrr_pose.convert(parameters, translation, parameterization=name, convention="ZXY").matrix
    parameters, translation = parameters.to(F64), translation.to(F64)
    rotation = rotation_from(parameters, parameterization=name, convention="ZXY")
    close(rotation, theirs[:, :3, :3], single=single)
    ours = rigid_matrix(rotation, (rotation @ translation[..., None])[..., 0])
    torch.testing.assert_close(ours, theirs.to(F64), atol=1e-2 if single else 1e-9, rtol=0)


@pytest.mark.parametrize("convention", ["XYZ", "ZYX", "YXZ", "ZXZ", "XYX"])
def test_euler_angles_equal_those_of_diffdrr(convention):
    rotation = random_rotations(200)
    ours = parameters_from(rotation, parameterization="euler_angles", convention=convention)
    theirs = diffdrr_pose.matrix_to_euler_angles(rotation, convention)
    torch.testing.assert_close(ours, theirs, atol=1e-9, rtol=0)


@pytest.mark.parametrize("name", [name for name in SIZES if name != "euler_angles"])
def test_parameters_of_a_rotation_equal_those_of_diffdrr(name):
    motion = diffdrr_pose.RigidTransform(random_poses(200))
    theirs, _ = motion.convert(name, convention="ZXY")
    close(parameters_from(motion.rotation, parameterization=name), theirs, single=False)


@pytest.mark.parametrize(("name", "theirs"), NANODRR.items())
def test_rotation_equals_that_of_nanodrr(name, theirs):
    parameters = random_parameters(3 if theirs in ("so3_log", "euler") else 10 if "adjugate" in theirs else 9)
    expected = nanodrr_se3.rotation_to_matrix(
        parameters, nanodrr_se3.Parameterization(theirs), convention="ZXY", degrees=False
    )
    close(rotation_from(parameters, parameterization=name), expected, single=False)


def test_nanodrr_quaternion_is_ours_with_the_scalar_moved_last():
    quaternion = torch.nn.functional.normalize(random_parameters(4), dim=-1)
    expected = nanodrr_se3.rotation_to_matrix(quaternion.roll(-1, dims=-1), nanodrr_se3.Parameterization.QUATERNION)
    close(rotation_from(quaternion, parameterization="quaternion"), expected, single=False)


def test_rigid_exponential_equals_that_of_both():
    u, w = 100 * random_parameters(3, seed=2), random_parameters(3, seed=3)
    ours = se3_exp(torch.cat([u, w], dim=-1))
    # DiffDRR's takes the angle no smaller than 0.01 rad, which every row here exceeds.
    assert float(w.norm(dim=-1).min()) > 0.01
    diffdrr = diffdrr_pose.convert(w, u, parameterization="se3_log_map").matrix
    torch.testing.assert_close(ours, diffdrr, atol=1e-9, rtol=0)
    nanodrr = nanodrr_se3.convert(w, u, "se3_log")
    torch.testing.assert_close(ours, nanodrr, atol=1e-9, rtol=0)


def test_rigid_logarithm_equals_that_of_both():
    motion = se3_exp(torch.cat([100 * random_parameters(3, seed=2), 0.8 * random_parameters(3, seed=3)], dim=-1))
    ours = se3_log(motion)
    w, u = diffdrr_pose.RigidTransform(motion).convert("se3_log_map")
    torch.testing.assert_close(ours, torch.cat([u, w], dim=-1), atol=1e-4, rtol=0)
    w, u = nanodrr_se3.se3_log_map(motion)
    torch.testing.assert_close(ours, torch.cat([u, w], dim=-1), atol=1e-4, rtol=0)
