"""3x4 projection matrices: composed, decomposed, with either pixel convention, mirrored and of either sign."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.views import CENTER, assert_same_view, box, camera, pixels, poses
from xraykit.render import Camera, carm_pose
from xraykit.render.converters import from_projection_matrix, to_projection_matrix
from xraykit.render.errors import GeometryError, InputError
from xraykit.render.geometry import swap_ras_lps_points

F64 = torch.float64
SIZE = {"height": 30, "width": 41}


def apply(matrix: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    homogeneous = torch.nn.functional.pad(points, (0, 1), value=1.0) @ matrix.mT
    return homogeneous[..., :2] / homogeneous[..., 2:]


def test_matrix_of_a_camera_at_the_origin_is_the_textbook_one():
    view = Camera(1000.0, 100, 200, pixel_spacing=(2.0, 4.0), principal_point=(90.0, 60.0))
    expected = torch.tensor([[250.0, 0, 90, 0], [0, 500, 60, 0], [0, 0, 1, 0]], dtype=F64)
    torch.testing.assert_close(to_projection_matrix(view, torch.eye(4, dtype=F64))[0], expected)
    centred = to_projection_matrix(view, torch.eye(4, dtype=F64), pixel_center="integer")[0]
    torch.testing.assert_close(centred[:, 2], torch.tensor([89.5, 59.5, 1.0], dtype=F64))


@pytest.mark.parametrize("mirrored", [False, True])
def test_matrix_projects_points_where_the_camera_sees_them(mirrored):
    matrix = to_projection_matrix(camera(), poses(), mirrored=mirrored)
    torch.testing.assert_close(apply(matrix, box()), pixels(box(), camera(), poses(), mirrored=mirrored))


def test_matrix_for_lps_points_takes_lps_points():
    matrix = to_projection_matrix(camera(), poses(), world="LPS")
    torch.testing.assert_close(apply(matrix, swap_ras_lps_points(box())), pixels(box(), camera(), poses()))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("world", ["RAS", "LPS"])
@pytest.mark.parametrize("pixel_center", ["half", "integer"])
@pytest.mark.parametrize("scale", [1.0, -3.7e-4])
def test_decomposition_gives_the_view_back(mirrored, world, pixel_center, scale):
    matrix = scale * to_projection_matrix(camera(), poses(), world=world, pixel_center=pixel_center, mirrored=mirrored)
    point = swap_ras_lps_points(CENTER) if world == "LPS" else CENTER
    view = from_projection_matrix(matrix, **SIZE, sdd=1020.0, world=world, pixel_center=pixel_center, in_front=point)
    assert view.mirrored is mirrored
    assert_same_view(view, (camera(), poses()))


def test_pixel_spacing_fixes_the_distance():
    view = from_projection_matrix(to_projection_matrix(camera(), poses()), **SIZE, pixel_spacing=(3.0, 2.5))
    assert_same_view(view, (camera(), poses()))


def test_without_a_point_in_front_the_sign_of_the_matrix_decides():
    matrix = to_projection_matrix(camera(), poses())
    assert not from_projection_matrix(matrix, **SIZE, sdd=1020.0).mirrored
    behind = from_projection_matrix(-matrix, **SIZE, sdd=1020.0)
    assert behind.mirrored
    torch.testing.assert_close(behind.pose[:, :3, 2], -poses()[:, :3, 2])


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.floats(-200, 200), st.floats(300, 2000), st.floats(0.1, 4.0))
def test_any_view_survives_the_matrix_in_float32(turn, tilt, shift, sdd, spacing):
    pose = carm_pose(lao_rao=180 * turn, cra_cau=90 * tilt, sod=0.7 * sdd, isocenter=(shift, 0.0, -shift))
    view = Camera(sdd, 32, 48, pixel_spacing=(spacing, 1.1 * spacing))
    back = from_projection_matrix(to_projection_matrix(view, pose), height=32, width=48, sdd=sdd)
    torch.testing.assert_close(back.pose, pose, atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(
        back.camera.tensors(dtype=torch.float32, device="cpu")[2][0], torch.tensor([24.0, 16.0]), atol=1e-2, rtol=0
    )


def test_gradients_flow_through_composition_and_decomposition():
    pose = poses()[1:2].requires_grad_()
    sdd = torch.tensor([1020.0], dtype=F64, requires_grad=True)

    def there_and_back(pose: torch.Tensor, sdd: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        view = Camera(sdd, 30, 41, pixel_spacing=(3.0, 2.5))
        matrix = to_projection_matrix(view, torch.cat([pose[:, :3], pose[:, 3:].detach()], dim=1))
        back = from_projection_matrix(matrix, **SIZE, pixel_spacing=(3.0, 2.5))
        return back.pose, back.camera.tensors(dtype=F64, device="cpu")[0]

    rotated, distance = there_and_back(pose, sdd)
    (gradient,) = torch.autograd.grad(distance.sum(), sdd, retain_graph=True)
    torch.testing.assert_close(gradient, torch.ones_like(sdd))
    (gradient,) = torch.autograd.grad(rotated[0, :3, 3].sum(), pose)
    torch.testing.assert_close(gradient[0, :3, 3], torch.ones(3, dtype=F64))


def test_gradients_of_the_decomposition_are_those_of_its_values():
    matrix = to_projection_matrix(camera(), poses()[1:3]).requires_grad_()

    def numbers(matrix: torch.Tensor) -> tuple[torch.Tensor, ...]:
        view = from_projection_matrix(matrix, **SIZE, sdd=1020.0, skew_tolerance=1e-2)
        return view.pose, *view.camera.tensors(dtype=F64, device="cpu")[1:]

    assert torch.autograd.gradcheck(numbers, (matrix,), atol=1e-4)


def test_skew_is_refused_unless_tolerated():
    matrix = to_projection_matrix(camera(), poses())
    matrix[:, 0] += 1e-3 * matrix[:, 1]
    with pytest.raises(GeometryError, match="matrix must have no skew"):
        from_projection_matrix(matrix, **SIZE, sdd=1020.0)
    view = from_projection_matrix(matrix, **SIZE, sdd=1020.0, skew_tolerance=1e-2)
    torch.testing.assert_close(view.pose, poses(), atol=2e-3, rtol=0)


def test_bad_matrices_and_options_say_what_is_wrong():
    matrix = to_projection_matrix(camera(), poses())
    with pytest.raises(GeometryError, match="must be invertible"):
        from_projection_matrix(torch.zeros(3, 4), **SIZE, sdd=1.0)
    with pytest.raises(GeometryError, match=r"matrix must be floating point \(3, 4\)"):
        from_projection_matrix(matrix[:, :, :3], **SIZE, sdd=1.0)
    with pytest.raises(GeometryError, match="matrix must be finite"):
        from_projection_matrix(matrix * torch.nan, **SIZE, sdd=1.0)
    with pytest.raises(GeometryError, match="exactly one of pixel_spacing and sdd"):
        from_projection_matrix(matrix, **SIZE)
    with pytest.raises(GeometryError, match="imply one sdd"):
        from_projection_matrix(matrix, **SIZE, pixel_spacing=(2.5, 3.0))
    with pytest.raises(GeometryError, match="in the plane of the source"):
        from_projection_matrix(matrix[:1], **SIZE, sdd=1.0, in_front=poses()[0, :3, 3])
    with pytest.raises(InputError, match="world must be one of RAS, LPS, got 'LAS'"):
        to_projection_matrix(camera(), poses(), world="LAS")
    with pytest.raises(InputError, match="pixel_center must be one of half, integer, got 'corner'"):
        to_projection_matrix(camera(), poses(), pixel_center="corner")
    with pytest.raises(GeometryError, match=r"pose.* must be a rigid motion"):
        to_projection_matrix(camera(), 2 * poses())
    with pytest.raises(GeometryError, match="batch sizes must agree or be 1"):
        to_projection_matrix(Camera(torch.tensor([1.0, 2.0]), 3, 4), poses())
    with pytest.raises(GeometryError, match="mirrored for all views or for none"):
        from_projection_matrix(torch.cat([matrix[:1], -matrix[1:2]]), **SIZE, sdd=1.0)
