"""The app steps through the frames of a run: each keeps its pose, a new one has the track's or the last one's."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from support.page_requests import ask
from support.xvr_app import CAMERA, TRUE, ended, patient, shot_of
from support.xvr_cine import HOW, TURN, cine_session, write_run, write_track
from xraykit.render import InputError, save_image, write_volume
from xraykit.render.commands import LabelSettings
from xraykit.render.geometry import geodesic_distance
from xraykit.xvr.app import AppSettings, OpeningSettings, PageSettings, open_app
from xraykit.xvr.app.pose_sliders import Move
from xraykit.xvr.app.state import session_state
from xraykit.xvr.result.reading import read_result

COUNT = 4


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of four frames and its true poses."""
    return write_run(tmp_path_factory.mktemp("cine"), COUNT)


@pytest.fixture
def damaged(run, tmp_path):
    """The same run, whose second image is cut off."""
    folder = shutil.copytree(run[0], tmp_path / "run")
    (folder / "001.tiff").write_bytes((folder / "001.tiff").read_bytes()[:700])
    return folder


def pose(session):
    return session.views[0].now.pose


def test_a_new_frame_starts_where_the_last_one_is_and_keeps_its_own_pose(run):
    session = cine_session(run[0], run[1][0])
    session.move(0, Move(add={"x": 4.0}), gesture="a")
    moved = pose(session)
    assert session.show_frame(1) == []
    assert session.views[0].shot.name == "run_001" and session.views[0].now.kind == "frame before"
    assert torch.equal(pose(session), moved)
    session.move(0, Move(add={"roll": 2.0}), gesture="b")
    turned = pose(session)
    session.show_frame(0)
    assert torch.equal(pose(session), moved) and len(session.views[0].history) == 2
    session.show_frame(1)
    assert torch.equal(pose(session), turned)
    session.undo(0)
    assert torch.equal(pose(session), moved)
    session.show_frame(2)
    session.show_frame(0)
    session.move(0, Move(add={"y": 3.0}), gesture="c")
    first = pose(session)
    session.show_frame(2)
    assert torch.equal(pose(session), first), "nobody had moved it, so it begins anew"
    session.close()


def test_tracked_frames_open_where_tracking_found_them_and_lost_ones_say_so(run, tmp_path):
    track = write_track(tmp_path / "track", run[1], lost=(2,))
    session = cine_session(run[0], run[1][3], track=track)
    assert session.views[0].now.kind == "track" and torch.equal(pose(session), run[1][0])
    session.show_frame(1)
    assert torch.equal(pose(session), run[1][1])
    state = session_state(session)["frames"]
    assert (state["label"], state["count"], state["track"]["verdict"]) == ("001", COUNT, "tracked")
    session.show_frame(2)
    assert torch.equal(pose(session), run[1][1]) and session.views[0].now.kind == "frame before"
    told = session_state(session)["frames"]["track"]
    assert told == {"verdict": "lost", "score": 0.95, "lost": True, "reasons": ["fits 0.31, usual is 0.95"]}
    session.show_frame(3)
    assert torch.equal(pose(session), run[1][3])
    session.close()


def test_of_several_bodies_the_chosen_structure_has_its_own_track(run, tmp_path):
    track = write_track(tmp_path / "track", run[1], bodies=("liver", "rib_left_1,rib_left_2"))
    session = cine_session(run[0], run[1][0], track=track)
    tracked = session.frames.tracked
    elsewhere = tracked.frames[0].poses.clone()
    elsewhere[1, 0, :3, 3] += 5.0
    tracked.frames[0] = replace(tracked.frames[0], poses=elsewhere)
    session.choose(["rib_left_1", "rib_left_2"])
    assert torch.equal(pose(session), elsewhere[1, 0])
    session.move(0, Move(add={"x": 1.0}), gesture="a")
    by_hand = pose(session)
    session.choose(["liver"])
    assert torch.equal(pose(session), by_hand), "what hands have moved stays"
    session.close()


def test_a_damaged_frame_is_passed_over_and_said(run, damaged):
    session = cine_session(damaged, run[1][0])
    (said,) = session.show_frame(1)
    assert said.startswith("frame 001 was passed over: ") and "001.tiff" in said
    assert session_state(session)["frames"]["label"] == "002"
    assert session.show_frame(1) != [] and session_state(session)["frames"]["label"] == "000"
    for name in ("002", "003"):
        (damaged / f"{name}.tiff").unlink()
    session.frames._images.clear()
    with pytest.raises(InputError, match="a frame from 001 on must be readable to be shown, got none: frame 001 was"):
        session.show_frame(1)
    assert session.views[0].shot.name == "run_000", "nothing has changed"
    for wrong in (COUNT, -1, True, "1", None):
        with pytest.raises(InputError, match="frame must be 0 to 3"):
            session.show_frame(wrong)
    session.close()


def test_a_frame_is_registered_from_the_motion_so_far(run, tmp_path):
    heard = []

    def refine(shots, volume, *, starts, files, **_):
        heard.append((starts, files.xrays))
        raise InputError("enough")

    track = write_track(tmp_path / "track", run[1][:2])
    session = cine_session(run[0], run[1][0], track=track, refine_with=refine)
    with pytest.raises(InputError, match="the start needs the pose of a frame before this one, got none"):
        session.refine(0, follow=True)
    for frame in (1, 2):
        session.show_frame(frame)
        session.refine(0, follow=True)
        ended(session)
    (first, _), (second, files) = heard
    assert first.kind == second.kind == "result" and files == (run[0] / "002.tiff",)
    torch.testing.assert_close(first.poses, run[1][:1][None])
    assert second.poses.shape == (2, 1, 4, 4)
    torch.testing.assert_close(second.poses[0, 0], run[1][2], atol=1e-3, rtol=0)  # the same turn once more
    torch.testing.assert_close(second.poses[1, 0], run[1][1])
    session.show_frame(3)
    with pytest.raises(InputError, match="the start needs the pose of frame 002, got none; step there and register"):
        session.refine(0, follow=True)
    session.close()


def test_registering_frame_by_frame_finds_the_motion_and_frames_wait_for_it(run):
    session = cine_session(run[0], run[1][0])
    session.refine(0)
    with pytest.raises(InputError, match="frame stays while a task is running"):
        session.show_frame(1)
    ended(session)
    session.show_frame(1)
    assert float(geodesic_distance(pose(session), run[1][1])[0]) == pytest.approx(TURN, abs=0.3)
    session.refine(0, follow=True)
    assert ended(session).outcome == "done"
    assert float(geodesic_distance(pose(session), run[1][1])[0]) < 0.3
    session.close()


@pytest.fixture(scope="module")
def files(run):
    """A folder with ct.nii.gz, seg.nii.gz, the run, and the first two frames in one file."""
    folder, volume = run[0].parent, patient()
    write_volume(folder / "ct.nii.gz", (1000 * (volume.mu / 0.02 - 1)).round().to(torch.int16), volume.affine)
    write_volume(folder / "seg.nii.gz", volume.labels, volume.affine, label_names=dict(volume.label_names))
    images = [shot_of(volume, lao_rao=TRUE["lao_rao"] + n * TURN)[0].image for n in range(2)]
    save_image(folder / "two.tiff", torch.stack(images)[:, None], camera=CAMERA)
    return folder


def opened(files, *xrays, out, xray=HOW, **opening):
    pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-xvr[app]'")
    pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-xvr[app]'")
    how = {"anatomy": LabelSettings(labels=files / "seg.nii.gz"), "xray": xray, "opening": OpeningSettings(**opening)}
    named = tuple(files / name for name in xrays)
    return open_app(AppSettings(files / "ct.nii.gz", named, page=PageSettings(output=out, port=0), **how))


def told(server, name, body=None):
    status, content, _ = ask(server, f"/api/{name}", body)
    assert status == 200, content
    return json.loads(content)


def test_a_followed_run_opens_steps_and_saves_frame_by_frame(files, run, tmp_path):
    track = write_track(tmp_path / "track", run[1], bodies=("liver",))
    with opened(files, "run", out=tmp_path / "out", track=track) as server:
        state = told(server, "state")
        assert state["frames"]["index"] == 0 and state["structure"]["chosen"] == ["liver"]
        state = told(server, "frame", {"to": 2})
        assert state["said"] == [] and state["views"][0]["name"] == "run_002"
        saved = told(server, "save", {"view": 0})["path"]
        record = read_result(saved)
        assert saved.endswith("out/run_002-0001") and record.views == ("run_002",)
        assert record.inputs["xrays"] == [str(files / "run/002.tiff")] and record.start_kind == "track"
        torch.testing.assert_close(record.poses[0, 0], run[1][2])


def test_a_file_of_several_frames_opens_as_a_run_unless_one_is_chosen(files, tmp_path):
    with opened(files, "two.tiff", out=tmp_path / "out") as server:
        assert told(server, "state")["frames"] == {"index": 0, "count": 2, "label": "0", "time": None, "track": None}
        assert told(server, "frame", {"to": 1})["views"][0]["name"] == "two_1"
    with opened(files, "two.tiff", out=tmp_path / "out", xray=replace(HOW, frame=1)) as server:
        assert told(server, "state")["frames"] is None
        assert ask(server, "/api/frame", {"to": 1})[0] == 400


def test_missing_frames_are_said_when_the_page_opens(files, damaged, tmp_path):
    (damaged / "002.tiff").unlink()
    (damaged / "000.tiff").write_bytes(b"no image")
    (damaged / "001.tiff").write_bytes((files / "run/001.tiff").read_bytes())
    with opened(files, damaged, out=tmp_path / "out") as server:
        state = told(server, "state")
    notes = " ".join(state["notes"])
    assert state["frames"]["label"] == "001" and "frame 000 was passed over" in notes
    assert "frames 2 (counted from 0) are missing" in notes


@pytest.mark.parametrize(
    ("xrays", "header", "words"),
    [
        (["run"], {"inputs": {"meshes": ["a.stl"]}}, "--track must be a track of a CT"),
        (["run"], {"views": ("a", "b")}, "--track must show 1 views, as the page does, got 2"),
        (["two.tiff"], {}, "--track must be of the frames of .*two.tiff, got '000' where it has '0'"),
        (["run/000.tiff"], {}, "--track needs the run that was followed"),
        (["run", "run/000.tiff"], {}, "must all be runs of frames or all be single"),
    ],
)
def test_tracks_and_runs_that_do_not_fit_are_refused(files, run, tmp_path, xrays, header, words):
    poses = run[1]
    track = write_track(tmp_path / "track", poses, **{k: v for k, v in header.items() if k != "views"})
    if "views" in header:
        text = (track / "frames.jsonl").read_text(encoding="utf-8").splitlines()
        head = json.loads(text[0]) | {"views": list(header["views"])}
        (track / "frames.jsonl").write_text(json.dumps(head) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=words):
        opened(files, *xrays, out=tmp_path / "out", track=track)
