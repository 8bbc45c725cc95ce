"""The gallery's script at tiny size on the procedural torso: what is bright, what is dark, and where things are."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.makers import maker
from support.repo import ROOT

pytest.importorskip("matplotlib", reason="the gallery draws its profiles with the extra `plot`")

DOCS = ROOT / "docs"
CHEST = torch.tensor([0.0, 0.0, 260.0])


@pytest.fixture(scope="module")
def gallery():
    """The script and its parts."""
    return maker("make_gallery"), maker("gallery_shots"), maker("gallery_placement")


@pytest.fixture(scope="module")
def patient(gallery):
    return gallery[1].phantom(4.0)


@pytest.fixture(scope="module")
def chest(gallery, patient):
    _, shots, _ = gallery
    return shots.shoot(patient.scene(), shots.Frame(340, 290, 64), CHEST, masks=True)


def test_lungs_are_bright_in_intensity_and_dark_on_the_display(gallery, chest):
    _, shots, _ = gallery
    heart = torch.from_numpy(chest.mask("heart"))
    spine = torch.from_numpy(chest.mask("vertebrae"))
    lungs = torch.from_numpy(chest.mask("lungs")) & ~heart & ~spine
    intensity = torch.from_numpy(shots.as_intensity(chest, shots.white_of(chest))).float()
    display = torch.from_numpy(shots.as_display(chest, shots.window_of(chest))).float()
    assert intensity[lungs].median() > 2 * intensity[heart].median() > 2 * intensity[spine].median() / 1.01
    assert display[lungs].median() < display[heart].median() - 30 < display[spine].median() - 30


def test_patients_left_is_on_the_viewers_right(chest):
    middle = chest.intensity.shape[1] / 2
    assert np.nonzero(chest.mask("heart"))[1].mean() > middle + 2
    assert np.nonzero(chest.mask("liver"))[1].mean() < middle - 2


def test_pedicle_screws_are_dark_mirror_images_inside_the_bone(gallery, patient):
    _, shots, placement = gallery
    right, left = placement.pedicle_screws(patient.volume, "L3")
    bone = placement.Bone.of(patient.volume, "vertebrae_L3")
    mirror = torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    assert torch.allclose(right.pose[:3, 3] * mirror, left.pose[:3, 3], atol=4.0)
    length = float(re.search(r"([\d.]+) mm long", right.mesh.description)[1])
    for screw in (right, left):
        along = torch.arange(1.0, length - 2.0, 1.0, dtype=torch.float64)[:, None]
        assert bone.holds(screw.pose[:3, 3] + along * screw.pose[:3, 2]).double().mean() > 0.95
        assert screw.pose[1, 2] < -0.8  # from the tip backwards to the head
    frame, place = shots.Frame(100, 80, 64), patient.place("vertebrae_L3")
    plain = shots.shoot(patient.scene(), frame, place, mas=None)
    shot = shots.shoot(patient.scene(right, left), frame, place, mas=None, masks=True)
    metal = torch.from_numpy(shot.mask("tools"))
    assert (shot.intensity / plain.intensity)[metal].median() < 0.4
    assert 5 < float(shot.simulation.tool_lengths.max()) < length + 25


def test_stem_runs_in_the_canal_and_is_black_then_white(gallery, patient):
    _, shots, placement = gallery
    stem, operated, off = placement.hip_stem(patient.volume, "left")
    assert off < 8
    bone = placement.Bone.of(patient.volume, "femur_left")
    along = torch.arange(1.0, 110.0, 1.0, dtype=torch.float64)[:, None]
    assert bone.holds(stem.pose[:3, 3] + along * stem.pose[:3, 2]).double().mean() > 0.95
    medial = stem.pose[:3, 0]
    assert medial[0] > 0.9  # of the left femur: to the right
    lost = int((patient.volume.labels != operated.labels).sum())
    assert 20_000 < lost * 4.0**3 < 120_000  # a femoral head and neck [mm^3]
    frame = shots.Frame(120, 120, 48)
    body = shots.Patient.of("operated", operated)
    shot = shots.shoot(body.scene(stem), frame, stem.pose[:3, 3] + 70 * stem.pose[:3, 2], masks=True)
    metal = torch.from_numpy(shot.mask("hip_stem"))
    core = torch.nn.functional.avg_pool2d(metal[None, None].float(), 3, 1, 1)[0, 0] > 0.99
    around = torch.nn.functional.max_pool2d(metal[None, None].float(), 11, 1, 5)[0, 0].bool() & ~metal
    assert shot.intensity[core].median() < 0.25 * shot.intensity[around].median()
    display = torch.from_numpy(shots.as_display(shot, shots.window_of(shot, 0.05, 0.93)))
    assert int(display[core].min()) > 240
    assert 8 < float(shot.simulation.tool_lengths.max()) < 60


def test_ribs_lose_contrast_with_voltage_and_scatter_takes_more(gallery, patient):
    _, shots, _ = gallery
    rib_contrast = maker("gallery_pictures").rib_contrast

    def contrast(**settings):
        shot = shots.shoot(patient.scene(), shots.Frame(340, 290, 96), CHEST, mas=None, masks=True, **settings)
        return rib_contrast(shot)

    low, high = (contrast(kvp=kvp, scatter=0.0) for kvp in (60.0, 120.0))
    assert low > 1.2 * high > 0
    assert contrast(kvp=60.0, scatter=0.3) < 0.9 * low


def test_the_script_writes_pictures(gallery, tmp_path, capsys):
    gallery[0].main(["--quick", "--only", "tools", "-o", str(tmp_path)])
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["gallery_tools.jpg"]
    with Image.open(tmp_path / written[0]) as picture:
        assert np.asarray(picture).std() > 20
    assert "kB" in capsys.readouterr().out


def test_pictures_of_another_ct_stay_out_of_the_page(gallery, capsys):
    with pytest.raises(SystemExit, match="2"):
        gallery[0].main(["--ct", "somebody.nii.gz"])
    assert "do not belong to the page" in capsys.readouterr().err


def test_the_page_shows_every_committed_picture_and_no_other():
    shown = set(re.findall(r"!\[[^\]]*\]\(pictures/([^)]+)\)", (DOCS / "gallery.md").read_text(encoding="utf-8")))
    files = sorted(Path(DOCS / "pictures").glob("gallery_*"))
    assert shown == {path.name for path in files} != set()
    assert sum(path.stat().st_size for path in files) < 1_200_000


def test_the_page_states_the_settings_of_the_script(gallery):
    _, shots, _ = gallery
    text = (DOCS / "gallery.md").read_text(encoding="utf-8")
    for number, unit in ((shots.SDD, "mm"), (shots.SOD, "mm"), (shots.KVP, "kVp"), (shots.MAS, "mAs")):
        assert f"{number:g} {unit}" in text
    assert f"S/P of {shots.SCATTER:g}" in text
