"""The page in a real browser: words, clicks and boxes make masks, keys do as the mouse, saving writes them."""

import base64
import io
import json
import time
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from support.chromium import chromium, find_chromium
from support.fluorosam_app import SIZES, small_page, written

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-fluorosam[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-fluorosam[app]'")
pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium on the path; on Debian: apt-get install chromium"
)

SIZE = (1280, 800)
SHIFT = 8


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The session and the browser that shows it."""
    folder = tmp_path_factory.mktemp("app")
    with small_page(folder) as server, chromium(folder / "profile", size=SIZE) as tab:
        tab.command("Page.navigate", url=server.url)
        tab.until(lambda: tab.evaluate("document.body?.dataset.ready"))
        yield server.session, tab


@pytest.fixture(autouse=True)
def first_xray(page):
    """Every test begins with the first X-ray, without masks, with the mouse away."""
    session, tab = page
    for history in session.histories.values():
        history.__init__()
    tab.evaluate("document.querySelector('#keys').close(); document.querySelector('#undo').disabled = false")
    tab.evaluate("document.querySelector('#undo').click()")  # the page hears that nothing is unsaved, so it may go
    tab.until(lambda: tab.evaluate("document.body.dataset.waiting === '0' && document.querySelector('#save').disabled"))
    session.open(0)
    tab.evaluate("document.body.removeAttribute('data-ready')")
    tab.command("Page.reload")
    tab.until(lambda: tab.evaluate("document.body?.dataset.ready"))
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)


def is_open(tab):
    """Whether the X-ray that was asked for is there; until then the page takes no other."""
    return tab.evaluate("document.querySelector('#busy').textContent") == ""


def place(tab, x, y, size=SIZES[0]):
    """Where a point of an image lies on the page, while nothing is zoomed."""
    box = json.loads(tab.evaluate("JSON.stringify(document.querySelector('#xray').getBoundingClientRect())"))
    height, width = size
    scale = min(box["width"] / width, box["height"] / height)
    return (
        box["x"] + box["width"] / 2 + (x - width / 2) * scale,
        box["y"] + box["height"] / 2 + (y - height / 2) * scale,
    )


def mouse(tab, kind, at, **rest):
    tab.command("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], **rest)


def click(tab, x, y, *, button="left", modifiers=0):
    for kind in ("mousePressed", "mouseReleased"):
        mouse(tab, kind, place(tab, x, y), button=button, clickCount=1, modifiers=modifiers)


def drag(tab, start, end, *, modifiers=0):
    held = {"button": "left", "buttons": 1, "clickCount": 1, "modifiers": modifiers}
    mouse(tab, "mousePressed", start, **held)
    mouse(tab, "mouseMoved", ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), **held)
    mouse(tab, "mouseMoved", end, **held)
    mouse(tab, "mouseReleased", end, **held)


def ask_for(tab, text):
    tab.evaluate("document.querySelector('#words').focus()")
    tab.command("Input.insertText", text=text)
    tab.press("Enter", 13)


def press(tab, key, code, modifiers=0):
    for kind in ("keyDown", "keyUp"):
        tab.command("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, modifiers=modifiers)


def settled(tab):
    tab.until(lambda: tab.evaluate("document.body.dataset.waiting") == "0")


def shot(tab):
    """(H, W, 3) of the canvas."""
    url = tab.evaluate("document.querySelector('#xray').toDataURL('image/png').split(',')[1]")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url))).convert("RGB")).astype(float)


def colour(tab):
    """How coloured each pixel of the canvas is."""
    return np.ptp(shot(tab), axis=2)


def masks(session):
    return session.history.now.masks


def test_words_are_suggested_while_typing_and_taken_with_keys(page):
    session, tab = page
    press(tab, "/", 191)
    assert tab.evaluate("document.activeElement.id") == "words"
    tab.command("Input.insertText", text="left fem")
    tab.until(lambda: "left femur" in tab.evaluate("document.querySelector('#suggestions').innerText"))
    press(tab, "ArrowDown", 40)
    assert tab.evaluate("document.querySelector('#words').getAttribute('aria-activedescendant')") == "suggestion0"
    press(tab, "Enter", 13)
    assert tab.evaluate("document.querySelector('#words').value") == "left femur" and not masks(session)
    press(tab, "Enter", 13)
    tab.until(lambda: [mask.name for mask in masks(session)] == ["left femur"])
    tab.until(lambda: "0 of 1 accepted" in tab.text() and "confidence 0.75" in tab.text())
    press(tab, "a", 65)
    tab.until(lambda: "1 of 1 accepted" in tab.text())


def test_several_prompts_each_have_a_mask_and_a_colour_and_what_is_absent_is_said(page):
    session, tab = page
    ask_for(tab, "left femur; spleen; all ribs")
    tab.until(lambda: len(masks(session)) == 3)
    settled(tab)
    assert "“spleen”: not visible in this X-ray" in tab.text() and "not visible" in tab.evaluate(
        "document.querySelectorAll('#masks li')[1].innerText"
    )
    swatches = tab.evaluate("[...document.querySelectorAll('#masks i')].map((i) => i.style.background).join()")
    assert len(set(swatches.split("),"))) == 3
    tab.until(lambda: colour(tab).max() > 50)


def test_words_that_nobody_knows_come_back_with_the_nearest(page):
    session, tab = page
    ask_for(tab, "left femmmur xyz")
    tab.until(lambda: "must name something known" in tab.text())
    assert tab.evaluate("document.querySelector('#words').value") == "left femmmur xyz" and not masks(session)


def test_words_that_were_passed_over_are_said(page):
    session, tab = page
    ask_for(tab, "neck of the left femur")
    tab.until(lambda: "the vocabulary has no 'neck'" in tab.text())
    assert len(masks(session)) == 1


def test_clicks_are_inside_and_with_shift_or_the_right_button_outside(page):
    session, tab = page
    click(tab, 8.0, 10.0)
    click(tab, 30.0, 50.0, modifiers=SHIFT)
    click(tab, 20.0, 40.0, button="right")
    tab.until(lambda: masks(session) and len(masks(session)[0].points) == 3)
    (mask,) = masks(session)
    assert mask.labels == (1, 0, 0)
    np.testing.assert_allclose(mask.points, [(8, 10), (30, 50), (20, 40)], atol=0.1)


def test_clicks_that_come_faster_than_the_answers_all_count(page):
    session, tab = page
    places = [(6.0 + 5 * n, 9.0 + 8 * n) for n in range(6)]
    for x, y in places:
        click(tab, x, y)
    press(tab, "a", 65)
    press(tab, "n", 78)
    click(tab, 10.0, 10.0)
    tab.until(lambda: len(masks(session)) == 2)
    settled(tab)
    first, second = masks(session)
    np.testing.assert_allclose(first.points, places, atol=0.1)
    assert first.is_accepted and len(second.points) == 1, "and keys between them keep their place"


def test_a_drag_is_a_box(page):
    session, tab = page
    drag(tab, place(tab, 30.0, 50.0), place(tab, 10.0, 20.0))
    tab.until(lambda: masks(session))
    np.testing.assert_allclose(masks(session)[0].box, (10, 20, 30, 50), atol=0.1)
    settled(tab)
    drag(tab, place(tab, 20.0, 30.0), (SIZE[0] - 400, 90.0))
    tab.until(lambda: masks(session)[0].box[2] == 40.0)
    assert masks(session)[0].box[:2] == pytest.approx((20.0, 2.8), abs=4), "it ends at the image"


def test_the_mask_is_drawn_where_it_is_and_as_strongly_as_asked(page):
    _, tab = page
    drag(tab, place(tab, 10.0, 20.0), place(tab, 30.0, 50.0))
    settled(tab)
    press(tab, "Escape", 27)
    settled(tab)
    tab.until(lambda: colour(tab).max() > 40)
    rows, columns = np.nonzero(colour(tab) > 40)
    top = tab.evaluate("document.querySelector('#xray').getBoundingClientRect().y")
    left = tab.evaluate("document.querySelector('#xray').getBoundingClientRect().x")
    start, end = place(tab, 10.0, 20.0), place(tab, 30.0, 50.0)
    found = [columns.min() + left, rows.min() + top, columns.max() + left, rows.max() + top]
    np.testing.assert_allclose(found, [*start, *end], atol=25)
    strong = colour(tab).mean()
    for _ in range(3):
        press(tab, "[", 219)
    tab.until(lambda: colour(tab).mean() < 0.7 * strong)
    press(tab, "h", 72)
    tab.until(lambda: colour(tab).max() < 10)


def test_keys_alone_ask_correct_accept_and_save(page):
    session, tab = page
    tab.evaluate("document.querySelector('#xray').focus({focusVisible: true})")
    press(tab, "ArrowRight", 39)
    press(tab, "Enter", 13)
    press(tab, "ArrowDown", 40, SHIFT)
    press(tab, "Enter", 13, SHIFT)
    tab.until(lambda: masks(session) and len(masks(session)[0].points) == 2)
    step = 60 / 64
    np.testing.assert_allclose(masks(session)[0].points, [(20 + step, 30), (20 + step, 30 + 60 / 512)], atol=1e-6)
    assert masks(session)[0].labels == (1, 0)
    press(tab, "b", 66)
    for _ in range(8):
        press(tab, "ArrowRight", 39)
        press(tab, "ArrowDown", 40)
    press(tab, "b", 66)
    tab.until(lambda: masks(session)[0].box is not None)
    assert masks(session)[0].box[2] - masks(session)[0].box[0] == pytest.approx(8 * step)
    press(tab, "2", 50)
    press(tab, "a", 65)
    press(tab, "s", 83, 2)
    tab.until(lambda: session.history.is_saved and session.history.was_saved)
    tab.until(lambda: "saved 1 mask in out" in tab.text())
    assert written(session.annotations.folder / "annotations.json")["annotations"][0]["name"] == "structure 1"


def test_candidates_are_shown_and_taken(page):
    session, tab = page
    ask_for(tab, "left femur")
    tab.until(lambda: tab.evaluate("document.querySelectorAll('#candidates button').length") == 3)
    tab.evaluate("document.querySelectorAll('#candidates button')[2].click()")
    tab.until(lambda: masks(session)[0].answer.best == 2)
    tab.until(lambda: "nothing" in tab.text() or "not visible" in tab.text())
    tab.evaluate("document.activeElement.blur()")
    press(tab, "2", 50)
    tab.until(lambda: masks(session)[0].answer.best == 1)


def test_undo_and_redo_are_seen(page):
    session, tab = page
    click(tab, 8.0, 10.0)
    settled(tab)
    press(tab, "u", 85)
    tab.until(lambda: "none yet" in tab.text())
    press(tab, "U", 85, SHIFT)
    tab.until(lambda: "0 of 1 accepted" in tab.text())
    press(tab, "z", 90, 2)
    tab.until(lambda: not masks(session))
    press(tab, "y", 89, 2)
    tab.until(lambda: len(masks(session)) == 1)


def test_a_mask_is_renamed_and_deleted(page):
    session, tab = page
    click(tab, 8.0, 10.0)
    settled(tab)
    press(tab, "r", 82)
    tab.command("Input.insertText", text="left kneecap")
    tab.evaluate("document.querySelector('#name').blur()")
    tab.until(lambda: masks(session)[0].name == "left kneecap")
    press(tab, "Delete", 46)
    tab.until(lambda: not masks(session))


def test_collimation_box_is_shown_and_saved(page):
    session, tab = page
    drag(tab, place(tab, 10.0, 20.0), place(tab, 30.0, 50.0))
    settled(tab)
    tab.evaluate("document.querySelector('#margin').value = 4")
    corner = place(tab, 1.0, 1.0)
    origin = (
        tab.evaluate("document.querySelector('#xray').getBoundingClientRect().x"),
        tab.evaluate("document.querySelector('#xray').getBoundingClientRect().y"),
    )
    at = (round(corner[1] - origin[1]), round(place(tab, 38.0, 1.0)[0] - origin[0]))
    before = shot(tab)[at].mean()
    press(tab, "c", 67)
    tab.until(lambda: "px" in tab.evaluate("document.querySelector('#boxsize').textContent"))
    tab.until(lambda: shot(tab)[at].mean() < 0.6 * before)
    press(tab, "C", 67, SHIFT)
    tab.until(lambda: "saved a_collimation.json in out" in tab.text())
    table = written(session.annotations.folder / "a_collimation.json")
    np.testing.assert_allclose(table["box_px"], [6, 16, 34, 54], atol=2)


def test_next_and_previous_xray_keep_their_masks(page):
    session, tab = page
    click(tab, 8.0, 10.0)
    press(tab, "PageDown", 34)
    tab.until(lambda: session.number == 1 and "none yet" in tab.text())
    settled(tab)
    mouse(tab, "mouseMoved", place(tab, 50.0, 20.0, SIZES[1]))
    tab.until(lambda: tab.evaluate("document.querySelector('#where').textContent") == "x 50, y 20")
    assert "1/2 a.png ● 1 unsaved" in tab.evaluate("document.querySelector('#images').innerText")
    press(tab, "PageUp", 33)
    tab.until(lambda: session.number == 0 and "0 of 1 accepted" in tab.text())


def test_an_xray_that_cannot_be_read_is_said_and_the_others_stay(page):
    session, tab = page
    file = session.files[1]
    whole = file.read_bytes()
    file.unlink()
    session._open.pop(1, None)
    try:
        tab.evaluate("document.querySelector('#next').click()")
        tab.until(lambda: "b.png" in tab.evaluate("document.querySelector('#fault').textContent") and is_open(tab))
        assert "✗ cannot be read" in tab.evaluate("document.querySelector('#images').innerText")
        click(tab, 8.0, 10.0)
        tab.evaluate("document.querySelector('#previous').click()")
        tab.until(lambda: tab.evaluate("document.querySelector('#fault').hidden") and is_open(tab))
        click(tab, 8.0, 10.0)
        tab.until(lambda: len(masks(session)) == 1)
    finally:
        file.write_bytes(whole)


def test_the_wheel_zooms_about_the_pointer_and_space_moves(page):
    session, tab = page
    where = "document.querySelector('#where').textContent"
    at = place(tab, 10.0, 15.0)
    mouse(tab, "mouseWheel", at, deltaX=0, deltaY=-600)
    mouse(tab, "mouseMoved", (at[0] + 1, at[1]))
    tab.until(lambda: tab.evaluate(where) == "x 10, y 15")
    tab.evaluate("document.querySelector('#xray').focus()")
    tab.command("Input.dispatchKeyEvent", type="keyDown", key=" ", windowsVirtualKeyCode=32)
    drag(tab, at, (at[0] + 60, at[1]))
    tab.command("Input.dispatchKeyEvent", type="keyUp", key=" ", windowsVirtualKeyCode=32)
    mouse(tab, "mouseMoved", (at[0] + 61, at[1]))
    tab.until(lambda: tab.evaluate(where) == "x 10, y 15")
    time.sleep(0.3)
    assert not masks(session), "moving is no box"
    press(tab, "0", 48)
    mouse(tab, "mouseMoved", place(tab, 20.0, 30.0))
    tab.until(lambda: tab.evaluate(where) == "x 20, y 30")


def test_help_shows_all_keys_and_closes(page):
    _, tab = page
    press(tab, "?", 191, SHIFT)
    tab.until(lambda: tab.evaluate("document.querySelector('#keys').open"))
    assert tab.evaluate("document.querySelectorAll('#keys dt').length") >= 20
    tab.evaluate("document.querySelector('#keys button').click()")
    assert not tab.evaluate("document.querySelector('#keys').open")


def test_everything_has_a_name_and_can_be_reached_with_tab(page):
    _, tab = page
    ask_for(tab, "left femur")
    tab.until(lambda: tab.evaluate("document.querySelectorAll('#candidates button').length") == 3)
    nameless = """[...document.querySelectorAll('button, input, select, canvas[tabindex]')].filter((one) =>
      !(one.ariaLabel || one.textContent.trim() || one.labels?.length)).length"""
    assert tab.evaluate(nameless) == 0
    hidden = """[...document.querySelectorAll('button, input, select')].filter((one) => one.tabIndex < 0 &&
      one.getAttribute('role') !== 'radio').length"""
    assert tab.evaluate(hidden) == 0


def test_page_asks_nobody_but_this_machine(page):
    _, tab = page
    tab.text()
    hosts = {urlsplit(url).hostname for url in tab.requested if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
