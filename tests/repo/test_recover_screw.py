"""The study of a screw's recovery finds what it promises, at a size that suits a test."""

import runpy

import pytest
from support.repo import ROOT
from xraykit.render.training import one_thread


@pytest.mark.slow  # the example of this name recovers one at every change
@pytest.mark.parametrize("views", [1, 2])
def test_a_screw_is_recovered_in_all_six_degrees_of_freedom_through_the_simulator(views):
    study = runpy.run_path(str(ROOT / "benchmarks/studies/recover_screw.py"))
    with one_thread():
        result = study["recover"](views=views, pixels=100, spacing=0.8)
    start = result.setting.error(result.start, result.truth)
    assert start[:3].norm() > 7
    assert start[3:].norm() > 9
    assert result.error[:3].norm() < 0.2
    assert result.error[3:6].norm() < 0.5
    assert abs(result.error[6]) < 0.5
    assert (result.error.abs() < 5 * result.bound).all()
    shown = study["picture"](result)
    assert shown.shape[0] > views * 200
    assert shown.shape[1] > 5 * 200
