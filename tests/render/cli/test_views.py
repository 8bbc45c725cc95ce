"""`render views` lists what fits and says why the rest does not; `render drr --view` takes the same names."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from support.limbs import KNEE, limb
from xraykit.render import read_pose, standard_view, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.views import STANDARD_VIEWS

SMALL = ["--samples", "30", "--backend", "torch"]


@pytest.fixture(scope="module")
def knee(tmp_path_factory):
    folder = tmp_path_factory.mktemp("knee")
    volume = limb(KNEE, spacing=8.0)
    write_volume(folder / "ct.nii.gz", volume.hu, volume.affine)
    write_volume(folder / "seg.nii.gz", volume.labels, volume.affine, label_names=volume.label_names)
    return folder


def options(knee):
    return [str(knee / "ct.nii.gz"), "--labels", str(knee / "seg.nii.gz")]


def test_without_a_ct_every_view_is_listed(capsys):
    assert run(["render", "views"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(STANDARD_VIEWS)
    assert "Pelvis inlet (caudad beam)" in "\n".join(lines)


def test_a_ct_says_what_fits_and_why_not(knee, capsys):
    assert run(["render", "views", *options(knee)]) == 0
    told = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert told["knee_ap_right"].endswith("fits")
    assert "--pose-limited" in told["patella_sunrise_right"]
    assert "needs femur_left and tibia_left" in told["knee_ap_left"]


def test_contact_sheet_holds_every_view_that_fits(knee, tmp_path):
    out = tmp_path / "sheet"
    assert run(["render", "views", *options(knee), "-o", str(out), "--size", "24", *SMALL]) == 0
    assert {path.name for path in out.iterdir()} == {"contact_sheet.png", "settings.json"}
    sheet = np.asarray(Image.open(out / "contact_sheet.png").convert("L"))
    assert sheet.shape[1] == 6 * 24 + 7 * 10
    assert all(sheet[10:34, 34 * n + 10 : 34 * n + 34].max() > 100 for n in range(6))
    assert json.loads((out / "settings.json").read_text())["size"] == 24


def test_drr_takes_the_name_of_a_standard_view(knee, tmp_path):
    out = tmp_path / "a.npy"
    command = ["render", "drr", *options(knee), "-o", str(out), "--view", "knee_lateral_right", "--size", "20", "16"]
    assert run([*command, *SMALL]) == 0
    camera, pose = read_pose(tmp_path / "a.pose.json")
    plan = standard_view(limb(KNEE, spacing=8.0), "knee_lateral_right", size=(20, 16))
    torch.testing.assert_close(pose.double(), plan.pose, atol=1e-3, rtol=0)
    assert (camera.sdd, camera.height, camera.width) == (1000.0, 20, 16)
    again = ["render", "drr", "-o", str(tmp_path / "b.npy"), "--config", str(tmp_path / "a.settings.json")]
    assert run(again) == 0
    np.testing.assert_array_equal(np.load(out), np.load(tmp_path / "b.npy"))


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["views", "--output", "x"], "belong to a CT, got none"),
        (["views", "CT"], "views are found from labels, got none; add --labels SEG"),
        (["drr", "CT", "-o", "OUT", "--view", "knee_ap_right"], "is found from labels, got none; add --labels SEG"),
        (["drr", "CT", "-o", "OUT", "--view", "app"], "no view is called 'app'; did you mean ap"),
        (["drr", "CT", "-o", "OUT", "--labels", "SEG", "--view", "knee_ap_right", "--sod", "5"], "got also --sod"),
        (["drr", "CT", "-o", "OUT", "--labels", "SEG", "--view", "knee_ap_left"], "needs femur_left and tibia_left"),
        (["views", "CT", "--labels", "SEG", "--device", "gpu"], "--device must be cpu"),
        (["views", "CT", "--labels", "SEG", "--size", "99999"], "the detector must have at most"),
    ],
)
def test_mistakes_exit_2_in_one_sentence(knee, tmp_path, capsys, command, words):
    places = {"CT": knee / "ct.nii.gz", "SEG": knee / "seg.nii.gz", "OUT": tmp_path / "a.npy"}
    assert run(["render", *(str(places.get(word, word)) for word in command)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_ct_that_shows_nothing_gets_no_sheet(tmp_path, capsys):
    volume = limb(KNEE, spacing=8.0, without=("femur", "tibia", "patella"))
    write_volume(tmp_path / "ct.nii.gz", volume.hu, volume.affine)
    write_volume(tmp_path / "seg.nii.gz", volume.labels, volume.affine, label_names=volume.label_names)
    assert run(["render", "views", *options(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "no standard view fits" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
