"""A page's server hears its own page alone: own names, own origin, the token, bounded bodies."""

import asyncio

import pytest
from xraykit.render.web import Guard, is_own_page

TOKEN = "the-secret"
HOST = "127.0.0.1:8080"


class App:
    """What stands behind the guard: says what reached it."""

    def __init__(self):
        self.reached = 0

    async def __call__(self, scope, receive, send):
        self.reached += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"welcome"})


def answer(headers: dict[str, str], *, path: str = "/api/state", kind: str = "http") -> tuple[App, list[dict]]:
    """The app, and the messages that one request of these headers is answered with."""
    app, sent = App(), []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    lines = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    guard = Guard(app, token=TOKEN, largest_body=100)
    asyncio.run(guard({"type": kind, "path": path, "headers": lines}, receive, send))
    return app, sent


def test_own_page_with_the_token_passes_and_its_answer_carries_the_policy():
    app, sent = answer({"Host": HOST, "Origin": f"http://{HOST}", "X-Token": TOKEN})
    assert app.reached == 1 and sent[0]["status"] == 200
    headers = dict(sent[0]["headers"])
    assert headers[b"x-own"] == b"1" and b"default-src 'self'" in headers[b"content-security-policy"]


def test_program_without_origin_passes_with_the_token():
    assert answer({"Host": "localhost:8080", "X-Token": TOKEN})[0].reached == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-Token": ""},
        {"X-Token": "guess"},
        {"X-Token": TOKEN + "x"},
        {"Host": "example.org"},
        {"Host": "127.0.0.1.example.org:8080"},
        {"Host": "[:::"},
        {"Host": ""},
        {"Origin": "http://example.org"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8080"},
        {"Origin": "null"},
    ],
)
def test_request_from_elsewhere_is_refused_before_the_app_sees_it(wrong):
    app, sent = answer({"Host": HOST, "X-Token": TOKEN, **wrong})
    assert (app.reached, sent[0]["status"], sent[1]["body"]) == (0, 403, b"refused")


def test_request_without_any_token_is_refused_and_the_page_itself_needs_none():
    assert answer({"Host": HOST})[1][0]["status"] == 403
    assert answer({"Host": HOST}, path="/")[1][0]["status"] == 200


def test_page_itself_is_refused_under_a_foreign_name():
    """DNS rebinding: a foreign name that resolves to this machine."""
    assert answer({"Host": "rebound.example.org"}, path="/")[1][0]["status"] == 403


@pytest.mark.parametrize(
    "size", [{"Content-Length": "101"}, {"Content-Length": "-1"}, {"Transfer-Encoding": "chunked"}]
)
def test_body_that_is_large_or_of_unknown_size_is_refused(size):
    app, sent = answer({"Host": HOST, "X-Token": TOKEN, **size})
    assert (app.reached, sent[0]["status"]) == (0, 413)


def test_other_protocols_get_nothing():
    app, sent = answer({"Host": HOST, "X-Token": TOKEN}, kind="websocket")
    assert (app.reached, sent) == (0, [])


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        (None, "127.0.0.1:8080", True),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", True),
        ("http://localhost:9000", "localhost:9000", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://127.0.0.1.example.com", "127.0.0.1:8080", False),
        ("http://127.0.0.1.example.com", "127.0.0.1.example.com", False),
        ("https://example.com", "127.0.0.1:8080", False),
        ("null", "127.0.0.1:8080", False),
        ("http://localhost:3000", "localhost:8080", False),
        (None, "", False),
    ],
)
def test_only_the_servers_own_page_is_its_own(origin, host, own):
    assert is_own_page(origin, host=host) == own
