"""Behind a proxy a page has the proxy's address, and lets in this proxy and no other."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from support.waiting import PATIENCE
from xraykit.render import InputError
from xraykit.render.web import PageServer, is_own_page, outer_address

ROOT = Path(__file__).parents[3]
HUB = "https://hub.example.org/user/me/proxy/{port}/"
pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-render[web]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-render[web]'")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / "page.html").write_text("<main>a page</main>", encoding="utf-8")
    with PageServer(folder, {"greet": lambda body: "hello"}, port=0, outer=HUB) as server:
        yield server


def status(server, **headers) -> int:
    request = urllib.request.Request(
        f"{server.address}/api/greet", data=b"{}", headers={"X-Token": server.token, **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert json.load(answer) == "hello"
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_address_is_the_proxys_with_the_port_and_the_token(server):
    port = server.address.rpartition(":")[2]
    assert server.url == f"https://hub.example.org/user/me/proxy/{port}/#{server.token}"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "hub.example.org", "Origin": "https://hub.example.org"}, 200),  # jupyter-server-proxy keeps Host
        ({"Host": "localhost:8080", "Origin": "https://hub.example.org"}, 200),  # Codespaces rewrites it
        ({"Host": "Hub.example.org"}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "hub.example.org", "Origin": "http://hub.example.org"}, 403),
        ({"Host": "hub.example.org:444", "Origin": "https://hub.example.org:444"}, 403),
        ({"Host": "evil.example.org", "Origin": "https://hub.example.org"}, 403),
        ({"Host": "hub.example.org", "Origin": "https://evil.example.org"}, 403),
        ({"Host": "hub.example.org", "X-Token": "guess"}, 403),
    ],
)
def test_the_stated_proxy_is_let_in_and_no_other(server, headers, code):
    assert status(server, **headers) == code


def test_without_a_stated_proxy_none_is_let_in():
    assert not is_own_page("https://hub.example.org", host="hub.example.org")
    assert not is_own_page("https://hub.example.org", host="localhost:8080")


@pytest.mark.parametrize("text", ["http://localhost:9000/base", "https://NAME-{port}.app.github.dev"])
def test_a_slash_is_added_so_that_relative_addresses_stay_below(text):
    assert outer_address(text, port=8080).url.endswith("/")


@pytest.mark.parametrize(
    "text",
    ["hub.example.org", "ftp://hub/", "https://", "https://me:word@hub/", "https://hub/?a", "https://hub/#b",
     "https://h ub/", "https://hub:notaport/", "https://[::/", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_address_of_a_page_is_refused(text):
    with pytest.raises(InputError, match="--outer must be the address that the browser shows"):
        outer_address(text, port=1)


def test_no_page_asks_for_an_address_from_the_root():
    files = [path for path in ROOT.glob("packages/*/src/**/page/*") if path.suffix in (".html", ".js", ".css")]
    assert len(files) > 10
    rooted = re.compile(r"""(?:src|href|action)=["']/|fetch\([`"']/|url\(["']?/|from ["']/|import\(["'`]/""")
    for file in files:
        assert not rooted.search(file.read_text(encoding="utf-8")), file
