"""The viewer answers on 127.0.0.1 alone, follows its sliders, saves what it shows, and ends cleanly."""

import socket
import threading
import urllib.request
from contextlib import closing
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from PIL import Image
from support.scenes import random_scene
from support.waiting import PATIENCE, until
from xraykit.render import BackendUnavailableError, GeometryError, InputError, OutputError, read_pose
from xraykit.render.viewer import start_viewer
from xraykit.render.viewer.state import ViewerState
from xraykit.render.web import check_port

viser = pytest.importorskip("viser", reason="needs the extra: pip install 'xraykit-render[view]'")

START = ViewerState(lao_rao=10.0, sod=500.0, sdd=700.0, field=30.0, size=20)


def settled(viewer) -> None:
    """Wait until the page shows what the sliders say."""
    until(lambda: viewer.latest is not None and viewer.latest[0] == viewer.controls.read())


@pytest.fixture(scope="module")
def volume():
    return random_scene(seed=4).volume


@pytest.fixture
def viewer(volume, tmp_path):
    with start_viewer(volume, port=0, folder=tmp_path, start=START, samples=20, backend="torch") as viewer:
        settled(viewer)
        yield viewer


def websocket(viewer, **options):
    from websockets.sync.client import connect

    return connect(
        viewer.url.partition("?websocket=")[2],
        subprotocols=[f"viser-v{viser.__version__}"],
        max_size=2**26,
        **options,
    )


def test_page_answers_with_html(viewer):
    with urllib.request.urlopen(viewer.url, timeout=PATIENCE) as answer:
        assert answer.status == 200
        assert b"<html" in answer.read()


def test_no_other_address_of_this_machine_answers(viewer):
    port = urlsplit(viewer.url).port
    for address in ("127.0.0.2", socket.gethostbyname(socket.gethostname())):
        if address == "127.0.0.1":
            continue
        with closing(socket.socket()) as other:
            other.settimeout(3)
            assert other.connect_ex((address, port)) != 0, f"{address} answers"


def test_websocket_of_our_page_is_sent_the_scene(viewer):
    with websocket(viewer, origin=viewer.url.partition("/?")[0]) as connection:
        assert len(connection.recv(timeout=PATIENCE)) > 1000


def test_websocket_of_a_foreign_page_is_closed_before_it_is_sent_anything(viewer):
    from websockets.exceptions import ConnectionClosed

    with websocket(viewer, origin="https://example.com") as connection:
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=PATIENCE)
        assert closed.value.rcvd.code == 1008


def test_viewer_cannot_be_shared_through_a_tunnel(viewer):
    assert viewer._server.request_share_url() is None
    assert viewer._server._share_tunnel is None


def test_slider_moves_the_camera_and_changes_the_picture(viewer, volume):
    _, before = viewer.latest
    viewer.controls.put(lao_rao=65.0, cra_cau=-20.0, sod=450.0, field=40.0, aim2=3.0)
    settled(viewer)
    state, after = viewer.latest
    assert (state.lao_rao, state.cra_cau, state.sod, state.field, state.aim) == (65.0, -20.0, 450.0, 40.0, (0, 0, 3.0))
    assert torch.equal(after.pose, state.pose(volume.center))
    assert np.abs(after.image - before.image).max() > 0.1
    assert np.array_equal(viewer.page.monitor.image, after.monitor)


def test_view_button_turns_the_carm_and_sets_the_mirror(viewer):
    viewer.controls.turn_to("ap")
    settled(viewer)
    state, _ = viewer.latest
    assert (state.lao_rao, state.cra_cau, state.roll, state.mirrored) == (180.0, 0.0, 0.0, False)


def test_states_that_were_overtaken_are_skipped(viewer, monkeypatch):
    draw, drawn, begun, moved = viewer._renderer.frame, [], threading.Event(), threading.Event()

    def held(state):
        begun.set()
        assert moved.wait(PATIENCE)
        drawn.append(state.roll)
        return draw(state)

    monkeypatch.setattr(viewer._renderer, "frame", held)
    viewer.controls.put(roll=50.0)
    assert begun.wait(PATIENCE)
    for step in range(1, 31):
        viewer.controls.put(roll=float(step))
    moved.set()
    settled(viewer)
    assert viewer.latest[0].roll == 30.0
    assert not {float(step) for step in range(1, 30)} & set(drawn)


def test_manual_window_begins_where_the_automatic_one_was(viewer):
    _, frame = viewer.latest
    viewer.controls._auto.value = False
    settled(viewer)
    state, _ = viewer.latest
    assert state.window == pytest.approx(frame.window, abs=0.11)  # the sliders hold no negative level
    assert viewer.controls._sliders["level"].visible


def test_highlight_shows_the_label_in_the_picture_and_in_3d(viewer):
    assert viewer.controls._highlight.options == ("(nothing)", "one", "two")
    viewer.controls._highlight.value = "two"
    settled(viewer)
    _, frame = viewer.latest
    assert np.any(frame.detector[..., 0] != frame.detector[..., 2])
    assert viewer._stage._chosen is not None
    viewer.controls._highlight.value = "(nothing)"
    settled(viewer)
    assert viewer._stage._chosen is None


def test_impossible_state_is_explained_on_the_page_and_survived(viewer):
    viewer.controls.put(sod=900.0)
    until(lambda: "sod must be between 0 and sdd" in viewer.page.trouble)
    viewer.controls.put(sod=480.0)
    settled(viewer)
    assert viewer.page.trouble == ""


def test_save_writes_pose_and_picture_and_keeps_earlier_ones(viewer, tmp_path):
    state, frame = viewer.latest
    first, second = viewer.save(), viewer.save()
    assert [path.name for path in (*first, *second)] == [
        "view-0001.png", "view-0001.pose.json", "view-0002.png", "view-0002.pose.json",
    ]  # fmt: skip
    camera, pose = read_pose(first[1])
    assert torch.equal(pose, frame.pose)
    assert (camera.sdd, camera.height, camera.width) == (state.sdd, state.size, state.size)
    assert np.array_equal(np.asarray(Image.open(first[0])), frame.monitor)
    assert sorted(path.parent for path in first) == [tmp_path, tmp_path]


def test_save_button_shows_where_it_wrote_or_why_not(viewer, tmp_path):
    viewer._save()
    assert str(tmp_path / "view-0001.png") in viewer.page.message
    viewer._folder = tmp_path / "gone"
    viewer._save()
    assert "not saved" in viewer.page.message


def test_page_names_the_speed_and_the_projector(viewer):
    assert viewer.frames_per_second > 0
    assert "frames/s" in viewer.page._readout.content
    assert "LAO 10°" in viewer.page._readout.content


def test_names_from_files_are_shown_as_text():
    from xraykit.render.viewer.page import rows

    assert "<script>" not in rows([("<script>", "<script>alert(1)</script>")])


def test_close_frees_the_port_and_ends_waiting(volume, tmp_path):
    viewer = start_viewer(volume, port=0, folder=tmp_path, start=START, samples=20, backend="torch")
    port = urlsplit(viewer.url).port
    with pytest.raises(InputError, match=f"--port must be free on 127.0.0.1, got {port}"):
        check_port(port)
    viewer.close()
    check_port(port)
    viewer.wait()


def test_what_stops_the_picture_is_raised_to_whoever_waits(viewer, monkeypatch):
    def broken(_):
        raise ZeroDivisionError("broken")

    monkeypatch.setattr(viewer._renderer, "frame", broken)
    viewer.controls.put(roll=1.0)
    with pytest.raises(ZeroDivisionError, match="broken"):
        viewer.wait()


def test_busy_port_is_refused_and_not_replaced_by_another(volume, tmp_path):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match="choose another with --port"):
            start_viewer(volume, port=port, folder=tmp_path)


def test_port_forced_by_the_environment_is_refused(volume, tmp_path, monkeypatch):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    monkeypatch.setenv("_VISER_PORT_OVERRIDE", "0")
    with pytest.raises(InputError, match=f"the viewer must run on 127.0.0.1:{free}"):
        start_viewer(volume, port=free, folder=tmp_path)


def test_bad_start_leaves_no_server_behind(volume, tmp_path):
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(GeometryError, match="sod must be between 0 and sdd"):
        start_viewer(volume, port=port, folder=tmp_path, start=ViewerState(sod=2000.0))
    check_port(port)


def test_missing_folder_is_refused(volume, tmp_path):
    with pytest.raises(OutputError, match="existing folder"):
        start_viewer(volume, port=0, folder=tmp_path / "none")


def test_missing_viser_is_named_with_the_command_that_installs_it(volume, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "viser", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'xraykit-render\[view\]'"):
        start_viewer(volume, port=0, folder=tmp_path)
