"""A report is one page that needs nothing beside it, and says the same as its Markdown and JSON."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from xraykit.dax.probes.comparison import BackboneDifference, ScoredBackbone
from xraykit.dax.probes.report import ProbeReport, ReportPicture, difference_table, report_page, score_table
from xraykit.dax.probes.report_pictures import OverlayImage, confusion_picture, overlay_picture, score_picture
from xraykit.render import BackendUnavailableError

pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-dax[evaluate]'")

SCORES = [ScoredBackbone("a <b>", 0.5, 0.4, 0.6, 0.51, 0.02, 30), ScoredBackbone("c", 0.7, 0.65, 0.75, 0.7, 0.01, 30)]


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def near(picture: np.ndarray, colour: str) -> int:
    wanted = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
    return int((np.abs(picture - wanted).max(-1) < 20).sum())


def test_the_page_holds_its_pictures_and_escapes_names():
    png = score_picture(SCORES, xlabel="F1")
    page = report_page(
        ProbeReport("T", "lead", (score_table(SCORES, "F1"),), (ReportPicture("dots", png),), notes=("n",))
    )
    (found,) = re.findall(r'data:image/png;base64,([^"]+)"', page)
    assert base64.b64decode(found) == png
    assert "a &lt;b&gt;" in page and "<b>" not in page and "<script" not in page


def test_tables_say_percent_and_percentage_points():
    assert score_table(SCORES, "F1").rows[0] == ("a <b>", "50.0%", "40.0% to 60.0%", "51.0 ± 2.0", "30")
    one_fold = ScoredBackbone("d", 0.5, 0.4, 0.6, 0.5, float("nan"), 30)
    assert score_table([one_fold], "F1").rows[0][3] == "–"
    apart = BackboneDifference("a", "c", -0.2, -0.3, -0.1, 0.0002, 10)
    assert difference_table([apart], "x").rows[0] == ("a − c", "-20.0", "-30.0 to -10.0", "< 0.001", "10")


def test_masks_and_points_are_drawn_in_their_colours():
    truth, found = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    truth[10:30, 10:30], found[40:60, 40:60] = True, True
    grey = np.full((64, 64), 128, np.uint8)
    nothing = pixels(overlay_picture([OverlayImage(grey, "a")]))
    both = pixels(overlay_picture([OverlayImage(grey, "a", truth, found)]))
    line = np.array([[[5.0, 50.0], [30.0, 55.0]], [[np.nan, np.nan], [9.0, 9.0]]])
    points = pixels(overlay_picture([OverlayImage(grey, "a", truth_points=line, found_points=line + 8)]))
    for colour in ("#56b4e9", "#e69f00"):
        assert near(nothing, colour) == 0 and near(both, colour) > 50 and near(points, colour) > 20


def test_empty_masks_are_drawn_without_a_warning():
    none = np.zeros((16, 16), bool)
    assert overlay_picture([OverlayImage(np.zeros((16, 16), np.uint8), "a", none, none)] * 5).startswith(b"\x89PNG")


def test_a_confusion_picture_has_darker_cells_where_more_cases_are():
    picture = pixels(confusion_picture(np.array([[9, 0], [0, 1]]), ["a_b", "c"], title="t"))
    assert picture.shape[0] > 100 and (picture.std(-1) > 20).any()


def test_a_missing_matplotlib_is_said_in_one_sentence(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BackendUnavailableError, match=r"pip install 'xraykit-dax\[evaluate\]'"):
        score_picture(SCORES, xlabel="F1")
