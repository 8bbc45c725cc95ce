"""All scores of a few constructed pairs are those that one computes by hand."""

import math

import pytest
import torch
from xraykit.corr.scores import MatchTally, pair_average_precision
from xraykit.render import InputError


def tallied():
    draw = torch.Generator().manual_seed(0)
    truth = (torch.rand(6, 5, 5, generator=draw) < 0.2).float()
    truth[3] = 0.0
    predicted = (0.6 * truth + 0.5 * torch.rand(truth.shape, generator=draw)).clamp(0, 1)
    tally = MatchTally()
    tally.add(predicted[:4], truth[:4], patients=["a", "a", "b", "b"])
    tally.add(predicted[4:], truth[4:], patients=["c", "c"])
    return tally, predicted, truth


def test_scores_are_those_of_all_entries_at_once():
    tally, predicted, truth = tallied()
    scores, positive, found = tally.scores(), truth >= 0.5, predicted >= 0.5
    assert (scores.pairs, scores.without_positive) == (6, 1)
    assert scores.density == pytest.approx(float(positive.double().mean()))
    assert scores.mse == pytest.approx(float(((predicted - truth) ** 2).double().mean()), rel=1e-6)
    each = pair_average_precision(predicted, positive)
    assert scores.ap_macro == pytest.approx(float(each[~each.isnan()].mean()), rel=1e-12)
    pooled = float(pair_average_precision(predicted.flatten()[None], positive.flatten()[None])[0])
    assert abs(scores.ap_micro - pooled) <= scores.ap_micro_error + 1e-12
    assert scores.precision == pytest.approx(int((found & positive).sum()) / int(found.sum()))
    assert scores.recall == pytest.approx(int((found & positive).sum()) / int(positive.sum()))
    assert [(row.pair, row.patient) for row in tally.rows][3:5] == [("3", "b"), ("4", "c")]
    assert math.isnan(tally.rows[3].average_precision)
    low, high = tally.macro_interval()
    assert low <= scores.ap_macro <= high


def test_thresholds_of_the_authors_find_and_count_more():
    _, predicted, truth = tallied()
    authors = MatchTally(true_from=0.2, found_from=0.2)
    authors.add(predicted, 0.3 * truth)
    assert authors.scores().density == pytest.approx(float((truth > 0).double().mean()))
    assert authors.scores().recall == 1.0


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(InputError, match="scores need at least one pair of views, got none"):
        MatchTally().scores()
    with pytest.raises(InputError, match=r"must be \(pairs, patches, patches\) alike"):
        MatchTally().add(torch.zeros(1, 4, 4), torch.zeros(1, 9, 9))
    with pytest.raises(InputError, match="thresholds of correspondence must lie in 0 to 1"):
        MatchTally(true_from=0.0)
