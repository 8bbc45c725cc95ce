"""The course of a training ends by batches or by the clock."""

import pytest
from xraykit.render.training import Course
from xraykit.render.training.course import LEAST_RESERVE


def test_progress_by_batches_is_their_share():
    course = Course(steps=200)
    assert [course.progress(n) for n in (0, 50, 200, 300)] == [0.0, 0.25, 1.0, 1.0]
    assert course.total(50) == 200


def test_progress_by_the_clock_leaves_a_reserve_for_the_end():
    now = [100.0]
    course = Course(steps=None, seconds=60.0, clock=lambda: now[0])
    now[0] += (60 - LEAST_RESERVE) / 2
    assert course.progress(10) == pytest.approx(0.5)
    assert course.total(10) == 20
    course.keep_back(10.0)
    now[0] = 100 + 60 - 15.0
    assert course.progress(20) == 1.0


def test_the_nearer_of_two_limits_counts():
    now = [0.0]
    course = Course(steps=10, seconds=1000.0, clock=lambda: now[0])
    assert course.progress(5) == 0.5
    now[0] = 998.0
    assert course.progress(5) == 1.0


def test_a_resumed_course_counts_what_went_before():
    now = [50.0]
    course = Course(steps=None, seconds=102.0, clock=lambda: now[0])
    course.resume_at(30.0)
    now[0] += 20
    assert course.elapsed == pytest.approx(50.0)
    assert course.progress(1) == pytest.approx(0.5)
