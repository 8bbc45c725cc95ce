"""The demo leaves a folder that explains itself."""

import json

import numpy as np
import pytest
from PIL import Image
from xraykit.render import Volume, read_pose, render
from xraykit.render.cli.umbrella import run

TINY = ["--voxel-spacing", "8", "--size", "34", "22", "--pixel-spacing", "24", "--samples", "30", "--backend", "torch"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "new" / "out"
    assert run(["demo", "-o", str(path), *TINY]) == 0
    return path


def test_folder_holds_every_promised_file(folder):
    views = [f"{name}.{end}" for name in ("ap", "lateral") for end in ("png", "labels.png", "npy", "pose.json")]
    assert {p.name for p in folder.iterdir()} == {
        *views, "patient.nii.gz", "labels.nii.gz", "settings.json", "report.png",
    }  # fmt: skip


def test_files_reproduce_the_xray(folder):
    volume = Volume.from_file(folder / "patient.nii.gz", labels=folder / "labels.nii.gz")
    assert "heart" in volume.label_names.values()
    camera, pose = read_pose(folder / "lateral.pose.json")
    image = render(volume, camera, pose, samples=30, backend="torch").numpy()
    saved = np.load(folder / "lateral.npy")
    assert saved.shape == (1, 1, 34, 22)
    np.testing.assert_allclose(image, saved, atol=0.02)  # the file rounds to whole HU


def test_heart_and_stomach_bubble_are_on_the_viewers_right(folder):
    image = np.load(folder / "ap.npy")[0, 0]
    image = image - image[:, ::-1]  # positive where the viewer's side holds more than the mirror image
    assert image[10:14, 12:16].mean() > 0.05  # heart shadow, patient's left


def test_report_is_one_wide_picture_in_colour(folder):
    report = np.asarray(Image.open(folder / "report.png")).astype(int)
    assert report.shape[1] > 2 * 22
    assert np.any(report.max(axis=-1) - report.min(axis=-1) > 100)


def test_saved_config_lists_every_option(folder):
    from dataclasses import fields

    from xraykit.render.cli.demo import DemoSettings

    saved = json.loads((folder / "settings.json").read_text())
    assert {field.name for field in fields(DemoSettings)} | {"xraykit"} == set(saved)


def test_progress_is_plain_lines_without_a_terminal(tmp_path, capsys):
    assert run(["demo", "-o", str(tmp_path), *TINY]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("[1/6] build the patient: ")
    assert lines[-1].endswith("report.png")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--voxel-spacing", "0.1"], "spacing must be 1 to 8 mm"),
        (["--device", "tpu"], "--device must be"),
        (["--sod", "2000"], "did you swap them"),
    ],
)
def test_mistakes_exit_2(tmp_path, capsys, options, words):
    assert run(["demo", "-o", str(tmp_path), *options]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--samples", "0"], ["--backend", "triton"], ["--size", "0", "0"]])
def test_a_refused_demo_leaves_no_folder(tmp_path, options):
    assert run(["demo", "-o", str(tmp_path / "out"), *TINY, *options]) == 2
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_of_the_folder_is_refused(tmp_path, capsys):
    (tmp_path / "out").write_text("")
    assert run(["demo", "-o", str(tmp_path / "out")]) == 2
    assert "must be a folder" in capsys.readouterr().err
