"""A page's server gives files and answers on 127.0.0.1, complains in sentences, and ends when it is closed."""

import json
import socket
import sys
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from support.waiting import PATIENCE
from xraykit.render import BackendUnavailableError, InputError
from xraykit.render.web import Answer, PageServer

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-render[web]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-render[web]'")


def greet(body):
    if "name" not in body:
        raise InputError("greet needs a name.")
    return {"said": f"hello {body['name']}"}


REQUESTS = {
    "greet": greet,
    "picture": lambda body: Answer(b"\x89PNG", "image/png", {"X-Place": "here"}),
    "nothing": lambda body: Answer(b""),
}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "page.html").write_text("<main>a page</main>", encoding="utf-8")
    (folder / "app.js").write_text("import { tell } from './api.js';", encoding="utf-8")
    (folder / "secret.txt").write_text("not of the page", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(page):
    with PageServer(page, REQUESTS, port=0, largest_body=1000) as server:
        yield server


def ask(server, path, raw=None, **headers):
    """Status, content and headers; a POST where there is a body."""
    named = {"X-Token": server.token, **headers}
    request = urllib.request.Request(server.address + path, data=raw, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/", "text/html", b"a page"),
        ("/app.js", "text/javascript", b"import"),
        ("/api.js", "text/javascript", b"X-Token"),
    ],
)
def test_files_of_the_page_and_the_shared_script_are_served_with_the_policy(server, path, kind, words):
    status, content, headers = ask(server, path)
    assert status == 200 and words in content and headers["content-type"].startswith(kind)
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/secret.txt", "/../server.py", "/%2e%2e/server.py", "/etc/passwd"])
def test_nothing_else_is_served(server, path):
    assert ask(server, path)[0] == 404


def test_request_is_answered_with_json_or_bytes_or_nothing(server):
    status, content, _ = ask(server, "/api/greet", json.dumps({"name": "Röntgen"}).encode())
    assert (status, json.loads(content)) == (200, {"said": "hello Röntgen"})
    status, content, headers = ask(server, "/api/picture", b"{}")
    assert (status, content, headers["content-type"], headers["x-place"]) == (200, b"\x89PNG", "image/png", "here")
    assert ask(server, "/api/nothing", b"")[:2] == (204, b"")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{}", "greet needs a name."),
        (b"no json", "a request must be JSON"),
        (b"[1]", "must be a JSON object, got list"),
        (b"[" * 900, "a request must be JSON"),
    ],
)
def test_mistake_is_one_sentence(server, raw, words):
    status, content, _ = ask(server, "/api/greet", raw)
    assert status == 400 and words in json.loads(content)["error"]


@pytest.mark.parametrize(
    "headers", [{"X-Token": "guess"}, {"X-Token": ""}, {"Host": "example.org"}, {"Origin": "http://example.org"}]
)
def test_request_from_elsewhere_is_refused(server, headers):
    assert ask(server, "/api/greet", b"{}", **headers)[0] == 403


def test_url_holds_the_token_where_browsers_keep_it_to_themselves(server):
    assert server.url == f"{server.address}/#{server.token}" and len(server.token) >= 32


def test_no_other_address_of_this_machine_answers(server):
    with closing(socket.socket()) as probe:
        probe.settimeout(5)
        assert probe.connect_ex(("127.0.0.2", int(server.address.rsplit(":", 1)[1]))) != 0


def test_busy_port_is_refused(server, page):
    with pytest.raises(InputError, match=r"--port must be free on 127.0.0.1"):
        PageServer(page, {}, port=int(server.address.rsplit(":", 1)[1]))


def test_closing_frees_the_port_and_ends_waiting(page):
    with PageServer(page, {}, port=0) as server:
        port = int(server.address.rsplit(":", 1)[1])
    server.wait()
    with closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_missing_extra_is_named_with_the_command_that_installs_it(page, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(BackendUnavailableError, match=r"pip install .xraykit-render\[web\]"):
        PageServer(page, {}, port=0)
