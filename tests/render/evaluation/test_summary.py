"""Quartiles of errors of which some are infinite."""

import math

import pytest
from xraykit.render.evaluation import quartiles


def test_quartiles_interpolate_and_lost_poses_count_as_infinity():
    found = quartiles([4.0, 1.0, 2.0, 3.0])
    assert (found.low, found.median, found.high) == (1.75, 2.5, 3.25) and found.spread == 1.5
    found = quartiles([1.0, 2.0, math.inf, math.nan])
    assert found.low == 1.75 and math.isinf(found.median) and math.isinf(found.spread)
    assert quartiles([7.0]).median == 7.0


def test_no_values_have_no_quartiles():
    with pytest.raises(ValueError, match="at least one value, got none"):
        quartiles([])
