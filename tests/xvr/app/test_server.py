"""The app answers its own page on 127.0.0.1 and nobody else, in sentences, and writes beneath its folder alone."""

import http.client
import io
import json
import socket
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from support.page_requests import ask
from support.waiting import PATIENCE
from support.xvr_app import ended, small_session
from xraykit.render import OutputError
from xraykit.xvr.result.reading import read_result
from xraykit.xvr.trust.judgement import percent

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-xvr[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-xvr[app]'")

from xraykit.xvr.app.server import AppServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    session, _ = small_session()
    with AppServer(session, folder=tmp_path_factory.mktemp("app") / "results", port=0, inputs={"ct": "ct.nii"}) as app:
        yield app


def told(server, name, body=None) -> dict:
    status, content, _ = ask(server, f"/api/{name}", body)
    assert status == 200, content
    return json.loads(content)


def complaint(server, name, body=None, **options) -> str:
    status, content, _ = ask(server, f"/api/{name}", body, **options)
    assert status == 400, content
    return json.loads(content)["error"]


def test_page_and_its_parts_are_served_with_a_strict_policy(server):
    for path, kind, words in (
        ("/", "text/html", b"<main>"),
        ("/app.js", "text/javascript", b"import"),
        ("/style.css", "text/css", b":root"),
        ("/icon.svg", "image/svg+xml", b"<svg"),
    ):
        status, content, headers = ask(server, path)
        assert status == 200 and words in content
        assert headers["content-type"].startswith(kind)
        assert "default-src 'self'" in headers["content-security-policy"]


def test_page_names_no_other_host(server):
    _, page, _ = ask(server, "/")
    assert b"http:" not in page and b"https:" not in page and b"//" not in page


@pytest.mark.parametrize("path", ["/../server.py", "/%2e%2e/server.py", "/page.html/../../guard.py", "/etc/passwd"])
def test_files_beside_the_page_are_not_served(server, path):
    assert ask(server, path)[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Token": ""},
        {"X-Token": "guess"},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Host": "example.org"},
        {"Host": "[:::"},
    ],
)
def test_requests_from_elsewhere_are_refused(server, headers):
    assert ask(server, "/api/state", headers=headers)[0] == 403


def test_page_itself_is_refused_under_a_foreign_name(server):
    """DNS rebinding: a foreign name that resolves to this machine."""
    assert ask(server, "/", headers={"Host": "rebound.example.org"})[0] == 403


def test_own_origin_is_welcome(server):
    assert ask(server, "/api/state", headers={"Origin": server.address})[0] == 200


def test_bodies_are_bounded(server):
    with closing(
        http.client.HTTPConnection("127.0.0.1", int(server.address.rsplit(":", 1)[1]), timeout=PATIENCE)
    ) as line:
        line.putrequest("POST", "/api/load")
        line.putheader("X-Token", server.token)
        line.putheader("Content-Length", str(1 << 30))
        line.endheaders()
        assert line.getresponse().status == 413


def test_no_other_address_of_this_machine_answers(server):
    port = int(server.address.rsplit(":", 1)[1])
    with closing(socket.socket()) as probe:
        probe.settimeout(5)
        assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_rendering_comes_with_where_the_sliders_stand(server):
    move = {"set": {"lao_rao": 150.0}, "drag": [0.0, 0.0], "turn": [0.0, 0.0, 0.0], "zoom": 1.0}
    status, content, headers = ask(server, "/api/drr", {"view": 0, "draft": True, "move": move, "gesture": "1"})
    assert status == 200 and headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(content)).format == "JPEG"
    assert json.loads(headers["x-view"])["sliders"]["lao_rao"] == pytest.approx(150.0)
    told(server, "undo", {"view": 0})


def test_xray_is_a_picture(server):
    _, content, headers = ask(server, "/api/xray", {"view": 1})
    assert Image.open(io.BytesIO(content)).format == "PNG" and headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "name, body, words",
    [
        ("drr", {"view": 7}, "view must be 0 to 1"),
        ("drr", {"view": "../x"}, "view must be 0 to 1"),
        ("drr", {"view": 0, "move": {"set": {"tilt": 3}}}, "sliders are"),
        ("drr", {"view": 0, "move": {"set": [1]}}, "a move must hold"),
        ("drr", {"view": 0, "move": {"turn": [0, 0, "x"]}}, "finite numbers"),
        ("structure", {"names": "liver"}, "names must be a list"),
        ("structure", {"names": ["spleen"]}, "no label matches"),
        ("initialise", {"view": 0, "method": "magic"}, "initialise by one of"),
        ("load", {"text": "{}"}, "result of xvr register"),
        ("load", {"text": 3}, "load needs the text"),
        ("save", {}, "view must be"),
    ],
)
def test_bad_requests_are_answered_in_a_sentence(server, name, body, words):
    assert words in complaint(server, name, body)


@pytest.mark.parametrize("raw, words", [(b"no json", "must be JSON"), (b"[1]", "JSON object, got list")])
def test_bodies_that_are_no_object_are_refused(server, raw, words):
    assert words in complaint(server, "state", raw=raw)


def test_job_is_told_step_by_step_and_its_result_saved_and_loaded(server):
    session = server.session
    assert told(server, "refine", {"view": 0})["kind"] == "refine"
    ended(session)
    job = told(server, "job", {"since": 0})
    assert job["outcome"] == "done" and len(job["steps"]) > 2
    assert len(told(server, "job", {"since": 2})["steps"]) == len(job["steps"]) - 2
    first, second = (told(server, "save", {"view": 0, "name": "../../x"})["path"] for _ in range(2))
    assert first.endswith("results/front-0001") and second.endswith("results/front-0002")
    record = read_result(first)
    assert record.inputs == {"ct": "ct.nii"} and record.similarity is not None and record.views == ("front",)
    found = session.sliders(0)
    told(server, "reset", {"view": 0})
    text = Path(first, "result.json").read_text(encoding="utf-8")
    state = told(server, "load", {"view": 0, "text": text})
    assert session.sliders(0) == pytest.approx(found, abs=1e-9)
    assert state["views"][0]["placed"] == "loaded"
    judged = state["views"][0]["found"]["trust"]
    assert judged["verdict"] == record.trust.verdict and judged["chance"] == percent(record.trust.success_probability)
    again = read_result(told(server, "save", {"view": 0})["path"])
    assert again.trust == record.trust
    told(server, "reset", {"view": 0})


def test_pose_placed_by_hand_is_saved_as_such(server):
    ask(server, "/api/drr", {"view": 1, "move": {"add": {"x": 5.0}}, "gesture": "9", "draft": True})
    record = read_result(told(server, "save", {"view": 1})["path"])
    assert (record.start_kind, record.similarity, record.trust) == ("by hand", None, None)
    told(server, "undo", {"view": 1})


def test_result_of_other_xrays_is_refused(server):
    text = Path(told(server, "save", {"view": 1})["path"], "result.json").read_text(encoding="utf-8")
    text = text.replace('"side"', '"another"')
    assert "must name an X-ray of this page" in complaint(server, "load", {"text": text})


def test_half_a_character_is_refused_in_a_sentence(server):
    raw = b'{"text": "\\ud800{}"}'
    assert "must hold whole characters, got half of a surrogate pair" in complaint(server, "load", raw=raw)


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    session, _ = small_session()
    with pytest.raises(OutputError, match="folder"):
        AppServer(session, folder=tmp_path / "file" / "sub", port=0)
    session.close()


def test_closing_ends_server_and_task(tmp_path):
    session, _ = small_session()
    with AppServer(session, folder=tmp_path, port=0) as server:
        session.refine(0)
    assert not session.worker.job.running
    with closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", int(server.address.rsplit(":", 1)[1]))) != 0
