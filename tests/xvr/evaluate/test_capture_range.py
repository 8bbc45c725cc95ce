"""Success against start error: counts, confidence intervals, reach and picture."""

import math

import pytest
import torch
from xraykit.xvr.evaluate.capture_range import CaptureCurve, capture_curve, equal_bins, plot_capture


def test_attempts_fall_into_their_bins_and_a_border_belongs_to_the_upper_one():
    starts = torch.tensor([0.0, 4.9, 5.0, 9.0, 12.0, 99.0])
    won = torch.tensor([True, True, False, True, False, True])
    curve = capture_curve(starts, won, edges=(0, 5, 10, 20))
    assert curve.attempts == (2, 2, 1) and curve.successes == (2, 1, 0)
    assert curve.rates == (1.0, 0.5, 0.0)


def test_reach_ends_at_the_first_bin_that_falls_short_even_if_a_later_one_does_not():
    curve = CaptureCurve((0.0, 5.0, 10.0, 15.0), (20, 20, 20), (20, 19, 20))
    assert curve.reach(0.96) == 5.0 and curve.reach(0.95) == 15.0
    assert CaptureCurve((0.0, 5.0, 10.0), (0, 4), (0, 4)).reach() == 0.0


def test_empty_bins_have_no_rate():
    assert math.isnan(CaptureCurve((0.0, 1.0), (0,), (0,)).rates[0])


def test_equal_bins_reach_past_the_largest_start():
    edges = equal_bins(torch.tensor([3.0, 41.2, math.inf]), 4)
    assert edges == pytest.approx((0, 10.5, 21, 31.5, 42))


@pytest.mark.parametrize(
    ("starts", "won", "edges", "message"),
    [
        ([1.0], [True, False], (0, 1), "alike"),
        ([1.0], [True], (0, 0), "growing numbers"),
        ([math.nan], [True], (0, 1), "got NaN"),
    ],
)
def test_counts_that_cannot_be_are_refused(starts, won, edges, message):
    with pytest.raises(ValueError, match=message):
        capture_curve(torch.tensor(starts), torch.tensor(won), edges=edges)


def test_curves_are_drawn_into_a_png(tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra evaluate")
    from PIL import Image

    curve = CaptureCurve((0.0, 5.0, 10.0, 20.0), (20, 10, 0), (20, 4, 0))
    path = plot_capture(
        {"ours": curve, "other": CaptureCurve((0.0, 5.0, 10.0, 20.0), (5, 5, 5), (5, 0, 0))}, tmp_path / "c.png"
    )
    with Image.open(path) as picture:
        assert picture.format == "PNG" and picture.width > 600
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
