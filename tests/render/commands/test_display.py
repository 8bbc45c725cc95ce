"""A page is said and opened where there is a display, and closed however its wait ends."""

import pytest
from xraykit.render.commands import display
from xraykit.render.commands.display import has_display, serve_until_interrupt


class Stub:
    """A page whose wait ends as told."""

    url = "http://127.0.0.1:1/#token"

    def __init__(self, ending: BaseException | None = None):
        self.ending, self.closed = ending, 0

    def wait(self):
        if self.ending is not None:
            raise self.ending

    def close(self):
        self.closed += 1


@pytest.fixture
def opened(monkeypatch):
    urls = []
    monkeypatch.setattr(display.webbrowser, "open", urls.append)
    monkeypatch.setattr(display, "has_display", lambda: True)
    return urls


def test_page_is_said_opened_and_closed(opened, capsys):
    page = Stub()
    serve_until_interrupt(page, browser=True, more="; results go to out")
    assert capsys.readouterr().out == f"Look at {Stub.url} (Ctrl-C ends it); results go to out\n"
    assert (opened, page.closed) == ([Stub.url], 1)


def test_interrupt_closes_the_page_and_says_so(opened):
    page = Stub(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt, match=r"^the viewer is closed$"):
        serve_until_interrupt(page, browser=True, name="viewer")
    assert page.closed == 1


def test_what_stops_the_page_is_raised_after_closing_it(opened):
    page = Stub(ZeroDivisionError("broken"))
    with pytest.raises(ZeroDivisionError, match="broken"):
        serve_until_interrupt(page, browser=True)
    assert page.closed == 1


def test_page_is_not_opened_where_the_user_or_the_machine_says_so(opened, monkeypatch):
    serve_until_interrupt(Stub(), browser=False)
    monkeypatch.setattr(display, "has_display", lambda: False)
    serve_until_interrupt(Stub(), browser=True)
    assert opened == []


@pytest.mark.parametrize(
    ("platform", "variables", "shown"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", {"DISPLAY": ""}, False),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_display_is_known_by_platform_and_environment(monkeypatch, platform, variables, shown):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(display.sys, "platform", platform)
    assert has_display() == shown
