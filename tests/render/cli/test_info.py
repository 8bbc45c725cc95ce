"""`render info` tells a CT from an X-ray and says where each fact comes from."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from support.nifti import write_nifti
from xraykit.render import Camera, carm_pose, save_image, write_volume
from xraykit.render.cli.umbrella import run


@pytest.fixture
def ct(tmp_path):
    hu = torch.full((6, 5, 4), -1000.0)
    hu[1:5, 1:4, 1:3] = 40.0
    write_volume(tmp_path / "ct.nii.gz", hu, np.diag([2.0, 2.0, 3.0, 1.0]))
    return tmp_path / "ct.nii.gz"


def test_ct_is_described(ct, capsys):
    assert run(["render", "info", str(ct)]) == 0
    text = capsys.readouterr().out
    assert "4 x 5 x 6" in text
    assert "RAS" in text
    assert "-1000 to 40" in text


def test_labels_are_listed(ct, tmp_path, capsys):
    labels = torch.zeros(6, 5, 4, dtype=torch.uint8)
    labels[2, 2, 2] = 1
    write_volume(tmp_path / "seg.nii.gz", labels, np.diag([2.0, 2.0, 3.0, 1.0]), label_names={1: "liver"})
    assert run(["render", "info", str(ct), "--labels", str(tmp_path / "seg.nii.gz")]) == 0
    assert "1 liver" in capsys.readouterr().out


def test_xray_dicom_is_described_with_its_tags(tmp_path, capsys):
    camera = Camera(sdd=1000.0, height=6, width=8, pixel_spacing=0.5)
    image = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(0))
    save_image(tmp_path / "a.dcm", image, camera=camera, pose=carm_pose(sod=700.0, lao_rao=20.0), sod=700.0)
    assert run(["render", "info", str(tmp_path / "a.dcm")]) == 0
    text = capsys.readouterr().out
    assert "1 x 6 x 8" in text
    assert "DistanceSourceToDetector" in text
    assert "1000" in text


def test_plain_picture_says_that_its_geometry_is_missing(tmp_path, capsys):
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(tmp_path / "a.png")
    assert run(["render", "info", str(tmp_path / "a.png")]) == 0
    text = capsys.readouterr().out
    assert "assumed" in text
    assert "missing" in text


def test_picture_explains_the_geometry_of_a_ct_and_of_an_xray(ct, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-render[plot]'")
    assert run(["render", "info", str(ct), "--picture", str(tmp_path / "ct.png")]) == 0
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(tmp_path / "a.png")
    assert run(["render", "info", str(tmp_path / "a.png"), "--picture", str(tmp_path / "xray.png")]) == 0
    for name in ("ct.png", "xray.png"):
        assert np.asarray(Image.open(tmp_path / name)).std() > 5


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.nii", None, "there is nothing by that name"),
        ("none.png", None, "none.png"),
        ("empty.dcm", b"", "empty"),
        ("junk.png", b"junk" * 50, "junk.png"),
        ("junk.txt", b"junk" * 50, "junk.txt"),
        ("junk.dcm", b"\0" * 128 + b"DICM" + b"junk" * 50, "junk.dcm"),
    ],
)
def test_bad_files_exit_2_with_their_name(tmp_path, capsys, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert run(["render", "info", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_labels_of_an_xray_are_refused(tmp_path, capsys):
    Image.fromarray(np.zeros((6, 8), dtype=np.uint8)).save(tmp_path / "a.png")
    assert run(["render", "info", str(tmp_path / "a.png"), "--labels", "seg.nii"]) == 2
    assert "belongs to a CT" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "words"), [("a.jpg", "ends in .png"), ("none/a.png", "existing folder")])
def test_picture_is_checked_before_the_file_is_read(ct, tmp_path, capsys, name, words):
    assert run(["render", "info", str(ct), "--picture", str(tmp_path / name)]) == 2
    assert words in capsys.readouterr().err


def test_facts_come_before_assumptions_and_doubts_in_json_and_on_stderr(tmp_path, capsys):
    write_nifti(tmp_path / "ct.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5) + 24)
    assert run(["render", "info", str(tmp_path / "ct.nii"), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert list(found) == ["file", "facts", "assumptions", "doubts"]
    assert found["facts"]["size"]["value"] == "5 x 4 x 3"
    assert found["assumptions"]["affine from"]["value"] == "pixdim"
    assert "no air" in found["doubts"]["voxels"]["note"]
    kinds = [line.split(":")[1].strip() for line in err.splitlines()]
    assert kinds == sorted(kinds)
    assert set(kinds) == {"note", "warning"}


def test_a_drr_says_and_saves_what_is_doubtful(tmp_path, capsys):
    write_nifti(tmp_path / "ct.nii", np.arange(60, dtype=np.int16).reshape(3, 4, 5) + 24, sform=np.eye(4))
    out = tmp_path / "a.npy"
    assert run(["render", "drr", str(tmp_path / "ct.nii"), "-o", str(out), "--size", "8", "8"]) == 0
    assert "xraykit: warning: " in capsys.readouterr().err
    saved = json.loads((tmp_path / "a.settings.json").read_text())["xraykit"]["input"]
    assert any("no air" in line for line in saved["doubts"])
