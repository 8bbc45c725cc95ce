"""The table of standard views: its angles mean what DICOM's do, its sides mirror, its names are clean."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from xraykit.render import carm_pose
from xraykit.render.geometry import VIEWS
from xraykit.render.views import STANDARD_VIEWS
from xraykit.render.views.placement import UPWARDS, camera_axes

TRUNK = {"skull", "cervical_spine", "thoracic_spine", "lumbar_spine", "thorax", "abdomen_pelvis"}
REGIONS = TRUNK | {"hip", "knee", "ankle_foot", "shoulder", "elbow", "wrist_hand"}
PAIRS = [name for name in STANDARD_VIEWS if name.endswith("_right")]


@given(a=st.floats(-360, 360), b=st.floats(-89, 89), roll=st.floats(-180, 180))
@settings(max_examples=30, deadline=None)
def test_source_direction_becomes_the_c_arm_of_dicom(a, b, roll):
    pose = carm_pose(lao_rao=180.0 - a, cra_cau=b, roll=roll, sod=1000.0)[0].double()
    axes = camera_axes(a, b, roll=roll)
    torch.testing.assert_close(axes, pose[:3, :3], atol=1e-6, rtol=0)
    a, b = math.radians(a), math.radians(b)
    source = [1000 * math.sin(a) * math.cos(b), 1000 * math.cos(a) * math.cos(b), -1000 * math.sin(b)]
    torch.testing.assert_close(pose[:3, 3], torch.tensor(source, dtype=torch.float64), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", STANDARD_VIEWS)
def test_angles_by_name_are_those_of_the_view(name):
    view = STANDARD_VIEWS[name]
    assert -180 < view.lao_rao <= 180
    assert -90 <= view.cra_cau <= 90
    if view.up == "+z":
        pose = carm_pose(lao_rao=view.lao_rao, cra_cau=view.cra_cau, sod=1.0).double()
        torch.testing.assert_close(camera_axes(view.a, view.b), pose[0, :3, :3], atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("name", "angles"),
    [
        ("chest_ap", (180, 0)),
        ("chest_pa", (0, 0)),
        ("chest_lateral_left", (90, 0)),
        ("chest_lateral_right", (-90, 0)),
        ("pelvis_inlet", (180, -30)),  # caudad beam: the detector tilts to the feet
        ("pelvis_outlet", (180, 40)),  # cephalad beam
        ("sternum_rao", (-17, 0)),  # right anterior oblique: the detector at the front, 17 degrees to the right
        ("lumbar_spine_oblique_left", (135, 0)),  # left posterior oblique: the detector behind at the left
        ("lumbar_spine_oblique_right", (-135, 0)),
        ("judet_iliac_right", (-135, 0)),  # the patient rolled onto the right: RPO
        ("judet_obturator_right", (135, 0)),
        ("skull_towne", (180, -30)),
        ("skull_caldwell", (0, -15)),
        ("cervical_spine_ap", (180, 17)),
    ],
)
def test_well_known_views_have_their_c_arm_angles(name, angles):
    view = STANDARD_VIEWS[name]
    assert (view.lao_rao, view.cra_cau) == angles


@pytest.mark.parametrize(
    ("ours", "name"), [("chest_ap", "ap"), ("chest_pa", "pa"), ("chest_lateral_left", "lateral_left")]
)
def test_frontal_and_lateral_views_agree_with_the_four_basic_ones(ours, name):
    view, basic = STANDARD_VIEWS[ours], VIEWS[name]
    assert (view.lao_rao, view.cra_cau, view.mirrored_display) == (basic.lao_rao, basic.cra_cau, basic.mirrored_display)


@pytest.mark.parametrize("name", PAIRS)
def test_the_left_of_a_view_mirrors_its_right(name):
    right, left = STANDARD_VIEWS[name], STANDARD_VIEWS[name.removesuffix("right") + "left"]
    assert (right.side, left.side) == ("right", "left")
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64))
    of_right, of_left = camera_axes(right.a, right.b, up=right.up), camera_axes(left.a, left.b, up=left.up)
    # mirrored in the world, and its x turned round so that it stays a rotation
    torch.testing.assert_close(of_left, mirror @ of_right @ mirror)
    swapped = {part.replace("left", "?").replace("right", "left").replace("?", "right") for part in left.target.parts}
    assert swapped == set(right.target.parts)
    assert left.field == right.field


def test_the_table_is_clean():
    assert len(STANDARD_VIEWS) > 110
    for name, view in STANDARD_VIEWS.items():
        assert name == view.name
        assert name.islower()
        assert view.region in REGIONS
        assert "{" not in "".join((*view.target.parts, *view.target.needs, *view.target.uncut))
        assert 650 <= view.sid <= 1800
        assert all(180 <= length <= 430 for length in view.field)
        assert view.up in UPWARDS
        assert (view.side != "") == name.endswith(("_left", "_right"))
        assert len(view.target.parts) == 2 or view.target.kind == "centre"
    assert {view.region for view in STANDARD_VIEWS.values()} == REGIONS


def test_only_pictures_from_behind_are_mirrored():
    for view in STANDARD_VIEWS.values():
        behind = math.cos(math.radians(view.a)) < -0.5 and view.frame in ("patient", "head")
        assert view.mirrored_display == (behind or view.name.startswith("scapula_y"))
