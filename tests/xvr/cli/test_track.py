"""`xvr track` leaves tables, plots, pictures and a video, goes on where it was stopped, and says what is lost."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from pydicom import dcmread
from support.cine import implant_run, true_poses
from support.held import held_elsewhere
from support.implants import CAMERA, QUICK, component, write_stl
from support.soiled import soil, traces
from xraykit.render import save_image, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.xvr.app.track_opening import track_settings
from xraykit.xvr.implants import ImplantAnswer, ImplantRecord, ImplantRegistration, write_implants
from xraykit.xvr.tracking import ImplantGroup, TrackSettings, read_track, track_files
from xraykit.xvr.tracking.journal import add_to_journal, begin_journal, read_journal
from xraykit.xvr.tracking.settings import CineSettings, TrackOutputSettings
from xraykit.xvr.tracking.starting import read_followed

GEOMETRY = ["--sdd", "1000", "--pixel-spacing", "1.2", "--polarity", "line_integral"]
COUNT = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run in which the implant leaves the picture once, its mesh, and where it is in the first frame."""
    path, implant = tmp_path_factory.mktemp("cine"), component()
    (path / "run").mkdir()
    for frame in implant_run(COUNT, empty=(2,)):
        save_image(path / f"run/{frame.label}.tiff", frame.shots[0].image[None, None].float(), camera=CAMERA)
    write_stl(path / "femoral.stl", implant.mesh.vertices, implant.mesh.faces)
    pose, one = true_poses(1)[0][None, None], torch.ones(1)
    found = ImplantRegistration(
        pose, ((ImplantAnswer(pose[0], 0.9),),), one, one, torch.eye(6)[None], implant.pivot[None], one > 0, (), 0.0
    )
    write_implants(path / "implants.json", ImplantRecord(("femoral",), ("000",), found))
    return path


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Frames take a quarter of a second: one scale, and the wider search looks no wider."""
    monkeypatch.setattr("xraykit.xvr.tracking.following.ImplantSettings", lambda: QUICK)
    monkeypatch.setattr(ImplantGroup, "wide", ImplantGroup.near)
    monkeypatch.setattr("xraykit.xvr.tracking.video.LONGER_SIDE", 96)


def command(folder, output, *options, view="run"):
    mesh = ["--mesh", str(folder / "femoral.stl"), "--result", str(folder / "implants.json")]
    return run(["xvr", "track", str(folder / view), "-o", str(output), *mesh, *GEOMETRY, *options])


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_is_followed_and_written(folder, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra evaluate")
    out = tmp_path / "new/out"
    assert command(folder, out, "--frames-per-second", "20", "--smooth", "1") == 3
    said = capsys.readouterr()
    assert "femoral: 3 of 4 frames" in said.out and "femoral is lost in 1 frames: 002" in said.err
    names = {path.name for path in out.iterdir()}
    assert names == {"settings.json", "frames.jsonl", "frames", "poses.csv", "poses_smoothed.csv", "poses.png",
                     "video.gif"}  # fmt: skip
    found, smooth = rows(out / "poses.csv"), rows(out / "poses_smoothed.csv")
    assert [row["verdict"] for row in found] == ["found", "tracked", "lost", "found again"]
    assert [row["time_s"] for row in found] == ["0", "0.05", "0.1", "0.15"]
    assert found[2]["x_mm"] == "" and float(found[3]["turn_y_deg"]) == pytest.approx(12.0, abs=2.0)
    assert {row["smoothed"] for row in found} == {"false"} and {row["smoothed"] for row in smooth} == {"true"}
    with Image.open(out / "video.gif") as video:
        assert video.n_frames == COUNT
    track = read_track(out)
    assert (track.bodies, track.views, track.lost(0)) == (("femoral",), ("run",), ("002",))
    assert float(found[1]["m03"]) == pytest.approx(float(track.body_to_camera[1, 0, 0, 3]))


def settings_of(folder, out, **results):
    start = {"result": (folder / "implants.json",)}
    base = TrackSettings(folder / "run", TrackOutputSettings(out, plots=False, video=False, **results))
    return replace(
        base,
        cine=CineSettings(last=1),
        meshes=replace(base.meshes, mesh=(folder / "femoral.stl",)),
        start=replace(base.start, **start),
        xray=replace(base.xray, sdd=1000.0, pixel_spacing=1.2, polarity="line_integral"),
    )


def test_a_killed_run_keeps_whole_frames_and_goes_on_from_another_folder(folder, tmp_path, monkeypatch):
    whole = track_files(settings_of(folder, tmp_path / "whole"))

    def kill(done, total):
        if done == 1:
            raise KeyboardInterrupt

    out = tmp_path / "killed"
    monkeypatch.chdir(folder)
    with pytest.raises(KeyboardInterrupt):
        track_files(settings_of(Path(), out), report=kill)
    kept = (out / "frames.jsonl").read_bytes()
    (out / "frames.jsonl").write_bytes(kept + b'{"frame": 1, "label": "001", "camera_to')  # killed while it wrote
    seen = []
    monkeypatch.chdir(tmp_path)
    assert track_settings(out).all_views == (folder / "run",)
    again = track_files(
        settings_of(folder, Path("killed"), resume=True), report=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 2), (2, 2)]
    torch.testing.assert_close(again.track.body_to_camera, whole.track.body_to_camera)
    lines = (out / "frames.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines[1:]] == ["000", "001"]
    assert not (out / ".lock").exists()


def test_a_run_that_was_killed_in_its_first_frame_begins_anew(folder, tmp_path):
    out = tmp_path / "killed"
    whole = track_files(settings_of(folder, out))
    header, _ = read_journal(out / "frames.jsonl")
    begin_journal(out / "frames.jsonl", header)
    (out / "frames.jsonl").write_bytes((out / "frames.jsonl").read_bytes() + b'{"frame": 0, "label": "000", "cam')
    (out / ".lock").write_bytes(b"")  # of the process that is gone
    again = track_files(settings_of(folder, out, resume=True))
    torch.testing.assert_close(again.track.body_to_camera, whole.track.body_to_camera)
    assert len(read_track(out).frames) == 2 and not (out / ".lock").exists()


def test_a_second_job_is_refused_before_it_begins(folder, tmp_path, capsys):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    with held_elsewhere(tmp_path / "out"):
        assert "must be free, got another job that writes there" in refused(folder, tmp_path / "out", capsys)


def test_doubts_of_every_file_are_said_and_kept_and_none_of_their_texts(folder, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    for frame in implant_run(2):
        path = tmp_path / f"run/{frame.label}.dcm"
        save_image(path, frame.shots[0].image[None, None].float(), camera=CAMERA)
        dataset = soil(dcmread(path))
        if frame.number == 1:
            dataset.add_new("DistanceSourceToPatient", "LO", dataset.PatientID)
        dataset.save_as(path)
    implant = component()
    write_stl(tmp_path / "femoral.stl", implant.mesh.vertices, implant.mesh.faces.flip(1))  # inside out
    options = ["--mesh", str(tmp_path / "femoral.stl"), "--result", str(folder / "implants.json"), "--no-video"]
    assert run(["xvr", "track", str(tmp_path / "run"), "-o", str(tmp_path / "out"), *options, "--no-plots"]) == 0
    said = capsys.readouterr().err
    assert "warning: frame 001: DistanceSourceToPatient: DistanceSourceToPatient (0018,1111) holds what is no" in said
    assert "frame 000: DistanceSourceToPatient" not in said and "note: femoral, mended: " in said
    header, frames = read_journal(tmp_path / "out/frames.jsonl")
    assert any(note.startswith("femoral, mended: ") for note in header.notes)
    assert not any("DistanceSourceToPatient" in doubt for doubt in frames[0].doubts)
    assert any("DistanceSourceToPatient" in doubt for doubt in frames[1].doubts)
    assert len(traces(tmp_path / "run")) == 2 and traces(tmp_path / "out") == []


def test_doubts_about_the_ct_are_kept(folder, tmp_path):
    values = torch.zeros(8, 8, 8)
    values[2:6, 2:6, 2:6] = 1.0  # no HU
    ct = write_volume(tmp_path / "ct.nii.gz", values, torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0])).double())
    followed = read_followed(TrackSettings(ct, TrackOutputSettings(tmp_path / "out"), views=(folder / "run",)))
    assert followed.doubts and all(doubt.startswith("CT, ") for doubt in followed.doubts)
    track = track_files(settings_of(folder, tmp_path / "out"))
    header, (frame, _) = read_journal(tmp_path / "out/frames.jsonl")
    begin_journal(tmp_path / "again.jsonl", replace(header, doubts=followed.doubts))
    add_to_journal(tmp_path / "again.jsonl", replace(frame, doubts=("a doubt",)))
    header, (frame,) = read_journal(tmp_path / "again.jsonl")
    assert header.doubts == followed.doubts and frame.doubts == ("a doubt",) and track.doubts == ()


def refused(folder, out, capsys, *options, **named):
    before = sorted(out.iterdir()) if out.exists() else None
    assert command(folder, out, *options, "--no-plots", **named) == 2
    assert (sorted(out.iterdir()) if out.exists() else None) == before
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return " ".join(said.split())


def test_an_earlier_track_is_not_written_over(folder, tmp_path, capsys):
    out = tmp_path / "out"
    track_files(settings_of(folder, out))
    assert "must be new, got an earlier track; add --resume" in refused(folder, out, capsys, "--last", "1")
    assert "--resume must go on with the options" in refused(folder, out, capsys, "--resume", "--level", "0.5")


def test_what_cannot_be_right_is_said(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert "--mesh starts from a search or from --result" in refused(folder, out, capsys, "--view", "ap")
    assert "belong to a CT" in refused(folder, out, capsys, "--structures", "femur_left")
    assert "two frames or more must be followed" in refused(folder, out, capsys, "--first", "9")
    knee = {"side": "left", "femur": {"body": "femoral", "right": [1, 0, 0], "proximal": [0, 0, 1]},
            "tibia": {"body": "tibial", "right": [1, 0, 0], "proximal": [0, 0, 1]}}  # fmt: skip
    (tmp_path / "knee.json").write_text(json.dumps(knee))
    said = refused(folder, out, capsys, "--knee", str(tmp_path / "knee.json"))
    assert "--knee must name two of the bodies femoral, got femoral and tibial" in said
    assert run(["xvr", "track", str(folder / "run"), "-o", str(out)]) == 2
    assert "a CT and a run of frames must be named" in " ".join(capsys.readouterr().err.split())
    views = [str(folder / "run"), str(folder / "run"), "--mesh", str(folder / "femoral.stl")]
    assert run(["xvr", "track", *views, "-o", str(out)]) == 2
    assert "needs the --camera of each" in " ".join(capsys.readouterr().err.split())
