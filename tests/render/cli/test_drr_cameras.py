"""`render drr --camera`: an image for each view of camera files, where they say or moved together, and refusals."""

import numpy as np
import pytest
import torch
from xraykit.render import Camera, Volume, carm_pose, read_pose, render, write_pose, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.commands.several_numbers import join_lists, split_numbers
from xraykit.render.converters import write_jointtrack, write_mayacam
from xraykit.render.geometry import rigid_inverse

CAMERA = Camera(900.0, 12, 16, pixel_spacing=(12.0, 10.0), principal_point=(7.0, 6.5))
QUICK = ["--samples", "40", "--backend", "torch"]


@pytest.fixture
def folder(tmp_path):
    """A lopsided CT, and two cameras around it in three kinds of files."""
    hu = torch.full((20, 16, 18), -1000.0)
    hu[3:15, 4:9, 5:16] = 300.0
    affine = torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0]))
    write_volume(tmp_path / "ct.nii.gz", hu, affine)
    for number, pose in enumerate(poses(tmp_path), start=1):
        write_mayacam(tmp_path / f"cam{number}.txt", CAMERA, pose)
        write_pose(tmp_path / f"pose{number}.json", CAMERA, pose)
    write_jointtrack(tmp_path / "calibration.txt", Camera(900.0, 12, 16, pixel_spacing=12.0))
    return tmp_path


def poses(folder):
    center = Volume.from_file(folder / "ct.nii.gz").center
    return [carm_pose(lao_rao=angle, cra_cau=8.0, sod=650.0, isocenter=center).double() for angle in (150.0, 60.0)]


def command(folder, *options):
    return run(["render", "drr", str(folder / "ct.nii.gz"), "-o", str(folder / "out.npy"), *QUICK, *map(str, options)])


@pytest.mark.parametrize("kind", ["cam{}.txt", "pose{}.json"])
@pytest.mark.parametrize("repeated", [True, False])
def test_each_view_gives_the_image_of_its_camera(folder, kind, repeated):
    files = [folder / kind.format(number) for number in (1, 2)]
    given = ["--camera", files[0], "--camera", files[1]] if repeated else ["--camera", *files]
    scale = ["--sdd", 900] if kind.startswith("cam") else []
    assert command(folder, *given, *scale) == 0
    volume = Volume.from_file(folder / "ct.nii.gz")
    for number, pose in enumerate(poses(folder), start=1):
        expected = render(volume, CAMERA, pose, samples=40, backend="torch").numpy()
        assert expected.max() > 0.3
        np.testing.assert_allclose(np.load(folder / f"out_{number}.npy"), expected, atol=1e-5)
        torch.testing.assert_close(read_pose(folder / f"out_{number}.pose.json")[1], pose)
    assert not (folder / "out.npy").exists()


def test_one_view_keeps_the_name_and_takes_what_the_file_leaves_open(folder, capsys):
    options = ["--camera", folder / "calibration.txt", "--size", 12, 16]
    assert command(folder, *options) == 0
    camera, pose = read_pose(folder / "out.pose.json")
    assert (camera.sdd, camera.height, camera.width) == (900.0, 12, 16)
    assert pose[0].diagonal().tolist() == [1.0, -1.0, -1.0, 1.0]
    assert command(folder, "--camera", folder / "cam1.txt") == 0
    assert "note: sdd: cam1.txt does not state it" in capsys.readouterr().err


def test_with_a_view_the_first_stands_there_and_the_others_keep_their_places(folder):
    options = ["--camera", folder / "cam1.txt", folder / "cam2.txt", "--sdd", 900, "--view", "pa", "--sod", 600]
    assert command(folder, *options) == 0
    first, second = (read_pose(folder / f"out_{number}.pose.json")[1] for number in (1, 2))
    center = Volume.from_file(folder / "ct.nii.gz").center
    torch.testing.assert_close(first, carm_pose(lao_rao=0.0, sod=600.0, isocenter=center).double(), atol=1e-4, rtol=0)
    one, two = poses(folder)
    torch.testing.assert_close(rigid_inverse(first) @ second, rigid_inverse(one) @ two, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--camera", "absent.txt"], "a camera file was expected at"),
        (["--camera", "cam1.txt", "--size", "16", "12"], "12 rows x 16 columns, got one of 16 x 12"),
        (["--camera", "calibration.txt"], "does not state the size of its image"),
        (["--camera", "pose1.json", "--sdd", "1000"], "states sdd itself"),
        (["--camera", "pose1.json", "--pose", "pose2.json"], "--pose already holds camera and pose"),
        (["--camera", "cam1.txt", "--view", "ap", "--lao-rao", "3"], "--view sets all three angles"),
        (["--camera", "ct.nii.gz"], "got bytes that are no text"),
        (["--sdd", "900", "--sdd", "1000"], "--sdd may be given once, got it twice; leave one out; views with"),
        (
            ["--pixel-spacing", "1", "--pixel-spacing", "2", "--pixel-spacing", "3"],
            "--pixel-spacing takes one number, or",
        ),
    ],
)
def test_what_does_not_fit_ends_in_one_sentence_and_nothing_written(folder, monkeypatch, capsys, options, says):
    monkeypatch.chdir(folder)
    before = set(folder.iterdir())
    assert command(folder, *options) == 2
    said = capsys.readouterr().err.strip()
    assert says in said
    assert "\n" not in said
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "spacing"),
    [
        (["--pixel-spacing", "12", "10"], [12.0, 10.0]),
        (["--pixel-spacing", "12", "--pixel-spacing", "10"], [12.0, 10.0]),
        (["--pixel-spacing", "12"], [12.0, 12.0]),
    ],
)
def test_pixels_that_are_not_square_are_said_in_either_way(folder, words, spacing):
    assert command(folder, "--size", 12, 16, *words) == 0
    camera, _ = read_pose(folder / "out.pose.json")
    assert list(camera.pixel_spacing) == spacing


def test_a_file_called_like_a_number_is_no_second_spacing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["xvr", "register", "ct", "--pixel-spacing", "0.3", "17", "-o", "out"]
    assert split_numbers(words) == [*words[:5], "--pixel-spacing", *words[5:]]
    (tmp_path / "17").write_text("an X-ray")
    assert split_numbers(words) == words


def test_numbers_of_several_xrays_end_where_files_begin():
    words = "ct --sdd 900 950 1000 x.png 7 --pixel-spacing 0.3 --sdd=900"
    spread = "ct --sdd 900 --sdd 950 --sdd 1000 x.png 7 --pixel-spacing 0.3 --sdd=900"
    assert split_numbers(words.split()) == spread.split()
    assert split_numbers(["--sdd", "-o", "5"]) == ["--sdd", "-o", "5"]


def test_lists_that_begin_with_a_minus_belong_to_the_option_before_them():
    words = ["x.png", "--box", "-5,1,50,50", "--point", "5,5,+", "-.5,7,-", "--sdd", "-1", "-o", "out"]
    joined = ["x.png", "--box=-5,1,50,50", "--point", "5,5,+", "--point=-.5,7,-", "--sdd", "-1", "-o", "out"]
    assert join_lists(words) == joined and join_lists(["-5,3", "--a=1", "-5,3"]) == ["-5,3", "--a=1", "-5,3"]
