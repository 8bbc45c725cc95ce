"""Sliders and poses name the same things, hands move the anatomy as they say, and spreads follow from covariances."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from xraykit.render import Camera, InputError, carm_pose
from xraykit.render.geometry import project, rigid_matrix, se3_exp
from xraykit.xvr.app.pose_sliders import Move, Sliders, moved, pose_of, slider_deviations, sliders_of

CENTRE = torch.tensor([12.0, -30.0, 105.0], dtype=torch.float64)
CAMERA = Camera(sdd=1000.0, height=300, width=400, pixel_spacing=(1.5, 1.0), principal_point=(190.0, 160.0))
START = Sliders(lao_rao=30.0, cra_cau=-10.0, roll=5.0, x=12.0, y=-7.0, depth=700.0)


def near(degrees: float) -> st.SearchStrategy[float]:
    return st.floats(-degrees, degrees)


def seen_at(pose: torch.Tensor, point: torch.Tensor = CENTRE) -> list[float]:
    return project(point[None], CAMERA, pose[None]).uv[0, 0].tolist()


@settings(max_examples=25, deadline=None)
@given(near(179.0), near(85.0), near(179.0), near(200.0), near(200.0), st.floats(50.0, 1500.0))
def test_sliders_and_pose_name_each_other(lao, cra, roll, x, y, depth):
    sliders = Sliders(lao, cra, roll, x, y, depth)
    assert sliders_of(pose_of(sliders, CENTRE), CENTRE) == pytest.approx(sliders, abs=1e-6)


def test_unshifted_sliders_are_the_carm_pose():
    angles = {"lao_rao": 30.0, "cra_cau": -10.0, "roll": 5.0}
    expected = carm_pose(**angles, sod=700.0, isocenter=CENTRE)[0]
    torch.testing.assert_close(pose_of(Sliders(*angles.values(), 0.0, 0.0, 700.0), CENTRE), expected)


def test_dragging_moves_the_isocentre_with_the_mouse():
    pose = pose_of(START, CENTRE)
    u, v = seen_at(pose)
    after = seen_at(moved(pose, CENTRE, CAMERA, Move(drag=(0.1, -0.2))))
    assert after == pytest.approx([u + 0.1 * CAMERA.width, v - 0.2 * CAMERA.height], abs=1e-8)


@pytest.mark.parametrize("axis, sideways, down", [(0, 0.0, -1.0), (1, 1.0, 0.0)])
def test_turning_keeps_the_isocentre_and_moves_what_is_behind_it(axis, sideways, down):
    """Positive turns about image right and image down: the far side goes up, and to the right."""
    pose = pose_of(START._replace(x=0.0, y=0.0), CENTRE)
    behind = CENTRE + 50.0 * pose[:3, 2]
    turned = moved(pose, CENTRE, CAMERA, Move(turn=tuple(4.0 * (n == axis) for n in range(3))))
    assert seen_at(turned) == pytest.approx(seen_at(pose), abs=1e-8)
    step = torch.tensor(seen_at(turned, behind)) - torch.tensor(seen_at(pose, behind))
    reach = 50.0 * math.sin(math.radians(4.0)) * CAMERA.sdd / (700.0 + 50.0 * math.cos(math.radians(4.0)))
    assert step.tolist() == pytest.approx([sideways * reach / 1.0, down * reach / 1.5], abs=1e-4)


def test_turning_about_the_beam_turns_the_picture_clockwise():
    pose = pose_of(START._replace(x=0.0, y=0.0), CENTRE)
    right = CENTRE + 50.0 * pose[:3, 0]
    turned = moved(pose, CENTRE, CAMERA, Move(turn=(0.0, 0.0, 90.0)))
    u, v = seen_at(turned, right)
    assert [u, v] == pytest.approx([190.0, 160.0 + 50.0 / 700.0 * 1000.0 / 1.5], abs=1e-6)
    assert sliders_of(turned, CENTRE).roll == pytest.approx(START.roll - 90.0)


def test_set_add_and_zoom_reach_their_sliders():
    pose = moved(pose_of(START, CENTRE), CENTRE, CAMERA, Move(set={"cra_cau": 20.0}, add={"x": 3.0}, zoom=1.1))
    assert sliders_of(pose, CENTRE) == pytest.approx(START._replace(cra_cau=20.0, x=15.0, depth=770.0))


def test_isocentre_stays_in_front_of_the_source():
    pose = moved(pose_of(START, CENTRE), CENTRE, CAMERA, Move(add={"depth": -5000.0}))
    assert sliders_of(pose, CENTRE).depth == pytest.approx(1.0)


@pytest.mark.parametrize(
    "parts, words",
    [
        ({"set": {"tilt": 1.0}}, "sliders are lao_rao.*tilt"),
        ({"add": {"x": float("nan")}}, "finite"),
        ({"set": {"x": "3"}}, "finite"),
        ({"drag": (1.0,)}, "drag of 2"),
        ({"zoom": 0.0}, "zoom must be positive"),
    ],
)
def test_moves_that_make_no_sense_are_refused(parts, words):
    with pytest.raises(InputError, match=words):
        Move(**parts)


def test_deviations_of_a_turn_about_the_beam_and_of_a_shift_along_it():
    """A twist about the central axis is roll; a shift along the beam is depth; nothing else moves."""
    pose = pose_of(Sliders(30.0, -10.0, 5.0, 0.0, 0.0, 700.0), CENTRE)
    beam = pose[:3, 2]
    covariance = torch.zeros(6, 6, dtype=torch.float64)
    covariance[:3, :3] = 0.01**2 * torch.outer(beam, beam)
    covariance[3:, 3:] = 2.0**2 * torch.outer(beam, beam)
    found = slider_deviations(pose, CENTRE, covariance, CENTRE)
    assert found == pytest.approx(Sliders(0.0, 0.0, math.degrees(0.01), 0.0, 0.0, 2.0), abs=1e-6)


def test_deviations_agree_with_drawn_twists():
    pose, pivot = pose_of(START, CENTRE), CENTRE + 20.0
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    root[:3] *= 1e-3
    covariance = root @ root.mT
    there, back = (rigid_matrix(torch.eye(3, dtype=torch.float64), sign * pivot) for sign in (1, -1))
    twists = torch.randn(400, 6, generator=generator, dtype=torch.float64) @ root.mT
    drawn = [sliders_of(there @ se3_exp(twist.roll(3)) @ back @ pose, CENTRE) for twist in twists]
    measured = torch.tensor(drawn, dtype=torch.float64).std(0)
    assert measured.tolist() == pytest.approx(slider_deviations(pose, CENTRE, covariance, pivot), rel=0.12)
