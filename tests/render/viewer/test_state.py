"""The sliders' state gives the camera and pose of the geometry page, and the words and letters a reader expects."""

import pytest
import torch
from xraykit.render import GeometryError, InputError, carm_pose
from xraykit.render.geometry import VIEWS
from xraykit.render.viewer.state import ViewerState, angles_in_words

CENTER = torch.tensor([3.0, -20.0, 140.0], dtype=torch.float64)


def test_pose_is_that_of_carm_pose_about_the_centre_and_offset():
    state = ViewerState(lao_rao=31.0, cra_cau=-12.0, roll=5.0, sod=640.0, aim=(4.0, -7.0, 60.0))
    offset = torch.tensor([4.0, -7.0, 60.0], dtype=torch.float64)
    wanted = carm_pose(lao_rao=31.0, cra_cau=-12.0, roll=5.0, sod=640.0, isocenter=CENTER, offset=offset)
    assert torch.equal(state.pose(CENTER), wanted)
    assert state.pose(CENTER).dtype == torch.float64


def test_camera_covers_the_field_with_its_pixels():
    camera = ViewerState(sdd=1100.0, field=300.0, size=150).camera
    assert (camera.sdd, camera.height, camera.width, camera.pixel_spacing) == (1100.0, 150, 150, 2.0)


def test_isocentre_is_in_the_middle_of_the_picture():
    state = ViewerState(lao_rao=20.0, cra_cau=15.0, aim=(10.0, 0.0, -30.0))
    pose = state.pose(CENTER)[0]
    local = pose[:3, :3].T @ (CENTER + CENTER.new_tensor(state.aim) - pose[:3, 3])
    assert torch.allclose(local, CENTER.new_tensor([0.0, 0.0, state.sod]), atol=1e-9)


@pytest.mark.parametrize("sod", [0.0, 1020.0, 2000.0, float("nan")])
def test_isocentre_behind_the_detector_or_source_is_refused(sod):
    with pytest.raises(GeometryError, match="sod must be between 0 and sdd"):
        ViewerState(sod=sod).camera  # noqa: B018


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_standard_view_sets_angles_and_mirror(name):
    state = ViewerState(lao_rao=7.0, cra_cau=8.0, roll=9.0, sod=600.0).turned_to(name)
    assert {"lao_rao": state.lao_rao, "cra_cau": state.cra_cau, "roll": state.roll} == VIEWS[name].angles
    assert state.mirrored == VIEWS[name].mirrored_display
    assert state.sod == 600.0


def test_unknown_view_is_refused():
    with pytest.raises(InputError, match=r"view must be one of ap, .*got 'front'"):
        ViewerState().turned_to("front")


def test_magnification_is_sdd_over_sod():
    assert ViewerState(sdd=1000.0, sod=500.0).magnification == 2.0


@pytest.mark.parametrize(
    ("angles", "words"),
    [
        ((30.0, 10.0, 0.0), "LAO 30°  CRA 10°"),
        ((-30.0, -10.0, 4.0), "RAO 30°  CAU 10°  roll 4°"),
        ((0.0, 0.0, 0.0), "LAO/RAO 0°  CRA/CAU 0°"),
    ],
)
def test_angles_are_named_as_on_a_carm(angles, words):
    assert angles_in_words(ViewerState(*angles)) == words
