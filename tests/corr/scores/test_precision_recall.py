"""Average precision against sklearn and the core, with ties; counts at a threshold."""

import math

import pytest
import torch
from xraykit.corr.scores import counts_above, overlap_score, pair_average_precision
from xraykit.render import InputError
from xraykit.render.evaluation import average_precision


def case(*, levels=0, seed=0, shape=(4, 6, 6)):
    draw = torch.Generator().manual_seed(seed)
    score = torch.rand(shape, generator=draw)
    if levels:
        score = (score * levels).round() / levels
    return score, torch.rand(shape, generator=draw) < 0.2 + 0.3 * score


@pytest.mark.parametrize("levels", [0, 1, 5, 20])
def test_average_precision_is_that_of_sklearn_and_of_the_core(levels):
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the extra: scikit-learn, which others bring")
    score, positive = case(levels=levels)
    found = pair_average_precision(score, positive)
    for n in range(len(score)):
        flat, yes = score[n].flatten().double().numpy(), positive[n].flatten().numpy()
        assert float(found[n]) == pytest.approx(metrics.average_precision_score(yes, flat), rel=1e-12)
        assert float(found[n]) == pytest.approx(average_precision(flat, yes), rel=1e-12)


def test_equal_scores_have_the_density_as_average_precision():
    _, positive = case()
    found = pair_average_precision(torch.zeros(positive.shape), positive)
    assert torch.allclose(found, positive.double().mean((1, 2)), rtol=1e-12)


def test_order_of_entries_has_no_say():
    score, positive = case(levels=4)
    order = torch.randperm(36, generator=torch.Generator().manual_seed(1))
    moved = pair_average_precision(score.flatten(1)[:, order], positive.flatten(1)[:, order])
    assert torch.equal(moved, pair_average_precision(score, positive))


def test_pair_without_positive_has_no_average_precision():
    score, positive = case()
    positive[1] = False
    found = pair_average_precision(score, positive)
    assert found.isnan().tolist() == [False, True, False, False]


def test_counts_are_those_of_a_loop():
    score, positive = case(levels=4)
    right = wrong = missed = 0
    for s, p in zip(score[2].flatten().tolist(), positive[2].flatten().tolist(), strict=True):
        right, wrong, missed = right + (s >= 0.5 and p), wrong + (s >= 0.5 and not p), missed + (s < 0.5 and p)
    assert counts_above(score, positive, 0.5)[2].tolist() == [right, wrong, missed]


def test_overlap_is_the_mean_of_row_maxima():
    probability = torch.tensor([[0.1, 0.5, 0.2], [0.0, 0.0, 1.0], [0.3, 0.3, 0.3]])
    assert float(overlap_score(probability)) == pytest.approx((0.5 + 1.0 + 0.3) / 3)


def test_scores_that_are_no_numbers_are_refused():
    score, positive = case()
    with pytest.raises(InputError, match=r"scores and booleans must be \(N, ...\) alike"):
        pair_average_precision(score[:2], positive)
    score[0, 0, 0] = math.nan
    with pytest.raises(InputError, match="scores must be numbers, got NaN"):
        pair_average_precision(score, positive)
