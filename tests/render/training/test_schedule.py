"""Rate, weight decay, momentum and temperature follow the progress of a training."""

import math

import pytest
from xraykit.render import InputError
from xraykit.render.training import Schedule, warmup_cosine


def test_the_rate_rises_linearly_and_falls_by_a_cosine():
    assert [warmup_cosine(n, 0.0, warmup=4) for n in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert warmup_cosine(100, 0.5, warmup=4) == pytest.approx(0.5)
    assert warmup_cosine(100, 0.25, warmup=0) == pytest.approx(0.5 * (1 + math.cos(math.pi / 4)))
    assert warmup_cosine(100, 1.0, warmup=4) == warmup_cosine(100, 7.0, warmup=4) == 0.0


def test_a_linear_schedule_reaches_its_end_early_and_stays():
    temperature = Schedule(0.04, 0.07, "linear", until=0.25)
    assert [temperature(p) for p in (0.0, 0.125, 0.25, 1.0)] == pytest.approx([0.04, 0.055, 0.07, 0.07])


def test_a_cosine_schedule_is_level_at_both_ends():
    momentum = Schedule(0.996, 1.0, "cosine")
    assert [momentum(p) for p in (0.0, 0.5, 1.0)] == pytest.approx([0.996, 0.998, 1.0])
    assert momentum(0.01) - 0.996 == pytest.approx(0.002 * (1 - math.cos(0.01 * math.pi)))


def test_a_constant_is_constant_and_progress_beyond_the_ends_changes_nothing():
    assert Schedule(0.04)(0.7) == 0.04
    assert Schedule(1.0, 2.0, "linear")(-1.0) == 1.0 and Schedule(1.0, 2.0, "linear")(3.0) == 2.0


@pytest.mark.parametrize(
    ("options", "message"),
    [({"shape": "steps"}, "shape must be one of constant, linear, cosine"), ({"until": 0.0}, "until is a share")],
)
def test_an_impossible_schedule_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        Schedule(1.0, 2.0, **options)
