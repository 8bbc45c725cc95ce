"""The page in a real browser: hovering shows heat, two clicks make a pair, keys do as the mouse, saving writes it."""

import base64
import io
import json
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from support.chromium import chromium, find_chromium
from support.corr_app import small_page, written

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-corr[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-corr[app]'")
pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium on the path; on Debian: apt-get install chromium"
)

SIZE = (1280, 800)
A, B = (60, 40), (48, 64)  # heights and widths


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The session and the browser that shows it."""
    folder = tmp_path_factory.mktemp("app")
    with small_page(folder) as server, chromium(folder / "profile", size=SIZE) as tab:
        tab.command("Page.navigate", url=server.url)
        tab.until(lambda: tab.evaluate("document.body?.dataset.ready"))
        yield server.session, tab


@pytest.fixture(autouse=True)
def no_pairs(page):
    """Every test begins without pairs, without a point, with the mouse away."""
    session, tab = page
    while session.pairs:
        session.delete(0)
    tab.press("Escape", 27)
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    tab.evaluate("document.activeElement.blur()")


def place(tab, view: int, x: float, y: float) -> tuple[float, float]:
    """Where a point of an image lies on the page, while nothing is zoomed."""
    script = f"JSON.stringify(document.querySelectorAll('figure canvas')[{view}].getBoundingClientRect())"
    box, (height, width) = json.loads(tab.evaluate(script)), (A, B)[view]
    scale = min(box["width"] / width, box["height"] / height)
    return (
        box["x"] + box["width"] / 2 + (x - width / 2) * scale,
        box["y"] + box["height"] / 2 + (y - height / 2) * scale,
    )


def hover(tab, view: int, x: float, y: float) -> None:
    at = place(tab, view, x, y)
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=at[0], y=at[1])


def click(tab, view: int, x: float, y: float) -> None:
    tab.click(*place(tab, view, x, y))


def where(tab) -> str:
    return tab.evaluate("document.querySelector('#where').textContent")


def blue(tab, view: int) -> np.ndarray:
    """How blue each pixel of a view is."""
    script = f"document.querySelectorAll('figure canvas')[{view}].toDataURL('image/png').split(',')[1]"
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(tab.evaluate(script)))).convert("RGB")).astype(float)
    return np.clip(picture[..., 2] - picture[..., 0], 0, None)


def test_hovering_shows_where_the_point_may_lie_in_the_other_view(page):
    session, tab = page
    for y in (12.0, 48.0):
        hover(tab, 0, 20.0, y)
        tab.until(lambda y=y: where(tab).startswith(f"A 20, {y:.0f} → B"))
        heat = session.matches.query(0, 20.0, y)[1]
        best = heat.places(1)[0]
        assert where(tab).split("B ")[1].startswith(f"{best.probability:.2f} at")
        tab.until(lambda: blue(tab, 1).max() > 50)
        rows = blue(tab, 1).sum(1)
        shown = (rows * np.arange(len(rows))).sum() / rows.sum()
        assert shown == pytest.approx(place(tab, 1, 0, best.y)[1] - canvas_top(tab), abs=25)
        assert blue(tab, 0).max() < 50, "no heat in the view that is pointed at"


def canvas_top(tab) -> float:
    return tab.evaluate("document.querySelectorAll('figure canvas')[1].getBoundingClientRect().y")


def test_leaving_takes_the_heat_away(page):
    _, tab = page
    hover(tab, 0, 20.0, 30.0)
    tab.until(lambda: where(tab))
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
    tab.until(lambda: not where(tab))
    tab.until(lambda: blue(tab, 1).max() < 50)


def test_two_clicks_make_a_pair_and_saving_writes_it(page):
    session, tab = page
    tab.evaluate("document.querySelector('#name').value = 'styloid'")
    click(tab, 0, 20.0, 30.0)
    tab.until(lambda: "partner in B" in tab.text())
    click(tab, 1, 32.0, 24.0)
    tab.until(lambda: len(session.pairs) == 1)
    (pair,) = session.pairs
    assert pair.a == pytest.approx((20.0, 30.0), abs=0.1) and pair.b == pytest.approx((32.0, 24.0), abs=0.1)
    assert (pair.name, pair.is_match, pair.radius) == ("styloid", True, 2.0)
    tab.until(lambda: "styloid" in tab.text() and "1 match, 0 not" in tab.text())
    tab.evaluate("document.querySelector('#save').click()")
    tab.until(lambda: session.is_saved)
    point = written(session.sample.path)["samples"][0]["pairs"][0]["points"][0]
    assert point["a"] == pytest.approx([20.0, 30.0], abs=0.1) and point["y"] == 1
    tab.until(lambda: "saved 1 pair in annotations.json" in tab.text())


def test_a_negative_is_marked_changed_deleted_and_undone(page):
    session, tab = page
    tab.press("m", 77)
    click(tab, 1, 10.0, 10.0)
    click(tab, 0, 12.0, 50.0)
    tab.until(lambda: session.pairs and not session.pairs[0].is_match)
    tab.press("m", 77)
    tab.until(lambda: "0 match, 1 not" in tab.text())
    tab.evaluate("document.querySelector('#pairs button').click()")
    tab.until(lambda: session.pairs[0].is_match)
    tab.until(lambda: "1 match, 0 not" in tab.text())
    tab.evaluate("document.querySelectorAll('#pairs button')[1].click()")
    tab.until(lambda: not session.pairs)
    tab.until(lambda: "none yet" in tab.text())
    tab.press("u", 85)
    tab.until(lambda: len(session.pairs) == 1)


def test_keys_alone_make_a_pair(page):
    session, tab = page
    for view, key, code in ((0, "ArrowDown", 40), (1, "ArrowRight", 39)):
        tab.evaluate(f"document.querySelectorAll('figure canvas')[{view}].focus({{focusVisible: true}})")
        tab.press(key, code)
        tab.press("Enter", 13)
    tab.until(lambda: len(session.pairs) == 1)
    (pair,) = session.pairs
    assert pair.a[1] != 30.0 or pair.b[0] != 32.0, "the arrows moved the cursor"


def test_escape_gives_up_a_point(page):
    session, tab = page
    click(tab, 0, 20.0, 30.0)
    tab.until(lambda: "partner in B" in tab.text())
    tab.press("Escape", 27)
    tab.until(lambda: "click its first point" in tab.text())
    click(tab, 1, 20.0, 30.0)
    tab.until(lambda: "partner in A" in tab.text())
    assert not session.pairs


def test_the_wheel_zooms_about_the_pointer(page):
    """After it the pointer is still on the same point of the image, and a drag moves the image, which is no click."""
    _, tab = page
    x, y = place(tab, 0, 10.0, 15.0)
    tab.command("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-600)
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=x + 1, y=y)
    tab.until(lambda: where(tab).startswith("A 10, 15 "))
    drag = {"button": "left", "buttons": 1, "clickCount": 1}
    tab.command("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **drag)
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=x + 60, y=y, **drag)
    tab.command("Input.dispatchMouseEvent", type="mouseReleased", x=x + 60, y=y, **drag)
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=x + 61, y=y)
    tab.until(lambda: where(tab).startswith("A 10, 15 "))
    assert "click its first point" in tab.text()
    tab.evaluate("document.querySelectorAll('figure canvas')[0].focus()")
    tab.press("0", 48)
    hover(tab, 0, 20.0, 30.0)
    tab.until(lambda: where(tab).startswith("A 20, 30 "))


def test_mistakes_are_said_on_the_page(page):
    session, tab = page
    for _ in range(2):
        click(tab, 0, 20.0, 30.0)
        tab.until(lambda: "partner in B" in tab.text())
        click(tab, 1, 32.0, 24.0)
        tab.until(lambda: len(session.pairs) == 1)
    tab.until(lambda: "must be new, got those of pair 1" in tab.text())


def test_clicks_that_come_faster_than_the_answers_all_count(page):
    session, tab = page
    places = [(12.0 + 8 * n, 10.0 + 6 * n) for n in range(4)]
    for x, y in places:
        click(tab, 0, x / 2, y)
        click(tab, 1, x, y)
    tab.until(lambda: len(session.pairs) == len(places))
    assert [pair.b for pair in session.pairs] == [pytest.approx(place, abs=0.1) for place in places]
    tab.until(lambda: "4 match, 0 not" in tab.text() and "click its first point" in tab.text())


def test_page_asks_nobody_but_this_machine(page):
    _, tab = page
    tab.text()
    hosts = {urlsplit(url).hostname for url in tab.requested if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
