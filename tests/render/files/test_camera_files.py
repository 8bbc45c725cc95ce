"""One function reads every camera file: the content decides the format, and what contradicts it is refused."""

import pytest
import torch
from support.views import assert_same_view, poses
from xraykit.render import Camera, write_pose
from xraykit.render.converters import from_rtk, read_rtk, to_rtk, write_jointtrack, write_mayacam, write_rtk
from xraykit.render.errors import FileError
from xraykit.render.files import CameraNeeds, read_cameras

SQUARE = Camera(1020.0, 30, 41, pixel_spacing=2.5, principal_point=(17.25, 18.5))
IMAGE = CameraNeeds(height=30, width=41)


@pytest.fixture
def folder(tmp_path):
    """The same view in every format, under names that say nothing."""
    pose = poses()[1:2]
    write_pose(tmp_path / "a.dat", SQUARE, pose)
    write_mayacam(tmp_path / "b.dat", SQUARE, pose)
    write_jointtrack(tmp_path / "c.dat", SQUARE)
    write_rtk(tmp_path / "d.dat", to_rtk(SQUARE, poses()))
    return tmp_path


def test_pose_json_needs_nothing(folder):
    found = read_cameras(folder / "a.dat")
    assert (found.kind, found.assumptions, found.mirrored) == ("pose.json", (), False)
    assert_same_view((found.camera, found.pose), (SQUARE, poses()[1:2]))


def test_text_takes_its_scale_from_the_caller(folder):
    for scale in ({"sdd": 1020.0}, {"pixel_spacing": 2.5}, {"sdd": 1020.2, "pixel_spacing": 2.5}):
        found = read_cameras(folder / "b.dat", CameraNeeds(**scale))
        assert (found.kind, found.assumptions) == ("camera text", ())
        assert_same_view((found.camera, found.pose), (SQUARE, poses()[1:2]))
    (note,) = read_cameras(folder / "b.dat").assumptions
    assert note.startswith("sdd: b.dat does not state it")


def test_jointtrack_takes_the_size_from_the_caller(folder):
    found = read_cameras(folder / "c.dat", IMAGE)
    assert found.kind == "JointTrack calibration"
    assert_same_view((found.camera, torch.eye(4)[None].double()), (SQUARE, torch.eye(4)[None].double()))
    assert found.assumptions[0].startswith("size: c.dat does not state")


def test_rtk_gives_one_view_for_each_projection(folder):
    found = read_cameras(folder / "d.dat", CameraNeeds(height=30, width=41, pixel_spacing=(2.5, 2.5)))
    expected = from_rtk(read_rtk(folder / "d.dat", size=(41, 30), spacing=(2.5, 2.5)))
    assert found.mirrored
    views = found.views()
    assert len(views) == 4
    for n, view in enumerate(views):
        assert isinstance(view.camera.sdd, float)
        torch.testing.assert_close(view.pose, expected.pose[n : n + 1])
        assert view.camera.principal_point == pytest.approx(expected.camera.principal_point[n].tolist())


@pytest.mark.parametrize(
    ("name", "needs", "says"),
    [
        ("a.dat", {"height": 31, "width": 41}, "30 rows x 41 columns, got one of 31 x 41"),
        ("a.dat", {"sdd": 900.0}, "states sdd itself, 1020.0 mm, got --sdd 900.0; leave the option out"),
        ("a.dat", {"pixel_spacing": (2.5, 2.6)}, "states pixel_spacing itself"),
        ("b.dat", {"height": 41, "width": 30}, "30 rows x 41 columns, got one of 41 x 30"),
        ("b.dat", {"sdd": 900.0, "pixel_spacing": 2.5}, "distance of 1020.0 mm, got 900.0 mm; give one of the two"),
        ("c.dat", {}, "does not state the size of its image"),
        ("c.dat", {"height": 30, "width": 41, "pixel_spacing": 0.3}, "states pixel_spacing itself"),
        ("d.dat", {"height": 30, "width": 41}, "does not state the pixel spacing .* --pixel-spacing"),
        ("absent.dat", {}, "a camera file was expected"),
    ],
)
def test_what_contradicts_the_file_or_is_missing_is_refused(folder, name, needs, says):
    with pytest.raises(FileError, match=says):
        read_cameras(folder / name, CameraNeeds(**needs))


def test_text_that_is_no_camera_is_refused(folder):
    (folder / "e.dat").write_text("notes about a camera")
    with pytest.raises(FileError, match=r"may have the headings .* got 'notes about a camera'"):
        read_cameras(folder / "e.dat")
