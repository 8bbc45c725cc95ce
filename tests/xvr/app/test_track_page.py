"""A track of implants or bones opens by itself, to be looked at: each body lies in each frame where it was found."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.page_requests import ask
from support.wrists import SPACING, read_bone, truth, write_bones
from support.xvr_app import patient
from support.xvr_cine import HOW, write_run, write_track
from support.xvr_mesh_track import CAMERA, SIZES, silhouette, write_mesh_track
from xraykit.render import FileError, InputError, render, write_volume
from xraykit.render.cli.umbrella import run as command
from xraykit.render.commands import LabelSettings
from xraykit.render.storage import write_settings
from xraykit.xvr.app import AppSettings, OpeningSettings, PageSettings, open_app
from xraykit.xvr.app.live_rendering import FULL
from xraykit.xvr.app.pictures import display_camera
from xraykit.xvr.app.track_opening import track_settings
from xraykit.xvr.procedure_settings import StructureSettings
from xraykit.xvr.tracking.file_tracking import SETTINGS_FILE
from xraykit.xvr.tracking.settings import TrackOutputSettings, TrackSettings
from xraykit.xvr.xray.settings import XraySettings

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-xvr[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-xvr[app]'")


@pytest.fixture(scope="module")
def track(tmp_path_factory) -> tuple[Path, torch.Tensor]:
    """A track of two meshes, the second of which is lost in the second frame, and the true poses."""
    return write_mesh_track(tmp_path_factory.mktemp("meshes"), lost=((1, 1),))


def opened(track, **more):
    return open_app(AppSettings(page=PageSettings(port=0), opening=OpeningSettings(track=track), **more))


def told(server, name, body=None):
    status, content, _ = ask(server, f"/api/{name}", body)
    assert status == 200, content
    return json.loads(content)


def drawn(server, view=0):
    """The picture of the bodies, (H, W)."""
    return np.asarray(Image.open(io.BytesIO(ask(server, "/api/drr", {"view": view})[1])).convert("L"))


def test_each_frame_shows_each_mesh_where_it_was_found_and_no_lost_one(track):
    folder, poses = track
    camera = display_camera(CAMERA, FULL)
    with opened(folder) as server:
        for frame, shown in ((0, [0, 1]), (1, [0]), (2, [0, 1])):
            state = told(server, "frame", {"to": frame}) if frame else told(server, "state")
            files = [folder.parent / f"{name}.stl" for name in SIZES]
            covered = torch.stack([silhouette(files[k], poses[frame, k, 0], camera) for k in shown]).any(0).numpy()
            assert ((drawn(server) > 0) == covered).mean() > 0.999
            assert state["looking"] and state["views"][0]["name"] == f"run_{frame:03}"
        assert told(server, "frame", {"to": 1})["frames"]["track"] == {
            "verdict": "plate tracked (0.95), stem lost (0.90)", "score": None, "lost": True,
            "reasons": ["stem: fits 0.31, usual is 0.95"],
        }  # fmt: skip


def test_single_bodies_are_chosen_by_name(track):
    folder, poses = track
    with opened(folder) as server:
        state = told(server, "structure", {"names": ["stem"]})
        assert (state["structure"]["title"], state["structure"]["groups"]) == ("stem", ["plate", "stem"])
        assert (state["frames"]["track"]["verdict"], state["frames"]["track"]["score"]) == ("found", 0.9)
        covered = silhouette(folder.parent / "stem.stl", poses[0, 1, 0], display_camera(CAMERA, FULL)).numpy()
        assert ((drawn(server) > 0) == covered).mean() > 0.999
        told(server, "frame", {"to": 1})
        assert drawn(server).max() == 0, "it is lost there"
        assert ask(server, "/api/structure", {"names": ["screw"]})[0] == 400
        for name in ("refine", "save", "load", "undo"):
            assert ask(server, f"/api/{name}", {"view": 0})[0] == 404, "nothing is moved or written"


def test_bones_are_drawn_as_the_sum_of_their_drrs_in_every_view(tmp_path):
    write_bones(tmp_path)
    names, out = ("radius", "ulna"), tmp_path / "track"
    for view in (1, 2):
        (tmp_path / f"run{view}").mkdir()
        for n in range(2):
            target = tmp_path / f"run{view}/{n}.tiff"
            target.write_bytes((tmp_path / f"cam{view}.tiff").read_bytes() + bytes(n))  # no image given twice
    settings = TrackSettings(
        tmp_path / "run1", TrackOutputSettings(out), (tmp_path / "run2",),
        camera=(tmp_path / "cam1.txt", tmp_path / "cam2.txt"),
        anatomy=StructureSettings(bone=tuple(tmp_path / f"{name}.tif" for name in names), voxel_spacing=SPACING),
        xray=XraySettings(polarity="line_integral", field_of_view="whole"),
    )  # fmt: skip
    poses = torch.stack([truth(name) for name in names])
    write_track(out, poses[:1, 0].expand(2, 4, 4), bodies=names)
    text = (out / "frames.jsonl").read_text(encoding="utf-8").splitlines()
    head = json.loads(text[0]) | {"views": ["run1", "run2"], "inputs": {"bones": []}}
    rows = [json.loads(line) | {"camera_to_body": poses.tolist(), "label": str(n)} for n, line in enumerate(text[1:])]
    (out / "frames.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (head, *rows)), encoding="utf-8")
    write_settings(out / SETTINGS_FILE, settings, command="xvr track", distribution="xraykit-xvr")
    bones = [read_bone(tmp_path, name) for name in names]
    with opened(out / "frames.jsonl") as server:
        for view in (0, 1):
            camera = display_camera(server.session.views[view].shot.camera, FULL)
            parts = [render(bone, camera, poses[k, view][None], samples=200) for k, bone in enumerate(bones)]
            sum_of_both = torch.stack(parts).sum(0)[0, 0].numpy()
            covered = sum_of_both > 0.02 * sum_of_both.max()
            assert ((drawn(server, view) > 0) == covered).mean() > 0.98
            assert np.corrcoef(drawn(server, view)[covered], sum_of_both[covered])[0, 1] > 0.95


def test_a_track_of_a_ct_named_alone_opens_its_ct(tmp_path):
    run, poses = write_run(tmp_path, 2)
    volume = patient()
    write_volume(tmp_path / "ct.nii.gz", (1000 * (volume.mu / 0.02 - 1)).round().to(torch.int16), volume.affine)
    write_volume(tmp_path / "seg.nii.gz", volume.labels, volume.affine, label_names=dict(volume.label_names))
    out = write_track(tmp_path / "track", poses, bodies=("liver",))
    anatomy = StructureSettings(labels=tmp_path / "seg.nii.gz", structures="liver")
    settings = TrackSettings(tmp_path / "ct.nii.gz", TrackOutputSettings(out), (run,), anatomy=anatomy, xray=HOW)
    write_settings(out / SETTINGS_FILE, settings, command="xvr track", distribution="xraykit-xvr")
    where = {"page": PageSettings(output=tmp_path / "out", port=0), "opening": OpeningSettings(track=out)}
    with open_app(AppSettings(**where)) as server:
        state = told(server, "frame", {"to": 1})
        assert state["structure"]["chosen"] == ["liver"] and state["views"][0]["placed"] == "track"
        assert torch.equal(server.session.views[0].now.pose, poses[1])
    with pytest.raises(InputError, match="--track alone takes cameras, labels and how X-rays are read from the track"):
        open_app(AppSettings(anatomy=LabelSettings(labels=tmp_path / "seg.nii.gz"), **where))


@pytest.mark.parametrize("noted", [True, False])
def test_relative_paths_of_a_track_begin_where_it_was_made(tmp_path, monkeypatch, noted):
    (tmp_path / "made").mkdir()
    monkeypatch.chdir(tmp_path / "made")
    out, poses = write_mesh_track(Path(), noted=noted)
    assert track_settings(out).meshes.mesh[0].is_absolute() == noted
    (tmp_path / "made").rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    if not noted:  # by an earlier version: from the working folder, as it was
        with pytest.raises(FileError, match=r"names run, which is not in the working folder, .*open it from there"):
            opened(Path("moved/track"))
        monkeypatch.chdir(tmp_path / "moved")
    with opened(Path("moved/track" if noted else "track")) as server:
        assert told(server, "state")["frames"]["count"] == len(poses)
    if noted:
        (tmp_path / "moved/stem.stl").rename(tmp_path / "stem.stl")
        with pytest.raises(FileError, match=r"names stem\.stl, which is not in .*moved, where `xraykit xvr track` was"):
            opened(Path("moved/track"))


def test_what_does_not_fit_a_track_to_be_looked_at_is_refused(track, tmp_path):
    folder, _ = track
    with pytest.raises(InputError, match="is looked at as it was found, got options beside --track"):
        opened(folder, xray=XraySettings(sdd=900.0))
    with pytest.raises(FileError, match=r"settings\.json"):
        opened(write_track(tmp_path / "bare", torch.eye(4, dtype=torch.float64)[None]))
    other = write_track(tmp_path / "other", torch.eye(4, dtype=torch.float64).expand(3, 4, 4), bodies=("screw",))
    (other / SETTINGS_FILE).write_bytes((folder / SETTINGS_FILE).read_bytes())
    with pytest.raises(InputError, match=r"--track must be of plate, stem, which its settings\.json names, got screw"):
        opened(other)
    meshless = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    meshless["meshes"]["mesh"] = ["missing.stl"]
    (other / SETTINGS_FILE).write_text(json.dumps(meshless), encoding="utf-8")
    with pytest.raises(FileError, match=r"missing\.stl"):
        opened(other)
    with pytest.raises(InputError, match="got X-rays alone"):
        opened(folder, xrays=(folder.parent / "run",))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [([], "got neither"), (["ct.nii.gz"], "got ct.nii.gz alone"), (["--track", "missing"], "settings.json")],
)
def test_the_command_says_what_must_be_named(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert command(["xvr", "app", *arguments, "--port", "0", "--no-browser"]) == 2
    said = capsys.readouterr().err
    assert words in " ".join(said.split()) and "Traceback" not in said and list(tmp_path.iterdir()) == []


def test_a_page_of_a_ct_sends_tracks_of_implants_to_a_page_of_their_own(track):
    folder, _ = track
    settings = AppSettings(Path("ct.nii.gz"), (folder.parent / "run",), xray=replace(HOW), page=PageSettings(port=0))
    with pytest.raises(InputError, match="xraykit xvr app --track FOLDER"):
        open_app(replace(settings, opening=OpeningSettings(track=folder)))
