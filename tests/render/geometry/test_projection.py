"""World points to pixels and back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.motions import random_poses
from xraykit.render import Camera, carm_pose
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import back_project, pixel_centers, pixel_rays, project, rigid_inverse

F64 = torch.float64
CAMERA = Camera(sdd=1000.0, height=100, width=80, pixel_spacing=(0.5, 0.25), principal_point=(30.0, 60.0))
IDENTITY = torch.eye(4, dtype=F64)[None]


def test_similar_triangles_place_the_point():
    seen = project(torch.tensor([[3.0, -4.0, 500.0]], dtype=F64), CAMERA, IDENTITY)
    # Magnified twice: 6 mm and -8 mm at the detector, 24 columns and -16 rows from the principal point.
    assert seen.uv[0, 0].tolist() == pytest.approx([54.0, 44.0], abs=1e-9)
    assert seen.depth.item() == pytest.approx(500.0, abs=1e-9)
    assert seen.visible.tolist() == [[True]]


def test_pixel_centers_lie_at_half_integers():
    centres = pixel_centers(Camera(sdd=1.0, height=2, width=3), dtype=F64)
    assert centres.tolist() == [[[0.5, 0.5], [1.5, 0.5], [2.5, 0.5]], [[0.5, 1.5], [1.5, 1.5], [2.5, 1.5]]]


def test_centre_of_an_even_detector_is_a_corner_of_four_pixels():
    camera = Camera(sdd=1000.0, height=4, width=4)
    corners = back_project(pixel_centers(camera, dtype=F64).reshape(-1, 2), camera, IDENTITY)[0].reshape(4, 4, 3)
    assert corners[0, 0].tolist() == pytest.approx([-1.5, -1.5, 1000.0], abs=1e-9)
    assert corners[3, 1].tolist() == pytest.approx([-0.5, 1.5, 1000.0], abs=1e-9)


def test_extrinsics_move_the_world_and_not_the_image():
    pose = random_poses(4)
    local = torch.tensor([[3.0, -4.0, 500.0], [10.0, 12.0, 800.0]], dtype=F64)
    world = local @ pose[:, :3, :3].mT + pose[:, None, :3, 3]
    seen, expected = project(world, CAMERA, pose), project(local, CAMERA, IDENTITY)
    torch.testing.assert_close(seen.uv, expected.uv.expand_as(seen.uv))
    torch.testing.assert_close(seen.depth, expected.depth.expand_as(seen.depth))


@settings(max_examples=40, deadline=None)
@given(u=st.floats(-50, 200), v=st.floats(-50, 200), depth=st.floats(1, 3000), seed=st.integers(0, 99))
def test_back_projection_undoes_projection(u, v, depth, seed):
    pose = random_poses(2, seed=seed)
    uv = torch.tensor([[u, v]], dtype=F64)
    seen = project(back_project(uv, CAMERA, pose, depth=depth), CAMERA, pose)
    torch.testing.assert_close(seen.uv, uv.expand(2, 1, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(seen.depth, torch.full((2, 1), depth, dtype=F64))


def test_default_depth_is_the_detector_plane():
    pose = random_poses(3)
    points = back_project(torch.tensor([[0.0, 0.0], [70.0, 20.0]], dtype=F64), CAMERA, pose)
    local = (points - pose[:, None, :3, 3]) @ pose[:, :3, :3]
    torch.testing.assert_close(local[..., 2], torch.full((3, 2), 1000.0, dtype=F64))


def test_depth_may_differ_per_pixel_and_per_view():
    pose, uv = random_poses(2), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype=F64)
    depth = torch.tensor([[100.0, 200.0, 300.0], [400.0, 500.0, 600.0]], dtype=F64)
    points = back_project(uv, CAMERA, pose, depth=depth)
    torch.testing.assert_close(project(points, CAMERA, pose).depth, depth)


def test_ray_runs_from_the_source_through_the_back_projected_point():
    pose, uv = random_poses(2), torch.tensor([[1.0, 2.0], [30.0, 60.0]], dtype=F64)
    source, direction = pixel_rays(uv, CAMERA, pose)
    assert torch.equal(source, pose[:, :3, 3])
    torch.testing.assert_close(direction.norm(dim=-1), torch.ones(2, 2, dtype=F64))
    torch.testing.assert_close(direction[:, 1], pose[:, :3, 2])
    to_point = back_project(uv, CAMERA, pose, depth=321.0) - source[:, None]
    torch.testing.assert_close(to_point, direction * to_point.norm(dim=-1, keepdim=True))


def test_visibility_needs_a_point_in_front_and_inside_the_image():
    points = torch.tensor([[0, 0, 500], [0, 0, -500], [0, 0, 0], [40, 0, 500], [0, -16, 500]], dtype=F64)
    seen = project(points, CAMERA, IDENTITY)
    assert seen.visible.tolist() == [[True, False, False, False, False]]
    assert bool(torch.isfinite(seen.uv).all())


def test_point_behind_the_source_has_no_gradient_and_no_nan():
    points = torch.tensor([[1.0, 2.0, -500.0], [1.0, 2.0, 0.0], [1.0, 2.0, 500.0]], dtype=F64, requires_grad=True)
    project(points, CAMERA, IDENTITY).uv.sum().backward()
    assert torch.equal(points.grad[:2], torch.zeros(2, 3, dtype=F64))
    assert bool(torch.isfinite(points.grad).all())
    assert float(points.grad[2].abs().max()) > 0


def test_batch_of_views_equals_views_one_by_one():
    pose = random_poses(3)
    points = back_project(torch.tensor([[9.0, 8.0], [70.0, 20.0]], dtype=F64), CAMERA, pose, depth=700.0)
    camera = Camera(
        sdd=torch.tensor([900.0, 1000.0, 1100.0]), height=100, width=80, pixel_spacing=torch.rand(3, 2) + 0.2
    )
    together = project(points, camera, pose).uv
    for i in range(3):
        alone = Camera(sdd=camera.sdd[i], height=100, width=80, pixel_spacing=camera.pixel_spacing[i])
        assert torch.equal(project(points[i], alone, pose[i : i + 1]).uv[0], together[i])


def inputs() -> list[torch.Tensor]:
    values = [
        torch.tensor([[3.0, -4.0, 5.0], [1.0, 2.0, 3.0]], dtype=F64),
        carm_pose(lao_rao=torch.tensor([20.0, 70.0], dtype=F64), cra_cau=10.0, sod=30.0),
        torch.tensor([50.0, 60.0], dtype=F64),
        torch.tensor([0.5, 0.4], dtype=F64),
        torch.tensor([10.0, 20.0], dtype=F64),
    ]
    return [value.requires_grad_() for value in values]


def camera_of(sdd: torch.Tensor, spacing: torch.Tensor, centre: torch.Tensor) -> Camera:
    return Camera(sdd=sdd, height=40, width=30, pixel_spacing=spacing, principal_point=centre)


def test_projection_passes_gradcheck_for_every_input():
    def images(points, pose, *intrinsics):
        seen = project(points, camera_of(*intrinsics), pose)
        return seen.uv, seen.depth

    assert torch.autograd.gradcheck(images, inputs())


def test_back_projection_passes_gradcheck_for_every_input():
    def points(uv, pose, *intrinsics):
        return back_project(uv[:, :2], camera_of(*intrinsics), pose, depth=uv[:, 2])

    def rays(uv, pose, *intrinsics):
        return pixel_rays(uv[:, :2], camera_of(*intrinsics), pose)

    assert torch.autograd.gradcheck(points, inputs())
    assert torch.autograd.gradcheck(rays, inputs())


def test_dtype_is_the_promoted_one_of_points_and_pose():
    points = torch.zeros(1, 3)
    assert project(points, CAMERA, IDENTITY).uv.dtype == F64
    assert project(points, CAMERA, IDENTITY.float()).uv.dtype == torch.float32


def test_float32_projects_within_a_hundredth_of_a_pixel():
    pose = carm_pose(lao_rao=torch.tensor([25.0], dtype=F64), sod=700.0, isocenter=(100.0, -200.0, 900.0))
    points = back_project(torch.rand(50, 2, dtype=F64) * 80, CAMERA, pose, depth=700.0)
    exact = project(points, CAMERA, pose).uv
    assert float((project(points.float(), CAMERA, pose.float()).uv - exact).abs().max()) < 1e-2


def test_world_to_camera_is_the_inverse_of_the_pose():
    pose = random_poses(1)
    point = torch.tensor([[1.0, 2.0, 3.0, 1.0]], dtype=F64)
    local = (rigid_inverse(pose)[0] @ point[0])[:3]
    assert float(project(point[:, :3], CAMERA, pose).depth) == pytest.approx(float(local[2]))


@pytest.mark.parametrize(
    ("points", "pose", "message"),
    [
        (torch.zeros(5, 2), torch.eye(4)[None], r"points must be \(N, 3\) or \(B, N, 3\), got shape \(5, 2\)"),
        (torch.zeros(5, 3), torch.eye(4), r"pose must be \(B, 4, 4\), got shape \(4, 4\)"),
        (torch.zeros(2, 5, 3), torch.eye(4).repeat(3, 1, 1), r"batch sizes must agree or be 1, got \{'pose': 3, 'po"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(points, pose, message):
    with pytest.raises(GeometryError, match=message):
        project(points, CAMERA, pose)


def test_depth_of_another_length_is_refused():
    with pytest.raises(GeometryError, match=r"N = 3 pixels, got \(2,\)"):
        back_project(torch.zeros(3, 2), CAMERA, torch.eye(4)[None], depth=torch.ones(2))
