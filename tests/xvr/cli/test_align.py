"""`xraykit xvr align` writes the warp and a check picture, or says in a sentence why not."""

import pytest
import torch
from PIL import Image
from support.bodies import MOTION, body
from xraykit.render import InputError, Volume, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.geometry import box_corners, transform_points
from xraykit.xvr import AlignmentSettings, align_to_template
from xraykit.xvr.template import read_warp, write_warp


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("align")
    for name, volume in (("ct.nii.gz", body(moved=MOTION)), ("template.nrrd", body())):
        write_volume(folder / name, volume.hu, volume.affine)
    return folder


def align(files, *options):
    return run(["xvr", "align", str(files / "ct.nii.gz"), str(files / "template.nrrd"), *map(str, options)])


def test_the_warp_and_the_picture_are_those_of_the_library(files, tmp_path, capsys):
    assert align(files, "-o", tmp_path / "warp.tfm", "--spacing", "4") == 0
    ct, template = Volume.from_file(files / "ct.nii.gz"), Volume.from_file(files / "template.nrrd")
    written = read_warp(tmp_path / "warp.tfm", ct)
    corners = box_corners(template.shape, template.affine)
    error = (transform_points(written, corners) - transform_points(MOTION, corners)).norm(dim=-1).max()
    assert float(error) < 1.0
    library = align_to_template(ct, template, AlignmentSettings(spacing=4.0)).warp
    torch.testing.assert_close(written, library, atol=0.02, rtol=0)  # ITK's threads add in any order
    with Image.open(tmp_path / "warp.png") as picture:
        assert picture.size[0] > 700
    assert "mutual information" in capsys.readouterr().out


def test_what_is_doubtful_about_either_volume_is_said(files, tmp_path, monkeypatch, capsys):
    def stop(*given, **options):
        raise InputError("stopped before the alignment.")

    monkeypatch.setattr("xraykit.xvr.template.alignment.align_to_template", stop)
    stored = write_volume(tmp_path / "stored.nii.gz", body().hu + 1024, body().affine)
    assert run(["xvr", "align", str(stored), str(files / "template.nrrd"), "-o", str(tmp_path / "w.tfm")]) == 2
    assert "stored.nii.gz: voxels: " in capsys.readouterr().err


def test_a_start_and_a_picture_elsewhere_are_honoured(files, tmp_path):
    write_warp(tmp_path / "start.txt", torch.linalg.inv(MOTION))
    options = ("--start", tmp_path / "start.txt", "--invert-start", "--picture", tmp_path / "look.png")
    assert align(files, "-o", tmp_path / "warp.h5", "--spacing", "6", *options) == 0
    assert (tmp_path / "look.png").is_file() and (tmp_path / "warp.h5").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "warp.json"), "--output must end in .tfm"),
        (("-o", "warp.tfm", "--picture", "warp.jpg"), "--picture in .png"),
        (("-o", "none/warp.tfm"), "existing folder"),
        (("-o", "warp.tfm", "--spacing", "0"), "spacing must be"),
        (("-o", "warp.tfm", "--start", "none.tfm"), "got No such file"),
        (("-o", "warp.tfm", "--method", "greedy"), "needs the program greedy"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(files, tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert align(files, *options) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
