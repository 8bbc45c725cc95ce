"""A collapse is told when it has lasted, and a healthy training hears nothing."""

import math

import pytest
from xraykit.dax.train.collapse import CollapseWatch, collapse_kind

K = 65536
LIMIT = math.log(K)


def row(loss, student, teacher, kl=None):
    return {
        "loss": loss,
        "student_entropy": student,
        "teacher_entropy": teacher,
        "kl": loss - teacher if kl is None else kl,
    }


def uniform(progress):
    return row(LIMIT - 1e-3, LIMIT - 1e-3, LIMIT - 2e-3)


def one_hot(progress):
    return row(1e-3 + 5 * math.exp(-50 * progress), 0.02, 0.01 + 5 * math.exp(-50 * progress), 0.001)


def healthy(progress):
    """At ln K in the beginning, then down to where students of large data sets end."""
    left = math.exp(-6 * progress)
    loss = 3.5 + (LIMIT - 3.5) * left
    return row(loss, loss * (0.9 + 0.1 * left), loss * (0.6 + 0.4 * left))


def slow(progress):
    """Leaves ln K only after a tenth of the training."""
    return row(LIMIT, LIMIT, LIMIT) if progress < 0.12 else row(9.0, 9.5, 8.0)


def told(curve, *, rows=200, prototypes=K):
    watch = CollapseWatch(prototypes)
    found = [(n / rows, watch.observe(n / rows, curve(n / rows))) for n in range(rows + 1)]
    return [(progress, text) for progress, text in found if text]


@pytest.mark.parametrize("curve", [healthy, slow])
def test_a_healthy_training_hears_nothing_though_it_begins_at_the_logarithm_of_the_prototypes(curve):
    assert collapse_kind(curve(0.0), K) == "uniform"
    assert told(curve) == []


def test_a_uniform_collapse_is_told_early_and_until_the_end_with_what_to_change():
    found = told(uniform)
    assert 0.1 < found[0][0] < 0.2
    assert found[-1][0] == 1
    text = found[0][1]
    assert "uniform" in text
    assert "ln 65536 = 11.090" in text
    assert "lower the teacher's temperature" in text
    assert "0.9995" in text


def test_a_one_hot_collapse_is_told_with_what_to_change():
    text = told(one_hot)[0][1]
    assert "one prototype for every image" in text
    assert "centring" in text
    assert "freeze the last layer longer" in text


def test_a_collapse_that_goes_over_is_forgotten():
    def recovers(progress):
        return uniform(progress) if progress < 0.5 else healthy(progress)

    assert 0.1 < min(p for p, _ in told(recovers)) < max(p for p, _ in told(recovers)) < 0.5


def test_single_rows_that_look_so_are_nothing():
    def flickers(progress):
        return uniform(progress) if round(progress * 200) % 3 else healthy(progress)

    assert told(flickers) == []


def test_a_short_training_needs_three_rows():
    assert len(told(uniform, rows=4)) == 2  # of 0.25, 0.5, 0.75 and 1


@pytest.mark.parametrize("prototypes", [4096, 60000, K])
def test_the_limit_is_the_logarithm_of_the_prototypes(prototypes):
    limit = math.log(prototypes)
    assert collapse_kind(row(limit, limit, limit), prototypes) == "uniform"
    assert collapse_kind(row(limit, limit, limit - 0.1), prototypes) is None


def test_a_teacher_that_is_sure_of_images_that_differ_is_no_collapse():
    sure = row(0.01, 0.01, 0.005)
    assert collapse_kind(sure, K) == "one-hot"
    assert collapse_kind(sure, K, batch_entropy=0.006) == "one-hot"
    assert collapse_kind(sure, K, batch_entropy=2.0) is None


def test_it_goes_on_from_its_state():
    first, second = CollapseWatch(K), CollapseWatch(K)
    for n in range(31):
        first.observe(n / 200, uniform(0))
    second.load_state_dict(first.state_dict())
    for n in range(31, 60):
        assert first.observe(n / 200, uniform(0)) == second.observe(n / 200, uniform(0))
