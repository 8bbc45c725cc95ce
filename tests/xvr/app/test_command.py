"""`xraykit xvr app` opens what its options say, refuses mistakes in one sentence, and its starters find poses."""

import json
import signal
import subprocess
import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.page_requests import ask
from support.waiting import PATIENCE
from support.xvr_app import CAMERA, TRUE, patient, shot_of
from xraykit.render import carm_pose, save_image, write_pose, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.commands import LabelSettings
from xraykit.render.geometry import geodesic_distance
from xraykit.xvr.app import AppSettings, OpeningSettings, PageSettings, open_app
from xraykit.xvr.app.starters import from_search, make_starters, most_similar
from xraykit.xvr.xray.settings import XraySettings

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-xvr[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-xvr[app]'")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """ct.nii.gz, seg.nii.gz, tagged.dcm with its geometry, bare.png without."""
    folder = tmp_path_factory.mktemp("patient")
    volume = patient()
    hu = (1000 * (volume.mu / 0.02 - 1)).round().to(torch.int16)
    write_volume(folder / "ct.nii.gz", hu, volume.affine)
    write_volume(folder / "seg.nii.gz", volume.labels, volume.affine, label_names=dict(volume.label_names))
    shot, pose = shot_of(volume)
    image = ((shot.image - 1) / 3)[None, None]
    save_image(folder / "tagged.dcm", image, camera=CAMERA, pose=pose[None], sod=TRUE["sod"])
    save_image(folder / "bare.png", image)
    return folder


def opened(files: Path, *xrays: str, **options):
    page = PageSettings(output=files / "out", port=0)
    return open_app(AppSettings(files / "ct.nii.gz", tuple(files / name for name in xrays), page=page, **options))


def test_page_opens_where_the_positioner_tags_say(files):
    with opened(files, "tagged.dcm", anatomy=LabelSettings(labels=files / "seg.nii.gz")) as server:
        state = json.loads(ask(server, "/api/state")[1])
    (view,) = state["views"]
    assert view["name"] == "tagged"
    assert view["sliders"]["lao_rao"] == pytest.approx(TRUE["lao_rao"], abs=0.1)
    assert view["sliders"]["cra_cau"] == pytest.approx(TRUE["cra_cau"], abs=0.1)
    assert state["starters"] == ["dicom", "coarse"]
    assert state["structure"]["labels"] == ["liver", "rib_left_1", "rib_left_2"]


def test_page_opens_with_ap_and_says_so_where_there_are_no_tags(files):
    with opened(
        files, "bare.png", xray=XraySettings(sdd=1000.0, pixel_spacing=1.0, polarity="log_attenuation")
    ) as server:
        state = json.loads(ask(server, "/api/state")[1])
    assert state["views"][0]["sliders"]["lao_rao"] == pytest.approx(180.0)
    assert "no positioner tags" in state["notes"][0]
    assert state["starters"] == ["coarse"]


def test_a_camera_file_says_what_a_picture_does_not(files, tmp_path):
    camera = replace(CAMERA, sdd=1111.0, principal_point=(20.0, 30.0))
    write_pose(tmp_path / "camera.json", camera, torch.eye(4)[None])
    options = {"camera": (tmp_path / "camera.json",), "xray": XraySettings(polarity="log_attenuation")}
    with opened(files, "bare.png", **options) as server:
        found = server.session.views[0].shot.camera
    assert (found.sdd, found.principal_point) == (1111.0, (20.0, 30.0))


def test_xrays_of_one_name_are_numbered_and_named_views_open_them_all(files):
    with opened(files, "tagged.dcm", "tagged.dcm", opening=OpeningSettings(view="lateral_left")) as server:
        views = json.loads(ask(server, "/api/state")[1])["views"]
    assert [view["name"] for view in views] == ["tagged", "tagged_2"]
    assert {view["sliders"]["lao_rao"] for view in views} == {90.0}


def test_earlier_result_opens_with_its_pose(files):
    with opened(files, "tagged.dcm") as server:
        ask(server, "/api/drr", {"view": 0, "move": {"add": {"x": 12.0}}, "draft": True})
        moved = server.session.sliders(0)
        saved = json.loads(ask(server, "/api/save", {"view": 0})[1])["path"]
    with opened(files, "tagged.dcm", opening=OpeningSettings(result=Path(saved))) as server:
        assert server.session.sliders(0) == pytest.approx(moved, abs=1e-6)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["ct.nii.gz", "bare.png"], "--sdd"),
        (["ct.nii.gz", "missing.dcm"], "missing.dcm"),
        (["missing.nii.gz", "tagged.dcm"], "missing.nii.gz"),
        (["ct.nii.gz", "tagged.dcm", "--view", "sideways"], "no view is called 'sideways'"),
        (["ct.nii.gz", "tagged.dcm", "--result", "missing"], "a result was expected"),
        (["ct.nii.gz", "bare.png", "--camera", "other.json"], "other.json is of an image of"),
        (["ct.nii.gz", "bare.png", "--camera", "absent.txt"], "a camera file was expected at absent.txt"),
        (["ct.nii.gz", "bare.png", "--camera", "a.txt", "b.txt"], "once for each of 1 X-rays, got 2"),
        (["ct.nii.gz", "tagged.dcm", "--port", "70000"], "--port must be 0 to 65535"),
    ],
)
def test_mistakes_end_with_one_sentence(files, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(files)
    other = replace(CAMERA, height=CAMERA.height + 1)
    write_pose(files / "other.json", other, torch.eye(4)[None])
    port = [] if "--port" in arguments else ["--port", "0"]
    assert run(["xvr", "app", *arguments, *port, "--no-browser"]) == 2
    said = capsys.readouterr().err
    assert words in " ".join(said.split()) and "Traceback" not in said


@pytest.mark.slow
def test_command_serves_until_ctrl_c(files):
    script = "import sys; from xraykit.render.cli.umbrella import run; sys.exit(run(sys.argv[1:]))"
    arguments = ["xvr", "app", "ct.nii.gz", "tagged.dcm", "--port", "0", "--no-browser", "-o", "out"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=files, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            url = next(line.split()[2] for line in lines if line.startswith("Look at"))
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                assert b"<main>" in answer.read()
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130
        finally:
            process.kill()


@pytest.mark.slow
def test_tags_and_search_find_the_pose(files):
    volume = patient()
    shot, truth = shot_of(volume)
    ways = make_starters(volume, [files / "tagged.dcm"], [shot])
    tagged = ways["dicom"](shot, volume, truth, print)
    assert float(geodesic_distance(tagged, truth)[0]) == pytest.approx(3.0, abs=0.1), "tags know all but the roll"
    heard = []
    far = carm_pose(**{**TRUE, "lao_rao": 150.0, "roll": 5.0}, isocenter=volume.center)[0].double()
    found = from_search(shot, volume, far, lambda *step: heard.append(step))
    assert float(geodesic_distance(found, truth)[0]) < 8 < float(geodesic_distance(far, truth)[0])
    assert heard[-1][1] == pytest.approx(1.0)


def test_of_candidates_the_most_similar_is_taken():
    volume = patient()
    shot, truth = shot_of(volume)
    others = [carm_pose(**{**TRUE, "lao_rao": a}, isocenter=volume.center)[0].double() for a in (0.0, 150.0)]
    assert torch.equal(most_similar(shot, volume, torch.stack([others[0], truth, others[1]])), truth)
