"""The viewer's server sends and hears nothing but the page that has its token."""

import time
from contextlib import suppress

import pytest
from support.waiting import PATIENCE, until
from xraykit.render.viewer.local_server import local_server, page_url, stop

viser = pytest.importorskip("viser", reason="needs the extra: pip install 'xraykit-render[view]'")
TOKEN = "the-secret"


@pytest.fixture(scope="module")
def server():
    server = local_server(0, label="test", token=TOKEN)
    yield server
    stop(server)


@pytest.fixture
def slider(server):
    slider = server.gui.add_slider("angle", 0, 10, 1, 5)
    yield slider
    slider.remove()


def connection(server, path, origin=None):
    from websockets.sync.client import connect

    address = f"ws://127.0.0.1:{server.get_port()}{path}"
    return connect(address, origin=origin, subprotocols=[f"viser-v{viser.__version__}"], max_size=2**26)


def moved(slider) -> bytes:
    """What a page sends when a slider is moved to 9."""
    import msgspec

    update = {"type": "GuiUpdateMessage", "uuid": slider._impl.uuid, "updates": {"value": 9}}
    return msgspec.msgpack.encode(update)


def test_the_address_holds_the_token(server):
    place = f"127.0.0.1:{server.get_port()}"
    assert page_url(server, TOKEN) == f"http://{place}/?websocket=ws://{place}/{TOKEN}"


def test_behind_a_proxy_the_page_and_its_websocket_are_the_proxys(server):
    outer = "https://hub.example.org/user/me/proxy/{port}/"
    place = f"hub.example.org/user/me/proxy/{server.get_port()}/"
    assert page_url(server, TOKEN, outer) == f"https://{place}?websocket=wss://{place}{TOKEN}"


@pytest.mark.parametrize("own", [True, False])
def test_who_has_the_token_is_sent_the_scene_and_heard(server, slider, own):
    origin = f"http://127.0.0.1:{server.get_port()}" if own else None
    with connection(server, f"/{TOKEN}", origin) as page:
        assert len(page.recv(timeout=PATIENCE)) > 100
        page.send(moved(slider))
        until(lambda: slider.value == 9)


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("", None),
        ("/guess", None),
        (f"/{TOKEN}x", None),
        (f"/?{TOKEN}", None),
        (f"/{TOKEN}", "https://example.com"),
        (f"/{TOKEN}", "http://127.0.0.1:1"),
    ],
)
def test_strangers_are_neither_sent_nor_heard_anything(server, slider, path, origin):
    from websockets.exceptions import ConnectionClosed

    with connection(server, path, origin) as page:
        with suppress(ConnectionClosed):
            page.send(moved(slider))
        with pytest.raises(ConnectionClosed) as closed:
            page.recv(timeout=PATIENCE)
    assert closed.value.rcvd.code == 1008
    time.sleep(0.2)
    assert slider.value == 5
