"""Matching: the cheapest of all assignments, by a cost in closed form."""

import itertools
import math

import pytest
import torch
from support.dax_screws import random_truth
from xraykit.dax.probes.screws import DetectionLossSettings
from xraykit.dax.probes.screws.decoder import ScrewQueries
from xraykit.dax.probes.screws.matching import match_screws, matching_cost
from xraykit.dax.probes.screws.truth import TruthBatch, truth_batch

WEIGHTS = DetectionLossSettings()
SCALE = torch.tensor([64 / 30, 64 / 30])


def test_the_assignment_is_the_best_of_all():
    rng = torch.Generator().manual_seed(5)
    for _ in range(20):
        truth = truth_batch([random_truth(rng) for _ in range(3)])
        found = ScrewQueries(torch.randn(3, 5, generator=rng), torch.rand(3, 5, 2, 2, generator=rng))
        cost = matching_cost(found, truth, SCALE, WEIGHTS)
        image, query, screw = match_screws(found, truth, SCALE, WEIGHTS)
        assert torch.bincount(image, minlength=3).tolist() == list(truth.counts)
        for b, count in enumerate(truth.counts):
            options = itertools.permutations(range(5), count)
            best = min(sum(float(cost[b, q, n]) for n, q in enumerate(order)) for order in options)
            assert float(cost[b, query[image == b], screw[image == b]].sum()) == pytest.approx(best, abs=1e-5)


def test_the_cost_in_closed_form():
    points = torch.tensor([[[[0.25, 0.5], [0.75, 0.5]]]])
    truth = TruthBatch(points, torch.ones(1, 1, 2, dtype=torch.bool), (1,))
    found = ScrewQueries(torch.zeros(1, 1), points + torch.tensor([[0.1, 0.0], [0.0, 0.2]]))
    focal = (0.25 - 0.75) * 0.25 * math.log(2)
    similarity = (2 ** -((0.1 * 64 / 30) ** 2) + 2 ** -((0.2 * 64 / 30) ** 2)) / 2
    expected = 2 * focal + 10 * 0.15 + 2 * (1 - similarity)
    assert float(matching_cost(found, truth, SCALE, WEIGHTS)) == pytest.approx(expected, rel=1e-5)


def test_an_invisible_end_does_not_count():
    visible = torch.tensor([[[True, False]]])
    truth = TruthBatch(torch.tensor([[[[0.2, 0.2], [0.0, 0.0]]]]), visible, (1,))
    right_head = torch.tensor([[[[0.2, 0.2], [0.9, 0.9]], [[0.3, 0.2], [0.0, 0.0]]]])
    assert match_screws(ScrewQueries(torch.zeros(1, 2), right_head), truth, SCALE, WEIGHTS).query.tolist() == [0]


def test_images_without_screws_have_no_pairs():
    truth = TruthBatch(torch.zeros(2, 0, 2, 2), torch.zeros(2, 0, 2, dtype=torch.bool), (0, 0))
    pairs = match_screws(ScrewQueries(torch.zeros(2, 4), torch.zeros(2, 4, 2, 2)), truth, SCALE, WEIGHTS)
    assert [one.shape for one in pairs] == [(0,)] * 3
