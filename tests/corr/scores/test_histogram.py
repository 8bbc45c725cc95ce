"""Pooled average precision of binned scores lies within its bound of the exact one."""

import math

import pytest
import torch
from xraykit.corr.scores import ScoreHistogram, pair_average_precision
from xraykit.render import InputError


def case(seed, power, count=4000):
    draw = torch.Generator().manual_seed(seed)
    score = torch.rand(count, generator=draw) ** power
    return score, torch.rand(count, generator=draw) < 0.02 + 0.5 * score


def exact(score, positive):
    return float(pair_average_precision(score[None], positive[None])[0])


@pytest.mark.parametrize("bins", [2, 8, 64, 4096])
@pytest.mark.parametrize("power", [1, 8])
def test_exact_average_precision_lies_within_the_bound(bins, power):
    for seed in range(5):
        score, positive = case(seed, power)
        histogram = ScoreHistogram(bins)
        for part in range(0, 4000, 1000):
            histogram.add(score[part : part + 1000], positive[part : part + 1000])
        found = histogram.average_precision()
        assert abs(found.value - exact(score, positive)) <= found.error + 1e-12
        assert 0 <= found.error < (1.0 if bins < 4096 else 0.05)


def test_bound_holds_at_the_worst_and_the_best_order_within_one_bin():
    for score in ([0.51, 0.52, 0.53, 0.54], [0.54, 0.53, 0.52, 0.51]):
        scores, positive = torch.tensor(score), torch.tensor([True, True, False, False])
        histogram = ScoreHistogram(2)
        histogram.add(scores, positive)
        found = histogram.average_precision()
        assert found.value == pytest.approx(0.5)
        assert abs(found.value - exact(scores, positive)) <= found.error + 1e-12


def test_scores_on_the_edges_of_bins_are_exact():
    draw = torch.Generator().manual_seed(3)
    score = torch.randint(0, 16, (500,), generator=draw) / 16
    positive = torch.rand(500, generator=draw) < score
    histogram = ScoreHistogram(16)
    histogram.add(score, positive)
    assert histogram.average_precision().value == pytest.approx(exact(score, positive), rel=1e-12)


def test_best_threshold_has_the_best_f1_of_all_edges():
    score, positive = case(1, 2)
    histogram = ScoreHistogram(64)
    histogram.add(score, positive)

    def f1(threshold):
        found = score >= threshold
        return 2 * int((found & positive).sum()) / (int(found.sum()) + int(positive.sum()))

    best = histogram.best_threshold()
    assert f1(best) == pytest.approx(max(f1(k / 64) for k in range(64)))


def test_nothing_positive_has_no_average_precision():
    histogram = ScoreHistogram()
    histogram.add(torch.rand(5), torch.zeros(5, dtype=torch.bool))
    assert math.isnan(histogram.average_precision().value)
    assert histogram.best_threshold() == 0.5


def test_scores_outside_zero_to_one_are_refused():
    for score in (1.5, -0.1, math.nan):
        with pytest.raises(InputError, match="scores must be 0 to 1"):
            ScoreHistogram().add(torch.tensor([score]), torch.tensor([True]))
    with pytest.raises(InputError, match="needs 2 bins or more, got 1"):
        ScoreHistogram(1)
