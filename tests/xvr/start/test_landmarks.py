"""Perspective n-point from named landmarks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from xraykit.render import Camera, InputError, carm_pose
from xraykit.render.geometry import compose, project, rigid_inverse, rigid_matrix, se3_exp, se3_log, transform_points
from xraykit.xvr import starts_from_landmarks
from xraykit.xvr.start import landmark_pose
from xraykit.xvr.start.reprojection import refined, rotation_grid

CAMERA = Camera(sdd=1020.0, height=512, width=400, pixel_spacing=(0.6, 0.7), principal_point=(210.0, 250.0))


def points(count: int, seed: int = 0, *, flat: bool = False) -> torch.Tensor:
    drawn = (torch.rand(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5) * 160
    return drawn * torch.tensor([1.0, 0.0 if flat else 1.0, 1.0], dtype=torch.float64)


def true_pose(*, lao: float = 140.0, cra: float = -20.0, roll: float = 35.0, sod: float = 760.0) -> torch.Tensor:
    numbers = {"lao_rao": lao, "cra_cau": cra, "roll": roll, "sod": sod}
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in numbers.items()}
    return carm_pose(**tensors, offset=torch.tensor([20.0, -10.0, 15.0], dtype=torch.float64))


def named(rows: torch.Tensor) -> dict[str, torch.Tensor]:
    return {f"p{index}": row for index, row in enumerate(rows)}


@settings(max_examples=8, deadline=None)
@given(
    count=st.integers(4, 9),
    lao=st.floats(-180, 180),
    cra=st.floats(-85, 85),
    roll=st.floats(-180, 180),
    seed=st.integers(0, 99),
)
def test_noiseless_landmarks_give_the_pose_exactly(count, lao, cra, roll, seed):
    world, pose = points(count, seed), true_pose(lao=lao, cra=cra, roll=roll)
    found = landmark_pose(named(world), named(project(world, CAMERA, pose).uv[0]), CAMERA)
    # Four points may have a second exact answer; the truth must be among them.
    apart = transform_points(rigid_inverse(found.poses), world) - transform_points(rigid_inverse(pose), world)
    assert float(apart.norm(dim=-1).amax(-1).min()) < 1e-6
    assert found.rms < 1e-7


@pytest.mark.parametrize("count", [4, 6])
def test_landmarks_in_one_plane_give_the_pose_too(count):
    world, pose = points(count, 3, flat=True), true_pose()
    starts = starts_from_landmarks(named(world), named(project(world, CAMERA, pose).uv[0]), CAMERA)
    assert starts.shape[1:] == (1, 4, 4) and starts.dtype == torch.float64
    assert torch.allclose(starts[0], pose, atol=1e-6)


def test_wrong_pairs_are_found_and_left_out():
    world, pose = points(12, 5), true_pose()
    uv = project(world, CAMERA, pose).uv[0].clone()
    uv[2] += torch.tensor([60.0, -40.0])
    uv[7], uv[8] = uv[8].clone(), uv[7].clone()
    found = landmark_pose(named(world), named(uv), CAMERA)
    assert [name for name, good in zip(found.names, found.inlier, strict=True) if not good] == ["p2", "p7", "p8"]
    assert torch.allclose(found.poses[0], pose[0], atol=1e-6)
    assert float(found.error[2]) == pytest.approx(((60 * 0.7) ** 2 + (40 * 0.6) ** 2) ** 0.5, rel=1e-4)


def test_only_names_in_both_count():
    world, pose = points(6, 1), true_pose()
    uv = named(project(world, CAMERA, pose).uv[0])
    found = landmark_pose({**named(world), "spare": [0.0, 0.0, 0.0]}, {**uv, "other": [1.0, 1.0]}, CAMERA)
    assert found.names == tuple(f"p{n}" for n in range(6))


def test_the_covariance_is_the_scatter_of_poses_under_pointing_errors():
    world, pose = points(8, 2), true_pose()
    uv, generator = project(world, CAMERA, pose).uv[0], torch.Generator().manual_seed(0)
    seen = (uv - torch.tensor([210.0, 250.0])) * torch.tensor([0.7, 0.6])
    noisy = seen + 0.5 * torch.randn(400, 8, 2, generator=generator, dtype=torch.float64)
    many = rigid_inverse(pose).expand(400, -1, -1)
    motions, _ = refined(many, world.expand(400, -1, -1), noisy, 1020.0)
    pivot = world.mean(0)
    to_pivot, back = rigid_matrix(torch.eye(3).double(), -pivot), rigid_matrix(torch.eye(3).double(), pivot)
    twists = se3_log(compose(to_pivot, rigid_inverse(motions), rigid_inverse(pose), back))[:, [3, 4, 5, 0, 1, 2]]
    scatter = twists.T @ twists / len(twists)
    # One noisy set states its covariance; scaled to the true noise it must agree with the scatter.
    one = uv + (noisy[0] - seen) / torch.tensor([0.7, 0.6])
    stated = landmark_pose(named(world), named(one), CAMERA)
    sigma2 = float(stated.error.square().sum() / (2 * 8 - 6))
    ratio = (stated.covariance * 0.25 / sigma2).diagonal() / scatter.diagonal()
    assert torch.allclose(stated.pivot, pivot)
    assert bool((ratio > 0.75).all() and (ratio < 1.35).all())


def test_the_residuals_derivative_is_that_of_the_error():
    from xraykit.xvr.start import reprojection

    world, motion = points(5, 4)[None], rigid_inverse(true_pose())
    seen = torch.zeros(1, 5, 2, dtype=torch.float64)

    def residual(step: torch.Tensor) -> torch.Tensor:
        return reprojection._linearised(reprojection._moved(motion, world, step), world, seen, 1020.0)[0]

    jacobian = torch.autograd.functional.jacobian(residual, torch.zeros(1, 6, dtype=torch.float64))
    assert torch.allclose(jacobian[0, :, 0], reprojection._linearised(motion, world, seen, 1020.0)[1][0], atol=1e-6)


def test_the_grid_of_rotations_leaves_none_farther_than_63_degrees():
    grid = rotation_grid()
    assert grid.shape == (24, 3, 3)
    assert torch.allclose(grid @ grid.mT, torch.eye(3).double().expand(24, 3, 3), atol=1e-12)
    assert torch.allclose(torch.linalg.det(grid), torch.ones(24).double())
    twists = torch.randn(2000, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3
    trace = torch.einsum("gij,sij->gs", grid, se3_exp(twists)[:, :3, :3])
    angle = torch.rad2deg(((trace.amax(0) - 1) / 2).clamp(-1, 1).acos())
    assert 55.0 < float(angle.max()) < 63.0


def test_three_pairs_are_too_few_and_the_others_are_named():
    world = named(points(3))
    with pytest.raises(InputError, match=r"at least 4 landmarks .* got 3 \(p0, p1, p2\); in one of them only: asis"):
        landmark_pose(world, {**{name: [1.0, 2.0] for name in world}, "asis": [3.0, 4.0]}, CAMERA)


def test_landmarks_on_a_line_are_refused():
    line = torch.linspace(0, 100, 5, dtype=torch.float64)[:, None] * torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    with pytest.raises(InputError, match="lie on one line"):
        landmark_pose(named(line), named(project(line, CAMERA, true_pose()).uv[0]), CAMERA)


def test_image_points_that_coincide_are_refused():
    with pytest.raises(InputError, match="coincide within 1 mm"):
        landmark_pose(named(points(5)), {f"p{n}": [100.0, 100.0 + 0.01 * n] for n in range(5)}, CAMERA)


@pytest.mark.parametrize("wrong", [[1.0, float("nan")], [1.0, 2.0, 3.0]])
def test_coordinates_that_are_no_pixel_are_refused(wrong):
    world = named(points(4))
    with pytest.raises(InputError, match="'p1' of the X-ray must be 2 finite"):
        landmark_pose(world, {**{name: [1.0, 2.0] for name in world}, "p1": wrong}, CAMERA)
