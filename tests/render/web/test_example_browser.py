"""The example page in a real browser: its bar moves, its picture comes, its job is cancelled, its mistakes are said."""

import runpy

import pytest
from support.chromium import chromium, find_chromium
from support.repo import ROOT
from xraykit.render import torso
from xraykit.render.web import PageServer

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-render[web]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-render[web]'")
pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium on the path; on Debian: apt-get install chromium"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The example's turntable and the browser that shows it."""
    example = runpy.run_path(str(ROOT / "examples/render/local_page.py"))
    folder = tmp_path_factory.mktemp("example")
    table = example["Turntable"](torso(spacing=8.0), folder, pixels=64)
    with PageServer(example["PAGE"], table.requests, port=0) as server, chromium(folder / "profile") as tab:
        tab.command("Page.navigate", url=server.url)
        tab.until(lambda: "Turntable" in tab.text() and tab.evaluate("document.readyState") == "complete")
        yield table, server, tab
    table.runner.close()


def press(tab, button: str, *, views: int | None = None) -> None:
    if views is not None:
        tab.evaluate(f"document.querySelector('#views').value = {views}")
    tab.evaluate(f"document.querySelector('#{button}').click()")


def test_bar_moves_and_the_picture_comes_until_the_job_is_cancelled(page):
    table, _, tab = page
    press(tab, "turn", views=360)
    tab.until(lambda: tab.evaluate("document.querySelector('#progress').value") > 0)
    tab.until(lambda: tab.evaluate("document.querySelector('#picture').naturalWidth") == 64)
    assert "degrees" in tab.text()
    press(tab, "cancel")
    tab.until(lambda: "cancelled" in tab.text())
    assert table.runner.job.outcome == "cancelled" and 0 < len(table.runner.job.steps) < 360


def test_job_is_followed_to_its_end(page):
    _, _, tab = page
    press(tab, "turn", views=3)
    tab.until(lambda: "done" in tab.text())
    assert tab.evaluate("document.querySelector('#progress').value") == 1
    assert tab.evaluate("document.querySelector('#cancel').hidden")


def test_mistake_is_said_on_the_page(page):
    _, _, tab = page
    press(tab, "turn", views=0)
    tab.until(lambda: "views must be 1 to 360, got 0." in tab.text())


def test_page_asks_nobody_but_this_machine(page):
    _, server, tab = page
    asked = [url for url in tab.requested if not url.startswith(("blob:", server.address))]
    assert asked == []
