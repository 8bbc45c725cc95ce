"""Lines end at their patches, heat is where the probability is, and nothing is drawn beyond an image."""

import numpy as np
import pytest
from support.corr_matchers import BandNetwork, write_views
from xraykit.corr.pictures import QueryPoint, draw_heat, draw_matches
from xraykit.corr.pictures.panel import ViewPanel
from xraykit.corr.predictor import Matcher, PatchMatch
from xraykit.render import InputError

PAPER = (18, 21, 26)
GAP, EDGE = 12, 10  # between the images, and around a montage


@pytest.fixture(scope="module")
def matches(tmp_path_factory):
    return Matcher(BandNetwork()).match(write_views(tmp_path_factory.mktemp("views"), (60, 40), (48, 64), (64, 64)))


def coloured(picture: np.ndarray) -> np.ndarray:
    """Where a picture is not grey."""
    values = picture.astype(int)
    return values.max(-1) - values.min(-1) > 40


def test_a_line_runs_from_patch_to_patch(matches):
    """From (10, 15) of A (40 x 60) to (48, 36) of B (64 x 48), both 480 px long."""
    one = PatchMatch((0, 1), (10.0, 15.0), (48.0, 36.0), 0.9)
    rows, columns = np.nonzero(coloured(draw_matches(matches, (0, 1), [one]))[: 60 + 480])
    start = EDGE + 320 + GAP
    assert columns.min() == pytest.approx(EDGE + 10 * 8 - 3, abs=3)
    assert columns.max() == pytest.approx(start + 48 * 7.5 + 3, abs=3)
    top = rows[columns == columns.min()].mean() - 15 * 8
    assert rows[columns == columns.max()].mean() == pytest.approx(top + 36 * 7.5, abs=4)


def test_matches_of_other_pairs_are_not_drawn(matches):
    one = PatchMatch((0, 2), (10.0, 15.0), (48.0, 36.0), 0.9)
    assert not coloured(draw_matches(matches, (0, 1), [one])).any()


def test_lines_and_rings_stay_within_the_images(matches):
    """Matches in all corners: the gap has lines alone, the rest of the paper nothing."""
    corners = [PatchMatch((0, 1), (x, y), (1.6 * x, 0.8 * y), 0.5) for x, y in ((0, 0), (40, 0), (0, 60), (40, 60))]
    with_lines, without = (draw_matches(matches, (0, 1), listed)[:, :] for listed in (corners, []))
    changed = np.abs(with_lines.astype(int) - without.astype(int)).max(-1) > 30
    rows, columns = np.nonzero(changed[:540])
    assert columns.min() >= EDGE and columns.max() < EDGE + 320 + GAP + 480
    head = with_lines.shape[0] - 2 * EDGE - 480 - 29  # a title above, a line of text below
    assert rows.min() >= EDGE + head - 30 and rows.max() < with_lines.shape[0] - 29


def test_heat_lies_where_the_other_view_has_the_row(matches):
    """The query's height in the square of A is 3/4: in C, which is a square, at 3/4 too."""
    picture = draw_heat(matches, [QueryPoint(0, 20.0, 45.0)])
    left = EDGE + 320 + EDGE + 480 + EDGE
    panel = picture[EDGE : EDGE + 480, left : left + 480]
    blue = panel[..., 2].astype(int) - panel[..., 0]
    rows = blue.clip(min=0).sum(1)
    assert (rows * np.arange(480)).sum() / rows.sum() == pytest.approx(0.75 * 480, abs=30)
    assert rows[:200].sum() < 0.01 * rows.sum()


def test_several_points_have_several_colours(matches):
    picture = draw_heat(matches, [QueryPoint(0, 20.0, 12.0), QueryPoint(0, 20.0, 50.0)])
    left = EDGE + 320 + EDGE
    panel = picture[EDGE : EDGE + 360, left : left + 480].astype(int)
    blue, red = panel[..., 2] - panel[..., 0] > 40, panel[..., 0] - panel[..., 2] > 40
    assert np.nonzero(blue)[0].mean() < 150 < 200 < np.nonzero(red)[0].mean()


def test_heat_ends_with_the_image(matches):
    """Below B, which is lower than the others, the montage stays paper."""
    picture = draw_heat(matches, [QueryPoint(0, 20.0, 59.0)])
    below = picture[EDGE + 360 : EDGE + 480, EDGE + 320 + EDGE : EDGE + 320 + EDGE + 480]
    assert (below == PAPER).all()


def test_points_outside_are_refused(matches):
    with pytest.raises(InputError, match="must lie in"):
        draw_heat(matches, [QueryPoint(1, 70.0, 3.0)])


def test_panels_keep_shapes_and_points(matches):
    panel = ViewPanel(matches.xrays[0])
    assert panel.shape == (480, 320) and panel.point(10.0, 30.0) == (80.0, 240.0)
    assert panel.point(40.0, 60.0) == (319.0, 479.0)
