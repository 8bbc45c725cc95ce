"""The detector that a network is made for: a preset's, the user's, or that of a camera file."""

import pytest
import torch
from support.training import quick
from xraykit.render import Camera, FileError, InputError, carm_pose, write_pose
from xraykit.render.converters import write_mayacam
from xraykit.xvr import Shot
from xraykit.xvr.network.canonical import canonical_image
from xraykit.xvr.train.completion import completed
from xraykit.xvr.train.detector import chosen_frame, square_round
from xraykit.xvr.train.poses import chosen_range, draw

ASIDE = Camera(sdd=1100.0, height=60, width=80, pixel_spacing=(3.0, 2.5), principal_point=(31.0, 39.0))
POSE = carm_pose(lao_rao=170.0, sod=700.0, isocenter=torch.zeros(3)).double()


def written(path, camera=ASIDE):
    write_pose(path, camera, POSE)
    return path


def frame_of(folder, **changes):
    return chosen_frame(completed(quick(folder / "out", ct=folder / "ct.nii", **changes)))


def test_the_detector_is_the_preset_s_unless_told(tmp_path):
    preset = frame_of(tmp_path, preset="ljubljana", size=64)
    assert (preset.sdd, preset.delx, preset.principal_point) == (1250.0, pytest.approx(2 * 2.31), None)
    own = frame_of(tmp_path, sdd=900.0, field_of_view=320.0, size=64)
    assert (own.sdd, own.delx) == (900.0, 5.0)


def test_a_camera_file_gives_the_square_round_its_detector(tmp_path):
    frame = frame_of(tmp_path, camera=written(tmp_path / "camera.json"), size=32)
    camera = frame.camera()
    assert frame.sdd == 1100.0 and frame.delx == pytest.approx(200.0 / 32)  # 80 columns of 2.5 mm, 60 rows of 3 mm
    for (u, v), expected in (((0, 0), (0.0, 16 - 90 / 6.25)), ((80, 60), (32.0, 16 + 90 / 6.25)), ((40, 30), (16, 16))):
        x, y = (u - 31.0) * 2.5, (v - 39.0) * 3.0  # on the detector, from the foot of the perpendicular [mm]
        seen = (x / frame.delx + camera.principal_point[0], y / frame.delx + camera.principal_point[1])
        assert seen == pytest.approx(expected, abs=1e-9)


def test_a_text_with_K_alone_is_told_size_and_scale(tmp_path):
    bare = tmp_path / "K.txt"
    write_mayacam(bare, ASIDE, POSE)
    rows = bare.read_text().splitlines()
    numbers = [line for line in rows if line and not line[0].isalpha()][1:]  # without the image size
    bare.write_text("\n".join(numbers) + "\n")
    frame = frame_of(tmp_path, camera=bare, image_size=(60, 80), sdd=1100.0, size=40)
    wanted = square_round(ASIDE, 40)
    assert frame.delx == pytest.approx(float(wanted.pixel_spacing), rel=1e-6)
    assert frame.camera().principal_point == pytest.approx(wanted.principal_point, rel=1e-6)


def test_a_network_of_that_camera_sees_its_x_rays_as_they_are(tmp_path):
    camera = Camera(sdd=900.0, height=48, width=48, pixel_spacing=4.0, principal_point=(11.0, 30.0))
    frame = frame_of(tmp_path, camera=written(tmp_path / "camera.json", camera), size=48)
    image = torch.rand(48, 48, generator=torch.Generator().manual_seed(3))
    seen = canonical_image(Shot(image, camera), frame)[0, 0]
    torch.testing.assert_close(seen, (image - image.min()) / (image.max() - image.min()), atol=1e-5, rtol=0)


def test_the_range_of_poses_counts_from_where_the_isocentre_is_in_the_middle_of_the_detector(tmp_path):
    still = {"tx": (0.0, 0.0), "tz": (0.0, 0.0), "ty": (600.0, 800.0)}
    center = torch.tensor([20.0, -50.0, 300.0], dtype=torch.float64)
    for pose in draw(chosen_range(quick(tmp_path, **still).poses), center, 5, (1,), ASIDE):
        x, y, z = pose[:3, :3].T @ (center - pose[:3, 3])
        u, v = ASIDE.sdd / 2.5 * x / z + 31.0, ASIDE.sdd / 3.0 * y / z + 39.0
        assert (float(u), float(v)) == pytest.approx((40.0, 30.0), abs=1e-9)
        assert 600.0 <= float(z) <= 800.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": (80, 60)}, "is of an image of 60 rows x 80 columns, got one of 80 x 60"),
        ({"sdd": 1000.0}, "states sdd itself, 1100.0 mm, got --sdd 1000.0"),
        ({"field_of_view": 300.0}, "states the detector, got --field-of-view too"),
        ({"checkpoint": "w", "size": None}, "brings its own network and detector, got also --camera"),
        ({"camera": None, "image_size": (60, 80)}, "--image-size completes a camera file, got no --camera"),
        ({"camera": None, "pixel_spacing": (2.5,)}, "--pixel-spacing completes a camera file, got no --camera"),
        ({"image_size": (0, 80)}, "--image-size must be two positive whole numbers of rows and columns, got 0 80"),
    ],
)
def test_options_that_contradict_the_camera_are_refused(tmp_path, changes, message):
    camera = written(tmp_path / "camera.json")
    with pytest.raises((InputError, FileError), match=message):
        frame_of(tmp_path, **{"camera": camera} | changes)
    assert not (tmp_path / "out").exists()


def test_a_file_without_size_or_of_several_views_is_refused(tmp_path):
    calibration = tmp_path / "calibration.txt"
    calibration.write_text("JT_INTCALIB\n1198\n0\n0\n0.373\n")
    with pytest.raises(FileError, match=r"does not state the size.*--image-size"):
        frame_of(tmp_path, camera=calibration)
    assert frame_of(tmp_path, camera=calibration, image_size=(64, 64)).sdd == 1198.0
    projection = "".join(
        "<Projection><SourceToDetectorDistance>1500</SourceToDetectorDistance>"
        f"<SourceToIsocenterDistance>1000</SourceToIsocenterDistance><GantryAngle>{angle}</GantryAngle></Projection>"
        for angle in (0, 90)
    )
    views = tmp_path / "geometry.xml"
    views.write_text(
        '<?xml version="1.0"?><!DOCTYPE RTKGEOMETRY><RTKThreeDCircularGeometry version="3">'
        f"{projection}</RTKThreeDCircularGeometry>"
    )
    with pytest.raises(InputError, match="must hold one camera to train for, got 2 views"):
        frame_of(tmp_path, camera=views, image_size=(64, 64), pixel_spacing=(1.0,))
