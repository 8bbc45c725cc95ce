"""Cameras of X-rays from calibration files: whose is whose, what wins, and what is refused."""

from dataclasses import replace

import pytest
import torch
from PIL import Image
from support.registrations import CAMERA, lopsided, true_pose
from xraykit.render import Camera, FileError, InputError, render, write_pose
from xraykit.render.converters import to_projection_matrix, to_rtk, write_jointtrack, write_mayacam, write_rtk
from xraykit.xvr.start.candidates import calibrated_places
from xraykit.xvr.xray import XraySettings, read_shot, read_shots

F64 = torch.float64
OFF_CENTRE = replace(CAMERA, principal_point=(20.0, 19.0))
OTHER = replace(CAMERA, principal_point=(25.0, 22.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two X-rays as pictures, in folders that name their camera, and the camera files."""
    path, volume = tmp_path_factory.mktemp("biplane"), lopsided()
    for number, (camera, pose) in enumerate(zip((OFF_CENTRE, OTHER), poses(), strict=True), start=1):
        image = render(volume, camera, pose[None])[0, 0]
        (path / f"cam{number}").mkdir()
        picture = Image.fromarray((255 - 200 * image / image.max()).byte().numpy())
        picture.save(path / f"cam{number}/000.png")
        write_mayacam(path / f"cam{number}.txt", camera, pose)
        write_pose(path / f"pose{number}.json", camera, pose)
    write_jointtrack(path / "calibration.txt", OFF_CENTRE)
    matrix = to_projection_matrix(OFF_CENTRE, poses()[0], pixel_center="integer", mirrored=True)[0]
    (path / "mirrored.txt").write_text("\n".join(" ".join(map(repr, row)) for row in matrix.tolist()))
    return path


def poses() -> torch.Tensor:
    first = true_pose(lopsided())
    turn = torch.tensor([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=F64)
    return torch.cat([first.double(), turn @ first.double()])


def xrays(folder, numbers=(1, 2)):
    return [folder / f"cam{number}/000.png" for number in numbers]


def numbers_of(camera: Camera) -> list[float]:
    return torch.cat([part.flatten() for part in camera.tensors(dtype=F64, device="cpu")]).tolist()


@pytest.mark.parametrize("names", [("cam1.txt", "cam2.txt"), ("pose1.json", "pose2.json")])
def test_each_xray_gets_its_camera_and_knows_its_place(folder, names):
    settings = XraySettings(sdd=1000.0, polarity="log_intensity")
    shots = read_shots(xrays(folder), settings, cameras=[folder / name for name in names])
    for shot, camera, pose in zip(shots, (OFF_CENTRE, OTHER), poses(), strict=True):
        assert numbers_of(shot.camera) == pytest.approx(numbers_of(camera))
        torch.testing.assert_close(shot.pose, pose)
    torch.testing.assert_close(calibrated_places(shots), torch.linalg.inv(poses()[:1]) @ poses())


def test_without_camera_files_no_shot_has_a_place(folder):
    shots = read_shots(xrays(folder), XraySettings(sdd=1000.0, pixel_spacing=4.0))
    assert [shot.pose for shot in shots] == [None, None]
    assert calibrated_places(shots) is None


def test_what_the_camera_file_leaves_open_becomes_a_note(folder):
    shot = read_shot(xrays(folder)[0], camera=folder / "cam1.txt")
    assert "camera: as cam1.txt states it (camera text)" in shot.notes
    (scale,) = [note for note in shot.notes if note.startswith("sdd:")]
    assert "1.5 times" in scale
    assert not any(note.startswith("principal_point") for note in shot.notes)
    one = read_shot(xrays(folder)[0], camera=folder / "calibration.txt")
    assert any(note.startswith("size: calibration.txt does not state") for note in one.notes)
    assert numbers_of(one.camera) == pytest.approx(numbers_of(OFF_CENTRE))


def test_one_jointtrack_camera_serves_all_xrays(folder):
    shots = read_shots(xrays(folder), cameras=[folder / "calibration.txt"])
    assert [numbers_of(shot.camera) for shot in shots] == [pytest.approx(numbers_of(OFF_CENTRE))] * 2
    with pytest.raises(InputError, match="different places, got cameras that state one place"):
        calibrated_places(shots)


def test_a_file_of_several_views_serves_as_many_xrays(folder, tmp_path):
    write_rtk(tmp_path / "geometry.xml", to_rtk(CAMERA, poses()))
    settings = XraySettings(pixel_spacing=4.0)
    shots = read_shots(xrays(folder), settings, cameras=[tmp_path / "geometry.xml"])
    places = torch.stack([shot.pose[:3, 3] for shot in shots])
    torch.testing.assert_close(places, poses()[:, :3, 3])
    with pytest.raises(InputError, match="holds 2 views, got 1 for it"):
        read_shot(xrays(folder)[0], settings, camera=tmp_path / "geometry.xml")


def test_a_mirrored_camera_mirrors_the_image_back(folder):
    plain = read_shot(xrays(folder)[0], XraySettings(sdd=1000.0), camera=folder / "cam1.txt")
    turned = read_shot(xrays(folder)[0], XraySettings(sdd=1000.0), camera=folder / "mirrored.txt")
    torch.testing.assert_close(turned.image, plain.image.flip(-1))
    torch.testing.assert_close(turned.pose, plain.pose, atol=1e-6, rtol=0)
    assert numbers_of(turned.camera) == pytest.approx(numbers_of(OFF_CENTRE), abs=1e-6)
    with pytest.raises(InputError, match="says that its image is mirrored"):
        read_shot(xrays(folder)[0], XraySettings(mirror=False), camera=folder / "mirrored.txt")


def test_the_camera_follows_a_crop(folder):
    shot = read_shot(xrays(folder)[0], XraySettings(sdd=1000.0, crop=4), camera=folder / "cam1.txt")
    assert (shot.camera.height, shot.camera.width) == (32, 40)
    assert shot.camera.principal_point == pytest.approx((16.0, 15.0))


def test_swapped_views_another_size_and_stray_files_are_refused(folder, tmp_path):
    swapped = [folder / "cam2.txt", folder / "cam1.txt"]
    with pytest.raises(InputError, match=r"cam2.txt was given for .*cam1/000.png, which is of camera 1"):
        read_shots(xrays(folder), cameras=swapped)
    with pytest.raises(InputError, match="once for each of 2 X-rays, got 3"):
        read_shots(xrays(folder), cameras=[*swapped, swapped[0]])
    with pytest.raises(FileError, match=r"a camera file was expected at .*absent.txt"):
        read_shots(xrays(folder), cameras=[folder / "absent.txt"])
    with pytest.raises(InputError, match="states the principal point, got --principal-point too"):
        read_shot(xrays(folder)[0], XraySettings(principal_point=(1.0, 2.0)), camera=folder / "cam1.txt")
    write_mayacam(tmp_path / "large.txt", Camera(1000.0, 80, 96, pixel_spacing=2.0), poses()[:1])
    with pytest.raises(FileError, match="80 rows x 96 columns, got one of 40 x 48"):
        read_shot(xrays(folder)[0], camera=tmp_path / "large.txt")
