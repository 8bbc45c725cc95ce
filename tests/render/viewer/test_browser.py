"""The page in a real browser: something is to be seen, sliders move the X-ray, and nothing leaves this machine."""

import io
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from support.chromium import chromium, find_chromium
from xraykit.render.viewer import start_viewer
from xraykit.render.viewer.state import ViewerState
from xraykit.render.volumes import Box, voxelise

pytest.importorskip("viser", reason="needs the extra: pip install 'xraykit-render[view]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium on the path; on Debian: apt-get install chromium"),
]
SIZE = (1600, 900)
ARROW_RIGHT = 39


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(float)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A viewer of a bright bar off centre in a faint block, and the browser that watches it."""
    bar = Box((60, 30, 110), mu=0.04, center=(-50.0, 0.0, 40.0))
    volume = voxelise([bar, Box((260, 160, 260), mu=0.01)], spacing=8.0, supersampling=1)
    folder = tmp_path_factory.mktemp("view")
    start = ViewerState(lao_rao=15.0, cra_cau=-10.0, roll=25.0, size=100)
    viewer = start_viewer(volume, port=0, name="bar", folder=folder, start=start, samples=60, backend="torch")
    with viewer, chromium(folder / "profile", size=SIZE) as tab:
        tab.command("Page.navigate", url=viewer.url)
        tab.until(lambda: "frames/s" in tab.text() and viewer._server.get_clients())
        yield viewer, tab


def scene_of(picture: np.ndarray) -> np.ndarray:
    """The 3D part right of the browser's own message about software rendering."""
    return picture[50:, 800:1270]


def test_page_shows_monitor_scene_and_controls(page):
    _, tab = page
    tab.until(lambda: (scene_of(pixels(tab.screenshot())) > 150).sum() > 5000)  # the scene fades in
    picture = pixels(tab.screenshot())
    monitor, controls = picture[60:500, :460], picture[40:500, 1290:]
    assert picture.shape == (SIZE[1], SIZE[0])
    assert monitor.std() > 30, "the X-ray is blank"
    assert scene_of(picture).std() > 20, "the 3D scene is blank"
    assert controls.std() > 10, "the controls are blank"
    for words in ("LAO 15°", "Magnification", "SOD [mm]", "Save pose and picture", "Display"):
        assert words in tab.text()


def test_arrow_key_on_a_slider_turns_the_carm(page):
    viewer, tab = page
    before = viewer.frames
    tab.evaluate("document.querySelectorAll('[role=slider]')[0].focus()")
    tab.press("ArrowRight", ARROW_RIGHT)
    tab.until(lambda: viewer.frames > before and "LAO 16°" in tab.text())
    assert viewer.latest[0].lao_rao == 16.0


def test_detector_in_3d_carries_the_picture_the_right_way_round(page):
    """Seen from the X-ray source, the detector must look as the X-ray: not mirrored, not turned."""
    viewer, _ = page
    stage, (state, frame) = viewer._stage, viewer.latest
    for handle in (stage.gantry, *viewer._surfaces.values()):
        handle.visible = False
    client = next(iter(viewer._server.get_clients().values()))
    fov = 2 * np.arctan(state.field / 2 / state.sdd)
    carm = stage._carm
    taken = client.get_render(200, 200, wxyz=carm.wxyz, position=carm.position, fov=float(fov))
    seen = taken[..., :3].mean(axis=2)[20:180, 20:180].ravel()
    wanted = np.asarray(Image.fromarray(frame.detector[..., 0]).resize((200, 200))).astype(float)[20:180, 20:180]
    turned = {"as projected": wanted, "mirrored": wanted[:, ::-1], "upside down": wanted[::-1], "turned": wanted.T}
    likeness = {name: float(np.corrcoef(seen, other.ravel())[0, 1]) for name, other in turned.items()}
    assert likeness["as projected"] > 0.8, likeness
    assert all(likeness["as projected"] > value + 0.3 for name, value in likeness.items() if name != "as projected")


def test_page_asks_nobody_but_this_machine(page):
    _, tab = page
    tab.text()
    hosts = {urlsplit(url).hostname for url in tab.requested if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
