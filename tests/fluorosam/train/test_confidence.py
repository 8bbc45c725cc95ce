"""Confidence comes true on what it was fitted to, and the threshold parts what is there from what is not."""

import pytest
import torch
from xraykit.fluorosam.predictor import ConfidenceMap, confidence_map
from xraykit.fluorosam.train import fit_calibration, fit_presence, fit_visible


def test_the_line_is_that_of_least_squares():
    quality = torch.linspace(0.2, 0.9, 50)
    line = fit_calibration(quality, 0.5 * quality + 0.1)
    assert (line.slope, line.offset) == pytest.approx((0.5, 0.1))
    torch.testing.assert_close(line(quality), 0.5 * quality + 0.1)
    assert line(torch.tensor([-9.0, 9.0])).tolist() == [0.0, 1.0]


def test_a_quality_that_means_nothing_gives_a_flat_line_and_equal_ones_leave_it():
    draw = torch.Generator().manual_seed(0)
    quality = torch.rand(500, generator=draw)
    assert fit_calibration(quality, 1 - quality).slope == 0
    assert fit_calibration(torch.full((9,), 0.4), torch.rand(9, generator=draw)) == ConfidenceMap()
    assert fit_calibration(torch.tensor([0.4]), torch.tensor([0.4])) == ConfidenceMap()


def test_the_threshold_lies_between_what_is_there_and_what_is_not():
    line = ConfidenceMap()
    there, absent = torch.tensor([0.6, 0.7, 0.9]), torch.tensor([0.1, 0.2])
    assert fit_visible(line, there, absent).visible == pytest.approx(0.4)
    mixed = fit_visible(line, torch.tensor([0.1, 0.5, 0.6, 0.7]), torch.tensor([0.05, 0.2, 0.3]))
    assert mixed.visible == pytest.approx(0.4)  # one of four missed is less than two of three false
    dear = fit_visible(line, torch.tensor([0.1, 0.1, 0.5, 0.6]), torch.tensor([0.05, 0.2, 0.3]))
    assert dear.visible == pytest.approx(0.075)  # two of four hidden cost more than two of three shown in vain
    assert fit_visible(line, there, absent[:0]).visible == 0


def test_presence_has_a_threshold_of_its_own_and_decides_where_it_is_known():
    there, absent = torch.tensor([0.6, 0.7, 0.9]), torch.tensor([0.1, 0.2])
    line = fit_presence(ConfidenceMap(visible=0.5), there, absent)
    assert (line.visible, line.presence) == (0.5, pytest.approx(0.4))
    assert line.sees(0.1, 0.41) and not line.sees(0.9, 0.39)
    assert line.sees(0.6, None) and not line.sees(0.4, None) and ConfidenceMap(visible=0.5).sees(0.6, 0.0)
    nothing = torch.full((3,), torch.nan)
    assert fit_presence(ConfidenceMap(), nothing, nothing).presence is None


def test_what_is_saved_is_read_as_it_was():
    for one in (ConfidenceMap(0.5, 0.1, 0.3, presence=0.4), ConfidenceMap(visible=0.2, table=((0.0, 0.1), (1.0, 0.9)))):
        assert confidence_map({"calibration": one.plain()}) == one
