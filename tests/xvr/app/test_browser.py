"""The page in a real browser: hands move the anatomy, refining shows its climb and its result, all on this machine."""

import base64
import io
import json
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch
from PIL import Image
from support.chromium import chromium, find_chromium
from support.xvr_app import small_session
from support.xvr_cine import cine_session, write_run, write_track
from support.xvr_mesh_track import write_mesh_track
from xraykit.render.geometry import geodesic_distance
from xraykit.xvr.trust.judgement import TrustJudgement

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-xvr[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-xvr[app]'")
pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium on the path; on Debian: apt-get install chromium"
)

from xraykit.xvr.app import AppSettings, OpeningSettings, PageSettings, open_app  # noqa: E402
from xraykit.xvr.app.server import AppServer  # noqa: E402

SIZE = (1280, 800)
SHIFT, CTRL = 8, 2


def trusting(registration, shots, structures, *, judged=None) -> TrustJudgement:
    return TrustJudgement(0.97, threshold=5.0, expected_error=0.4, warnings=("the depth is uncertain.",))


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """The session, the truth, the browser that shows it, and where."""
    session, truth = small_session()
    folder = tmp_path_factory.mktemp("app")
    server = AppServer(session, folder=folder / "results", port=0)
    with pytest.MonkeyPatch.context() as patch, server, chromium(folder / "profile", size=SIZE) as tab:
        patch.setattr("xraykit.xvr.procedure.judge", trusting)
        show(tab, server.url)
        yield session, truth, tab, server.url


@pytest.fixture(scope="module")
def page(opened):
    """The session and the browser that shows it."""
    return opened[:3]


@pytest.fixture
def elsewhere(opened):
    """The browser for another page; it shows its own again afterwards, since tests come in any order."""
    *_, tab, home = opened
    yield tab
    show(tab, home)


def show(tab, url):
    tab.command("Page.navigate", url=url)
    tab.until(lambda: "front" in tab.text() and spread(tab) > 20)


def middle(tab) -> tuple[float, float]:
    box = json.loads(tab.evaluate("JSON.stringify(document.querySelector('#picture').getBoundingClientRect())"))
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def width(tab) -> float:
    return tab.evaluate("document.querySelector('#picture').clientWidth")


def spread(tab) -> float:
    """How much the picture varies; 0 while it is blank."""
    return picture(tab).std()


def picture(tab) -> np.ndarray:
    png = tab.evaluate("document.querySelector('#picture').toDataURL('image/png').split(',')[1]")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")).astype(float)


def drag(tab, dx: float, dy: float, *, modifiers: int = 0) -> None:
    x, y = middle(tab)
    common = {"button": "left", "buttons": 1, "clickCount": 1, "modifiers": modifiers}
    tab.command("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **common)
    for share in (0.3, 0.7, 1.0):
        tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=x + share * dx, y=y + share * dy, **common)
    tab.command("Input.dispatchMouseEvent", type="mouseReleased", x=x + dx, y=y + dy, **common)


def wheel(tab, delta: float, *, modifiers: int = 0) -> None:
    x, y = middle(tab)
    tab.command("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=delta, modifiers=modifiers)


def press_undo(tab) -> None:
    tab.until(lambda: not tab.evaluate("document.querySelector('#undo').disabled"))
    tab.evaluate("document.querySelector('#undo').click()")


def test_dragging_shifts_the_anatomy_under_the_mouse_and_undo_brings_it_back(page):
    session, _, tab = page
    before = session.sliders(0)
    drag(tab, 60, -24)
    per_pixel = 320.0 / width(tab) * before.depth / 1000.0
    tab.until(lambda: abs(session.sliders(0).x - before.x - 60 * per_pixel) < 0.3)
    after = session.sliders(0)
    assert after.y - before.y == pytest.approx(-24 * per_pixel, abs=0.3)
    assert (after.depth, after.roll) == pytest.approx((before.depth, before.roll))
    shown = "Number(document.querySelector('[aria-label=\"Shift x value\"]').value)"
    tab.until(lambda: abs(tab.evaluate(shown) - after.x) < 0.06)
    press_undo(tab)
    tab.until(lambda: session.sliders(0) == pytest.approx(before))


def test_shift_drag_turns_about_the_axes_of_the_image(page):
    session, _, tab = page
    before = session.views[0].now.pose
    drag(tab, 40, 0, modifiers=SHIFT)
    tab.until(lambda: float(geodesic_distance(session.views[0].now.pose, before)[0]) > 9.5)
    turn = before[:3, :3].mT @ session.views[0].now.pose[:3, :3]
    assert float(turn[1, 1]) == pytest.approx(1.0, abs=1e-6), "about image down"
    assert session.sliders(0).depth == pytest.approx(float(inside(session, before)[2]))
    press_undo(tab)
    tab.until(lambda: torch.equal(session.views[0].now.pose, before))


def inside(session, pose):
    return pose[:3, :3].mT @ (session.structure.isocenter - pose[:3, 3])


def test_wheel_is_depth_and_with_ctrl_roll(page):
    session, _, tab = page
    before = session.sliders(0)
    wheel(tab, 300)
    tab.until(lambda: session.sliders(0).depth > before.depth * 1.05)
    wheel(tab, 200, modifiers=CTRL)
    tab.until(lambda: session.sliders(0).roll == pytest.approx(before.roll - 4.0, abs=0.1))
    for _ in range(2):
        press_undo(tab)
    tab.until(lambda: session.sliders(0) == pytest.approx(before))


def test_arrow_keys_nudge(page):
    session, _, tab = page
    before = session.sliders(0)
    tab.evaluate("document.querySelector('#picture').focus()")
    tab.press("ArrowRight", 39)
    tab.until(lambda: session.sliders(0).x == pytest.approx(before.x + 1.0))
    press_undo(tab)
    tab.until(lambda: session.sliders(0) == pytest.approx(before))


def test_display_modes_differ_as_they_say(page):
    session, _, tab = page
    before = session.sliders(0).x
    drag(tab, 5, 0)
    tab.until(lambda: session.sliders(0).x != before)
    tab.until(lambda: tab.evaluate("document.querySelector('#picture').dataset.rendered") == "full")
    pictures = {}
    for mode in ("xray", "drr", "blend", "edges", "checker", "difference"):
        tab.evaluate(f"document.querySelector('[data-mode={mode}]').click()")
        pictures[mode] = picture(tab)
    tab.evaluate("document.querySelector('[data-mode=blend]').click()")
    mean = (pictures["xray"] + pictures["drr"]) / 2
    assert np.abs(pictures["blend"] - mean).max() <= 1.0
    from_xray = (pictures["checker"] == pictures["xray"]).all(-1)
    assert (from_xray | (pictures["checker"] == pictures["drr"]).all(-1)).all()
    assert 0.3 < from_xray.mean() < 0.95
    red, blue = pictures["difference"][..., 0], pictures["difference"][..., 2]
    apart = pictures["drr"][..., 0] - pictures["xray"][..., 0]
    assert (red[apart > 40] > blue[apart > 40]).all() and (blue[apart < -40] > red[apart < -40]).all()
    orange = pictures["edges"][..., 0] - pictures["edges"][..., 2] > 60
    assert 0.002 < orange.mean() < 0.2


def test_refining_shows_its_climb_and_what_it_found(page):
    session, truth, tab = page
    tab.evaluate("document.querySelector('#refine').click()")
    tab.until(lambda: "97 %" in tab.text() and "done" in tab.text())
    assert float(geodesic_distance(session.views[0].now.pose, truth[0])[0]) < 0.3
    words = tab.text()
    for text in ("trusted", "converged", "the depth is uncertain.", "±", "refined", "NCC of edges"):
        assert text in words, words
    inked = (
        "(() => { const c = document.querySelector('#curve'), p = c.getContext('2d').getImageData(0, 0, c.width,"
        " c.height).data; let n = 0; for (let i = 3; i < p.length; i += 4) n += p[i] > 0; return n; })()"
    )
    assert tab.evaluate(inked) > 300


def test_other_xrays_are_a_click_away(page):
    session, _, tab = page
    tab.evaluate("document.querySelectorAll('[role=tab]')[1].click()")
    angle = session.sliders(1).lao_rao
    shown = "Number(document.querySelector('[aria-label=\"LAO RAO value\"]').value)"
    tab.until(lambda: abs(tab.evaluate(shown) - angle) < 0.06)
    tab.evaluate("document.querySelectorAll('[role=tab]')[0].click()")
    tab.until(lambda: "97 %" in tab.text())


def test_structure_is_chosen_by_its_chip(page):
    session, _, tab = page
    click = "[...document.querySelectorAll('#groups button')].find((b) => b.textContent === '{}').click()"
    tab.evaluate(click.format("ribs left"))
    tab.until(lambda: session.structure.names == ("ribs_left",))
    tab.until(lambda: "ribs_left" in tab.text())
    tab.evaluate(click.format("whole CT"))
    tab.until(lambda: session.structure.names == ())


def test_page_asks_nobody_but_this_machine(page):
    _, _, tab = page
    tab.text()
    hosts = {urlsplit(url).hostname for url in tab.requested if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def test_frames_of_a_run_are_stepped_through_by_buttons_keys_and_number(elsewhere, tmp_path):
    tab = elsewhere
    run, truth = write_run(tmp_path, 4)
    (run / "002.tiff").write_bytes(b"no image")
    session = cine_session(run, truth[0], track=write_track(tmp_path / "track", truth, lost=(3,)))
    shown = "document.querySelector('#of').textContent + document.querySelector('#tracked').textContent"
    press = "document.querySelector('#{}').click()"
    with AppServer(session, folder=tmp_path / "results", port=0) as server:
        tab.command("Page.navigate", url=server.url)
        tab.until(lambda: tab.evaluate(shown) == "of 4: 000tracked, fit 0.95")
        assert tab.evaluate("document.querySelector('#previous').disabled")
        assert tab.evaluate("document.querySelector('#follow').hidden")
        tab.until(lambda: spread(tab) > 20)
        before = picture(tab)
        tab.press(".", 190)
        tab.until(lambda: tab.evaluate(shown) == "of 4: 001tracked, fit 0.95" and "run_001" in tab.text())
        assert torch.equal(session.views[0].now.pose, truth[1]) and "from the track" in tab.text()
        tab.until(lambda: tab.evaluate("document.querySelector('#picture').dataset.rendered") == "full")
        assert np.abs(picture(tab) - before).mean() > 0.3
        tab.evaluate(press.format("next"))
        tab.until(lambda: "frame 002 was passed over" in tab.text() and tab.evaluate(shown).endswith("lost, fit 0.95"))
        assert tab.evaluate("document.querySelector('#next').disabled")
        tab.evaluate("document.querySelector('#frame').value = 2")
        tab.evaluate("document.querySelector('#frame').dispatchEvent(new Event('change'))")
        tab.until(lambda: tab.evaluate(shown).startswith("of 4: 001"))
        tab.evaluate(press.format("follow"))
        tab.until(lambda: "done" in tab.text() and "97 %" in tab.text())
        assert float(geodesic_distance(session.views[0].now.pose, truth[1])[0]) < 0.3
        tab.press(",", 188)
        tab.until(lambda: tab.evaluate(shown).startswith("of 4: 000"))


def test_a_track_of_implants_is_looked_at_by_the_same_keys_and_hands_move_nothing(elsewhere, tmp_path):
    tab = elsewhere
    folder, _ = write_mesh_track(tmp_path, lost=((1, 1),))
    shown = "document.querySelector('#of').textContent + document.querySelector('#tracked').textContent"
    there = "!!document.querySelector('#{}').offsetParent"
    with open_app(AppSettings(page=PageSettings(port=0), opening=OpeningSettings(track=folder))) as server:
        tab.command("Page.navigate", url=server.url)
        tab.until(lambda: tab.evaluate(shown) == "of 3: 000plate found (0.95), stem found (0.90)")
        assert [tab.evaluate(there.format(name)) for name in ("sliders", "refine", "save")] == [False] * 3
        assert tab.evaluate("document.querySelector('[data-mode=edges]').getAttribute('aria-pressed')") == "true"
        tab.until(lambda: spread(tab) > 5)
        tab.until(lambda: tab.evaluate("document.querySelector('#picture').dataset.rendered") == "full")
        orange = picture(tab)
        assert 0.002 < (orange[..., 0] - orange[..., 2] > 60).mean() < 0.1, "outlines"
        drag(tab, 30, 10)
        tab.press("u", 85)
        tab.press(".", 190)
        tab.until(lambda: tab.evaluate(shown) == "of 3: 001plate tracked (0.95), stem lost (0.90)")
        assert tab.evaluate("document.querySelector('#tracked').className") == "failed"
        assert "run_001" in tab.text() and "error" not in tab.evaluate("document.querySelector('#say').className")
        tab.evaluate("[...document.querySelectorAll('#groups button')].find((b) => b.textContent === 'stem').click()")
        tab.until(lambda: tab.evaluate(shown) == "of 3: 001lost, fit 0.90")
