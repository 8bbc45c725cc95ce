"""DICOM positioner tags to a view and back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support.views import assert_same_view, poses
from xraykit.render import Camera, carm_pose
from xraykit.render.converters import from_dicom_tags, to_dicom_tags
from xraykit.render.errors import GeometryError

F64 = torch.float64
TAGS = {
    "PositionerPrimaryAngle": 30.0,
    "PositionerSecondaryAngle": -12.5,
    "DistanceSourceToPatient": 750.0,
    "DistanceSourceToDetector": 1100.0,
    "ImagerPixelSpacing": [0.3, 0.2],
    "Rows": 800,
    "Columns": 1000,
}
ISOCENTER = torch.tensor([10.0, -20.0, 300.0], dtype=F64)


def test_positive_angles_move_the_detector_left_and_towards_the_head():
    camera, pose = from_dicom_tags(TAGS | {"PositionerSecondaryAngle": 12.5}, isocenter=ISOCENTER)
    detector = pose[0, :3, 3] + 1100 * pose[0, :3, 2] - ISOCENTER
    assert detector[0] < 0  # left is -x in RAS
    assert detector[1] > 0
    assert detector[2] > 0
    assert detector.norm() == pytest.approx(350.0)
    assert (camera.sdd, camera.height, camera.width, camera.pixel_spacing) == (1100.0, 800, 1000, (0.3, 0.2))


def test_tags_mean_a_carm_without_roll_about_the_isocentre():
    _, pose = from_dicom_tags(TAGS, isocenter=ISOCENTER)
    expected = carm_pose(lao_rao=30.0, cra_cau=-12.5, sod=750.0, isocenter=ISOCENTER)
    torch.testing.assert_close(pose, expected.double())
    assert pose.dtype == F64


def test_a_pydicom_dataset_says_the_same_as_plain_values():
    dataset = Dataset()
    for name, value in TAGS.items():
        setattr(dataset, name, value)
    assert_same_view(from_dicom_tags(dataset, isocenter=ISOCENTER), from_dicom_tags(TAGS, isocenter=ISOCENTER))


def test_numbers_written_as_text_are_read():
    text = {
        name: str(value) if not isinstance(value, list) else [str(v) for v in value] for name, value in TAGS.items()
    }
    assert_same_view(from_dicom_tags(text, isocenter=ISOCENTER), from_dicom_tags(TAGS, isocenter=ISOCENTER))


@settings(max_examples=15, deadline=None)
@given(st.floats(-179, 179), st.floats(-89, 89), st.floats(100, 1000))
def test_tags_come_back(primary, secondary, sod):
    tags = TAGS | {
        "PositionerPrimaryAngle": primary,
        "PositionerSecondaryAngle": secondary,
        "DistanceSourceToPatient": sod,
    }
    back = to_dicom_tags(*from_dicom_tags(tags, isocenter=ISOCENTER), isocenter=ISOCENTER)
    assert back.keys() == tags.keys()
    for name, value in tags.items():
        assert back[name] == pytest.approx(value, abs=1e-6)


def test_all_missing_tags_are_named():
    tags = {name: value for name, value in TAGS.items() if name not in ("ImagerPixelSpacing", "PositionerPrimaryAngle")}
    tags["DistanceSourceToPatient"] = None
    wanted = "got no value for PositionerPrimaryAngle, DistanceSourceToPatient, ImagerPixelSpacing; supply"
    with pytest.raises(GeometryError, match=wanted):
        from_dicom_tags(tags, isocenter=ISOCENTER)
    with pytest.raises(GeometryError, match="got no value for PositionerPrimaryAngle, PositionerSecondaryAngle, Dist"):
        from_dicom_tags(Dataset(), isocenter=ISOCENTER)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"DistanceSourceToPatient": 1100.0},
            "DistanceSourceToPatient must lie between 0 and DistanceSourceToDetector",
        ),
        ({"DistanceSourceToPatient": -1.0}, "got -1.0 mm and 1100.0 mm"),
        ({"PositionerPrimaryAngle": "left"}, "PositionerPrimaryAngle must be a number, got 'left'"),
        ({"PositionerPrimaryAngle": float("nan")}, "PositionerPrimaryAngle must be finite"),
        ({"ImagerPixelSpacing": 0.2}, "ImagerPixelSpacing must hold two numbers"),
        ({"ImagerPixelSpacing": [0.2, 0.0]}, "pixel_spacing must be positive"),
        ({"Rows": 0}, "height must be a positive whole number"),
        ({"Rows": 10.5}, "Rows must be a whole number"),
        ({"PositionerPrimaryAngleIncrement": [0.0, 1.5]}, "change from frame to frame"),
        ({"DetectorPrimaryAngle": 3.0}, "DetectorPrimaryAngle must be 0 or absent, got 3.0"),
        ({"DetectorPrimaryAngle": "3"}, "DetectorPrimaryAngle must be 0 or absent, got 3"),
        ({"FieldOfViewHorizontalFlip": "YES"}, "FieldOfViewHorizontalFlip must be NO or absent"),
    ],
)
def test_impossible_tags_are_refused(change, message):
    with pytest.raises(GeometryError, match=message):
        from_dicom_tags(TAGS | change, isocenter=ISOCENTER)


def test_tags_that_say_nothing_happened_change_nothing():
    idle = {
        "PositionerPrimaryAngleIncrement": [0.0, 0.0],
        "DetectorSecondaryAngle": "0",
        "FieldOfViewRotation": None,
        "FieldOfViewHorizontalFlip": "NO",
    }
    assert_same_view(from_dicom_tags(TAGS | idle, isocenter=ISOCENTER), from_dicom_tags(TAGS, isocenter=ISOCENTER))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"roll": 5.0}, "roll=5 degrees"),
        ({"offset": (1.0, 0.0, 0.0)}, "offset=1 mm"),
    ],
)
def test_what_the_tags_cannot_say_is_refused(change, message):
    pose = carm_pose(sod=700.0, isocenter=ISOCENTER, **change)
    with pytest.raises(GeometryError, match=message):
        to_dicom_tags(Camera(1000.0, 10, 10), pose, isocenter=ISOCENTER)


def test_shifted_principal_points_several_views_and_close_detectors_are_refused():
    pose = carm_pose(sod=700.0, isocenter=ISOCENTER)
    with pytest.raises(GeometryError, match=r"shift=1\.5 px"):
        to_dicom_tags(Camera(1000.0, 10, 10, principal_point=(5.0, 6.5)), pose, isocenter=ISOCENTER)
    with pytest.raises(GeometryError, match="between source and detector, got sod=700"):
        to_dicom_tags(Camera(600.0, 10, 10), pose, isocenter=ISOCENTER)
    with pytest.raises(GeometryError, match="describe one view, got 4"):
        to_dicom_tags(Camera(600.0, 10, 10), poses(), isocenter=ISOCENTER)


STAND = {
    "PositionerPrimaryAngle": 30,
    "PositionerSecondaryAngle": -10,
    "DistanceSourceToPatient": 700,
    "DistanceSourceToDetector": 1000,
    "ImagerPixelSpacing": [0.4, 0.4],
    "Rows": 20,
    "Columns": 30,
}


def run_of(increments: list[float], frames: int, **tags: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in {**STAND, "NumberOfFrames": frames, **tags}.items():
        setattr(dataset, keyword, value)
    if increments:
        dataset.PositionerPrimaryAngleIncrement = increments
    return dataset


@pytest.mark.parametrize(
    ("increments", "frames", "angle"),
    [([0, 10, 20, 30], 4, 50.0), ([10], 4, 50.0), ([0, 10, 10, 10], 4, 50.0), ([10, 20, 30], 4, 50.0), ([], 4, 30.0)],
)
def test_a_frame_of_a_rotational_run_has_its_own_angle(increments, frames, angle):
    dataset = run_of(increments, frames)
    pose = from_dicom_tags(dataset, isocenter=(0.0, 0.0, 0.0), frame=2)[1]
    expected = carm_pose(lao_rao=angle, cra_cau=-10.0, sod=700.0, isocenter=torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(pose, expected, atol=1e-9, rtol=0)
    if increments:
        with pytest.raises(GeometryError, match=r"change from frame to frame .*choose one with frame="):
            from_dicom_tags(dataset, isocenter=(0.0, 0.0, 0.0))


def test_functional_groups_give_angles_and_distances_of_each_frame():
    dataset, frames = run_of([], 2), []
    for name in ("PositionerPrimaryAngle", "DistanceSourceToPatient"):
        delattr(dataset, name)
    for n in range(2):
        frame, position, distance = Dataset(), Dataset(), Dataset()
        position.PositionerPrimaryAngle, distance.DistanceSourceToIsocenter = 5.0 * n, 700.0 + n
        frame.PositionerPositionSequence, frame.XRayGeometrySequence = Sequence([position]), Sequence([distance])
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(frames)
    pose = from_dicom_tags(dataset, isocenter=(0.0, 0.0, 0.0), frame=1)[1]
    torch.testing.assert_close(pose, carm_pose(lao_rao=5.0, cra_cau=-10.0, sod=701.0).to(pose), atol=1e-4, rtol=0)
    with pytest.raises(GeometryError, match="choose one with frame="):
        from_dicom_tags(dataset, isocenter=(0.0, 0.0, 0.0))


def test_an_image_that_was_turned_clockwise_is_seen_by_a_camera_turned_back():
    upright, turned = (
        from_dicom_tags(run_of([], 1, FieldOfViewRotation=angle), isocenter=(0.0, 0.0, 0.0))[1] for angle in (0, 90)
    )
    # What was to the right of the upright image lies below in the turned one, and what was above lies right of it.
    torch.testing.assert_close(turned[0, :3, 1], upright[0, :3, 0], atol=1e-6, rtol=0)
    torch.testing.assert_close(turned[0, :3, 0], -upright[0, :3, 1], atol=1e-6, rtol=0)
