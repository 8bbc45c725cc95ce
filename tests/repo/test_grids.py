"""Which combinations of parameters every run tries."""

from itertools import product

import pytest
from support.grids import each_once


@pytest.mark.parametrize("axes", [("abc", "xyz"), ("ab", "xyz"), ("abc", "x", "uv")])
def test_every_value_is_tried_in_every_run_and_every_combination_in_the_slow_stage(axes):
    made = each_once(*axes)
    assert [param.values for param in made] == list(product(*axes))
    quick = [param.values for param in made if not param.marks]
    assert len(quick) == max(map(len, axes))
    assert [sorted(set(values)) for values in zip(*quick, strict=True)] == [sorted(axis) for axis in axes]
    assert all(mark.name == "slow" for param in made for mark in param.marks)
