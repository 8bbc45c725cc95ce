"""C-arm poses: what each angle means for the patient, the way back, and the standard views."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.motions import random_poses
from xraykit.render import Camera, carm_pose
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import VIEWS, carm_angles, carm_parameters, check_pose, project

LEFT, RIGHT = (-1.0, 0.0, 0.0), (1.0, 0.0, 0.0)
FRONT, BACK = (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)
HEAD, FEET = (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
F64 = torch.float64
degrees = st.floats(-180, 180, allow_nan=False)


def axes(**angles: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Camera x, y, z in patient RAS; z points from the source to the detector."""
    tensors = {name: torch.tensor(value, dtype=F64) for name, value in angles.items()}
    return carm_pose(sod=torch.tensor(800.0, dtype=F64), **tensors)[0, :3, :3].unbind(-1)


def close(vector: torch.Tensor, expected: tuple[float, float, float]) -> bool:
    return torch.allclose(vector, torch.tensor(expected, dtype=vector.dtype), atol=1e-6)


def test_at_zero_the_patient_faces_the_detector_and_the_image_has_the_head_up():
    x, y, z = axes()
    assert close(z, FRONT)
    assert close(y, FEET)
    assert close(x, RIGHT)


@pytest.mark.parametrize(
    ("angles", "detector"),
    [
        ({"lao_rao": 90.0}, LEFT),
        ({"lao_rao": -90.0}, RIGHT),
        ({"lao_rao": 180.0}, BACK),
        ({"cra_cau": 90.0}, HEAD),
        ({"cra_cau": -90.0}, FEET),
        ({"lao_rao": 45.0}, (-(0.5**0.5), 0.5**0.5, 0.0)),
        ({"cra_cau": 30.0}, (0.0, 0.75**0.5, 0.5)),
        ({"lao_rao": 90.0, "cra_cau": 30.0}, (-(0.75**0.5), 0.0, 0.5)),
        ({"lao_rao": 180.0, "cra_cau": 30.0}, (0.0, -(0.75**0.5), 0.5)),
    ],
)
def test_positive_angles_move_the_detector_to_the_left_and_to_the_head(angles, detector):
    assert close(axes(**angles)[2], detector)


def test_roll_turns_image_x_towards_image_y_and_leaves_the_beam_alone():
    x, y, z = axes(roll=90.0)
    assert close(z, FRONT)
    assert close(x, FEET)
    assert close(y, LEFT)


def test_positive_roll_turns_the_picture_anticlockwise():
    camera = Camera(sdd=1000.0, height=100, width=100)
    head = torch.tensor([[0.0, 0.0, 20.0]], dtype=F64)
    upright = project(head, camera, carm_pose(sod=torch.tensor(800.0, dtype=F64))).uv[0, 0]
    turned = project(head, camera, carm_pose(sod=torch.tensor(800.0, dtype=F64), roll=30.0)).uv[0, 0]
    assert upright.tolist() == pytest.approx([50.0, 25.0])
    assert turned.tolist() == pytest.approx([50 - 25 * 0.5, 50 - 25 * 0.75**0.5])


def test_source_stands_sod_behind_the_shifted_isocenter():
    isocenter, offset = torch.tensor([10.0, 20.0, 30.0], dtype=F64), torch.tensor([1.0, 2.0, 3.0], dtype=F64)
    pose = carm_pose(lao_rao=90.0, sod=700.0, isocenter=isocenter, offset=offset)
    assert pose[0, :3, 3].tolist() == pytest.approx([711.0, 22.0, 33.0])


@settings(max_examples=40, deadline=None)
@given(lao=degrees, cra=degrees, roll=degrees, sod=st.floats(1, 2000))
def test_isocenter_is_seen_at_the_principal_point_at_depth_sod(lao, cra, roll, sod):
    isocenter = torch.tensor([-12.0, 250.0, -900.0], dtype=F64)
    pose = check_pose(carm_pose(lao_rao=lao, cra_cau=cra, roll=roll, sod=sod, isocenter=isocenter))
    camera = Camera(sdd=2500.0, height=64, width=48, pixel_spacing=0.5, principal_point=(20.0, 30.0))
    seen = project(isocenter[None], camera, pose)
    assert seen.uv[0, 0].tolist() == pytest.approx([20.0, 30.0], abs=1e-6)
    assert float(seen.depth) == pytest.approx(sod)


@settings(max_examples=60, deadline=None)
@given(lao=degrees, cra=st.floats(-90, 90), roll=degrees)
def test_angles_of_a_pose_give_the_pose_back(lao, cra, roll):
    pose = carm_pose(lao_rao=lao, cra_cau=cra, roll=roll, sod=torch.tensor(750.0, dtype=F64))
    angles = carm_angles(pose)
    back = carm_pose(lao_rao=angles.lao_rao, cra_cau=angles.cra_cau, roll=angles.roll, sod=750.0)
    torch.testing.assert_close(back, pose, atol=1e-9, rtol=0)


@settings(max_examples=40, deadline=None)
@given(lao=st.floats(-179, 179), cra=st.floats(-89, 89), roll=st.floats(-179, 179))
def test_angles_in_range_return_themselves(lao, cra, roll):
    angles = carm_angles(carm_pose(lao_rao=lao, cra_cau=cra, roll=roll, sod=torch.tensor(750.0, dtype=F64)))
    assert [float(a) for a in angles[:3]] == pytest.approx([lao, cra, roll], abs=1e-6)


def test_parameters_of_any_pose_give_the_pose_back():
    pose = random_poses(20)
    isocenter = pose[:, :3, 3] + 500 * pose[:, :3, 2] + 60 * pose[:, :3, 0]
    parameters = carm_parameters(pose, isocenter=isocenter)
    torch.testing.assert_close(parameters["sod"], torch.full((20,), 500.0, dtype=F64))
    torch.testing.assert_close(parameters["offset"], -60 * pose[:, :3, 0])
    torch.testing.assert_close(carm_pose(**parameters), pose)


def test_two_names_of_one_pose():
    one = carm_pose(lao_rao=20.0, cra_cau=30.0, roll=10.0, sod=700.0)
    other = carm_pose(lao_rao=200.0, cra_cau=150.0, roll=190.0, sod=700.0)
    torch.testing.assert_close(one, other, atol=1e-3, rtol=0)
    assert [float(a) for a in carm_angles(other)[:3]] == pytest.approx([20, 30, 10], abs=1e-3)


@pytest.mark.parametrize("cra", [90.0, -90.0])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_beam_along_the_patient_axis_has_finite_angles_and_gradients(cra, dtype):
    angle = torch.tensor(cra, dtype=dtype, requires_grad=True)
    pose = carm_pose(lao_rao=25.0, cra_cau=angle, roll=15.0, sod=700.0)
    angles = carm_angles(pose)
    assert float(angles.cra_cau.detach()) == pytest.approx(cra, abs=1e-3)
    assert float(angles.roll.detach()) == 0.0
    back = carm_pose(lao_rao=angles.lao_rao, cra_cau=angles.cra_cau, roll=angles.roll, sod=700.0)
    torch.testing.assert_close(back, pose, atol=2e-4, rtol=0)
    (gradient,) = torch.autograd.grad(sum(a.sum() for a in angles[:3]), angle)
    assert math.isfinite(float(gradient))


def test_numbers_and_batches_broadcast():
    pose = carm_pose(
        lao_rao=torch.tensor([0.0, 10.0, 20.0]), cra_cau=5.0, sod=[700.0, 710.0, 720.0], isocenter=(1.0, 2.0, 3.0)
    )
    assert pose.shape == (3, 4, 4)
    single = carm_pose(lao_rao=10.0, cra_cau=5.0, sod=710.0, isocenter=(1.0, 2.0, 3.0))
    torch.testing.assert_close(pose[1:2], single)


@pytest.mark.parametrize(
    ("arguments", "dtype"),
    [
        ({"sod": 700.0}, torch.float32),
        ({"sod": 700}, torch.float32),
        ({"sod": torch.tensor(700)}, torch.float32),
        ({"sod": torch.tensor(700.0), "isocenter": torch.zeros(3, dtype=F64)}, F64),
        ({"sod": 700.0, "lao_rao": torch.tensor(1.0, dtype=F64)}, F64),
    ],
)
def test_dtype_is_that_of_the_tensors(arguments, dtype):
    assert carm_pose(**arguments).dtype == dtype


def test_pose_passes_gradcheck_for_every_argument():
    inputs = [torch.tensor([v], dtype=F64, requires_grad=True) for v in (20.0, -30.0, 10.0, 2.0)]
    points = [torch.tensor([[0.1, 0.2, 0.3]], dtype=F64, requires_grad=True) for _ in range(2)]
    names = ["lao_rao", "cra_cau", "roll", "sod", "isocenter", "offset"]
    assert torch.autograd.gradcheck(
        lambda *values: carm_pose(**dict(zip(names, values, strict=True))), (*inputs, *points)
    )


@pytest.mark.slow
def test_compile_sees_one_graph():
    torch.compiler.reset()
    lao = torch.tensor([3.0, 4.0])
    compiled = torch.compile(lambda a: carm_pose(lao_rao=a, sod=700.0), backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(lao), carm_pose(lao_rao=lao, sod=700.0))


@pytest.mark.parametrize(
    ("name", "detector", "viewers_right"),
    [
        ("ap", BACK, LEFT),
        ("pa", FRONT, RIGHT),
        ("lateral_left", LEFT, FRONT),
        ("lateral_right", RIGHT, BACK),
    ],
)
def test_view_puts_the_detector_and_the_patient_where_its_name_says(name, detector, viewers_right):
    view = VIEWS[name]
    assert view.name == name
    x, y, z = carm_pose(**view.angles, sod=800.0)[0, :3, :3].unbind(-1)
    assert close(z, detector)
    assert close(x, viewers_right)
    assert close(y, FEET)
    assert view.why.endswith(".")


def test_frontal_pictures_show_the_patients_left_on_the_viewers_right():
    camera = Camera(sdd=1000.0, height=100, width=100)
    heart = torch.tensor([[-30.0, 0.0, 0.0]])
    for name in ("ap", "pa"):
        view = VIEWS[name]
        u = float(project(heart, camera, carm_pose(**view.angles, sod=800.0)).uv[0, 0, 0])
        shown = camera.width - u if view.mirrored_display else u
        assert shown == pytest.approx(50 + 30 * 1000 / 800, abs=1e-3), name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sod": 0.0}, r"sod must be positive, got sod=\[0\.0\] mm"),
        ({"sod": -5.0}, "sod must be positive"),
        ({"sod": math.nan}, "sod must be finite, got sod="),
        ({"sod": 700.0, "lao_rao": math.inf}, "lao_rao must be finite"),
        ({"sod": 700.0, "isocenter": (1.0, 2.0)}, r"isocenter must be \(3,\) or \(B, 3\), got shape \(2,\)"),
        ({"sod": 700.0, "roll": torch.zeros(2, 2)}, r"roll must be a number or \(B,\), got shape \(2, 2\)"),
        ({"sod": torch.ones(2), "roll": torch.ones(3)}, r"one batch size .*got \{'roll': 3, 'sod': 2\}"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(GeometryError, match=message):
        carm_pose(**arguments)


def test_isocenter_behind_the_source_has_no_parameters():
    pose = carm_pose(sod=700.0)
    with pytest.raises(GeometryError, match="isocenter must lie in front of the source"):
        carm_parameters(pose, isocenter=(0.0, -1500.0, 0.0))
