"""`xvr register --camera`: calibrated views keep their places relative to each other, wherever their world lies."""

import pytest
import torch
from support.registrations import CAMERA, DONE, lopsided
from xraykit.render import Volume, carm_pose, read_pose, render, save_image, write_pose, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.converters import write_mayacam
from xraykit.render.geometry import rigid_inverse, se3_exp
from xraykit.xvr import true_tre
from xraykit.xvr.result.reading import read_result
from xraykit.xvr.trust.target_points import target_points

OFF = torch.tensor([6.0, -4.0, 8.0], dtype=torch.float64)
LAB = se3_exp(torch.tensor([[300.0, -200.0, 150.0, 0.8, -1.9, 0.4]], dtype=torch.float64))[0]  # patient to laboratory


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A CT, two pictures of it, and their cameras in a world that is not the patient's."""
    path, volume = tmp_path_factory.mktemp("biplane"), lopsided()
    write_volume(path / "ct.nii.gz", (volume.mu / 0.02 - 1) * 1000, volume.affine)
    for name, lao_rao in (("cam1", 170.0), ("cam2", 85.0)):
        pose = true_poses(volume)[name]
        save_image(path / f"{name}.png", render(volume, CAMERA, pose), camera=CAMERA, pose=pose)
        write_mayacam(path / f"{name}.txt", CAMERA, LAB @ pose)
        start = carm_pose(lao_rao=lao_rao + 3.0, cra_cau=4.0, sod=715.0, isocenter=volume.center)
        write_pose(path / f"{name}_start.json", CAMERA, start)
    return path


def true_poses(volume):
    views = {"cam1": (170.0, 5.0), "cam2": (85.0, 0.0)}
    return {
        name: carm_pose(lao_rao=lao, cra_cau=cra, sod=700.0, isocenter=volume.center, offset=OFF).double()
        for name, (lao, cra) in views.items()
    }


def command(folder, output, *options, xrays=("cam1.png", "cam2.png")):
    files = [str(folder / name) for name in xrays]
    quick = ["--scales", "32", "48", "--no-animation", "--polarity", "log_attenuation"]
    return run(["xvr", "register", str(folder / "ct.nii.gz"), *files, "-o", str(output), *quick, *options])


def cameras(folder, *names):
    return ["--camera", *(str(folder / name) for name in names)]


@pytest.mark.parametrize("spelling", ["list", "repeated"])
def test_joint_views_keep_the_places_of_their_calibration(folder, tmp_path, monkeypatch, spelling):
    monkeypatch.setattr("xraykit.xvr.result.pictures.LONGER_SIDE", 96)
    given = cameras(folder, "cam1.txt", "cam2.txt")
    if spelling == "repeated":
        given = [*cameras(folder, "cam1.txt"), *cameras(folder, "cam2.txt")]
    start = ["--pose", str(folder / "cam1_start.json"), "--sdd", "1000"]
    options = ["--joint", *given, *start, *(["--init-only"] if spelling == "repeated" else [])]
    assert command(folder, tmp_path / "out", *options) in DONE
    result = read_result(tmp_path / "out/joint")
    volume = Volume.from_file(folder / "ct.nii.gz")
    truth = torch.cat(list(true_poses(volume).values()))
    found = result.poses[0]
    torch.testing.assert_close(
        rigid_inverse(found[:1]) @ found[1:], rigid_inverse(truth[:1]) @ truth[1:], atol=1e-5, rtol=0
    )
    if spelling == "list":
        points = target_points(volume)
        errors = [float(true_tre(found[v][None], truth[v][None], fiducials=points)) for v in (0, 1)]
        assert max(errors) < 1.0
        assert any("cam2.txt states it" in note for note in result.notes)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("cam2.txt", "cam1.txt"), "cam2.txt was given for"),
        (("cam1.txt", "absent.txt"), "a camera file was expected at"),
        (("cam1.txt", "cam2.txt", "cam1.txt"), "once for each of 2 X-rays, got 3"),
        (("cam1.txt",), "views together must be from different places"),
        (("cam1_start.json", "cam2_start.json", "--sdd", "900"), "states sdd itself, 1000.0 mm, got --sdd 900.0"),
    ],
)
def test_cameras_that_do_not_fit_end_in_one_sentence_and_nothing_written(folder, tmp_path, capsys, options, says):
    names = [name for name in options if name.endswith((".txt", ".json"))]
    given = [*cameras(folder, *names), *options[len(names) :]]
    assert command(folder, tmp_path / "out", "--joint", *given, "--view", "ap") == 2
    said = capsys.readouterr().err.strip()
    assert says in " ".join(said.split())
    assert "\n" not in said
    assert not (tmp_path / "out").exists()


def test_a_camera_of_another_image_is_refused(folder, tmp_path, capsys):
    write_mayacam(tmp_path / "cam1.txt", CAMERA, LAB @ true_poses(lopsided())["cam1"])
    text = (tmp_path / "cam1.txt").read_text().replace("48,40", "96,80")
    (tmp_path / "cam1.txt").write_text(text)
    given = ["--camera", str(tmp_path / "cam1.txt"), "--view", "ap"]
    assert command(folder, tmp_path / "out", *given, xrays=("cam1.png",)) == 2
    assert "80 rows x 96 columns, got one of 40 x 48" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "spacing"),
    [(("4", "4.5"), (4.0, 4.5)), (("4", "--pixel-spacing", "4.5"), (4.0, 4.5)), (("4",), (4.0, 4.0))],
)
def test_pixels_that_are_not_square_are_said_in_either_way(folder, tmp_path, words, spacing):
    given = ["--sdd", "1000", "--view", "ap", "--init-only", "--pixel-spacing", *words]
    assert command(folder, tmp_path / "out", *given, xrays=("cam1.png",)) in DONE
    camera, _ = read_pose(tmp_path / "out/cam1/pose.json")
    assert tuple(camera.pixel_spacing) == spacing


@pytest.mark.parametrize("words", [("1000", "1100"), ("1000", "--sdd", "1100")])
def test_two_tubes_have_a_distance_each(folder, tmp_path, words):
    given = ["--view", "ap", "--init-only", "--pixel-spacing", "4", "--sdd", *words]
    assert command(folder, tmp_path / "out", *given) in DONE
    assert [read_pose(tmp_path / f"out/{name}/pose.json")[0].sdd for name in ("cam1", "cam2")] == [1000.0, 1100.0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--sdd", "1000", "1100", "1200"), "--sdd must be given once, or once for each of 2 X-rays, got 3"),
        (
            ("--sdd", "1000", "--principal-point", "20", "19", "--principal-point", "25", "22"),
            "--principal-point may be given once, got it twice; leave one out; views with cameras of their own take",
        ),
    ],
)
def test_other_numbers_than_there_are_xrays_are_refused(folder, tmp_path, capsys, words, says):
    assert command(folder, tmp_path / "out", "--pixel-spacing", "4", "--view", "ap", "--init-only", *words) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
