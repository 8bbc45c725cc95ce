"""JointTrack's calibration.txt, by its published projection, there and back, and refused."""

import pytest
import torch
from support.views import pixels
from xraykit.render import Camera
from xraykit.render.converters import read_jointtrack, write_jointtrack
from xraykit.render.errors import FileError, GeometryError

F64 = torch.float64
SIZE = {"height": 30, "width": 40}


@pytest.mark.parametrize(
    "text", ["JT_INTCALIB\n1200\n12\n-8\n0.4\n", "JTA_INTCALIB,1200,12,-8,0.4", "JT_INTCALIB 1200 12 -8 0.4"]
)
def test_points_appear_where_jointtrack_projects_them(tmp_path, text):
    (tmp_path / "calibration.txt").write_text(text)
    view = read_jointtrack(tmp_path / "calibration.txt", **SIZE)
    assert not view.mirrored
    x, y, z = point = (20.0, 30.0, -1000.0)
    expected = torch.tensor([[[20 + (12 + 1200 * x / -z) / 0.4, 15 - (-8 + 1200 * y / -z) / 0.4]]], dtype=F64)
    torch.testing.assert_close(pixels(torch.tensor([point], dtype=F64), view.camera, view.pose), expected)


def test_round_trip_keeps_every_number(tmp_path):
    camera = Camera(1200.0, 30, 40, pixel_spacing=0.4, principal_point=(17.0, 18.5))
    write_jointtrack(tmp_path / "a.txt", camera)
    view = read_jointtrack(tmp_path / "a.txt", **SIZE)
    for one, two in zip(
        view.camera.tensors(dtype=F64, device="cpu"), camera.tensors(dtype=F64, device="cpu"), strict=True
    ):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("JTA_INTCALIB_BIPLANE\n1 2 3 4", "must begin with JT_INTCALIB or JTA_INTCALIB, got 'JTA_INTCALIB_BIPLANE'"),
        ("JT_INTCALIB\n1198\n0\n0", "must give 4 numbers .* got 3"),
        ("JT_INTCALIB\n1198\n0\n0\n0", "states no camera: pixel_spacing must be positive"),
        ("JT_INTCALIB\n-1198\n0\n0\n0.4", "states no camera: sdd must be positive"),
        ("JT_INTCALIB\nfar\n0\n0\n0.4", "must give numbers .* got 'far'"),
        ("", "must begin with"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path, text, says):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(FileError, match=says):
        read_jointtrack(tmp_path / "a.txt", **SIZE)


def test_cameras_that_a_calibration_cannot_state_are_refused(tmp_path):
    with pytest.raises(GeometryError, match="square pixels"):
        write_jointtrack(tmp_path / "a.txt", Camera(1200.0, 30, 40, pixel_spacing=(0.4, 0.5)))
    with pytest.raises(GeometryError, match="one camera"):
        write_jointtrack(tmp_path / "a.txt", Camera(torch.tensor([1200.0, 1300.0]), 30, 40))
    assert not list(tmp_path.iterdir())
