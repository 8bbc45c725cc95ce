"""Validation on fixed pairs: priors are their closed forms, and an overfitted matcher beats them all."""

import math
from dataclasses import replace

import pytest
import torch
from support.corr_pairs import pairs
from xraykit.corr.loss import match_loss
from xraykit.corr.network import NAMED, calibrate_head, new_matcher
from xraykit.corr.scores import MatchTally, epipolar_band, patch_means
from xraykit.corr.train.fixed_pairs import FixedPairs, network_scores, prior_scores

CPU = torch.device("cpu")
TINY = replace(NAMED["mini"], image_size=64, dimension=64, layers=1, heads=4)


def fixed(count=6, *, unrelated=0, seed=0):
    images, truth, views = pairs(count, seed=seed)
    related = torch.arange(count) < count - unrelated
    truth[~related] = 0.0
    names = tuple(f"pair{n}" for n in range(count))
    return FixedPairs(images, truth, related, views, names, tuple(f"p{n // 2}" for n in range(count)))


def test_priors_are_their_closed_forms():
    held = fixed()
    mean = pairs(8, seed=1)[1].mean(0)
    found = prior_scores(held, mean)
    truth = held.truth
    assert found["mse_zero"] == pytest.approx(float((truth**2).mean()), rel=1e-5)
    assert found["ap_macro_zero"] == pytest.approx(float((truth >= 0.5).double().mean((1, 2)).mean()), rel=1e-9)
    assert found["mse_mean"] == pytest.approx(float(((truth - mean) ** 2).mean()), rel=1e-5)
    thick = patch_means(held.images[:, :, 0], 8)
    lesser = torch.minimum(thick[:, 0, :, None], thick[:, 1, None, :])
    band = torch.stack([epipolar_band(a, b, 8) for a, b in held.projections])
    for name, predicted in (("mean_thickness", mean * lesser), ("pose", band * lesser)):
        tally = MatchTally()
        tally.add(predicted, truth)
        assert found[f"ap_macro_{name}"] == pytest.approx(tally.scores().ap_macro, rel=1e-9)
        assert found[f"mse_{name}"] == pytest.approx(tally.scores().mse, rel=1e-6)


def test_poses_and_silhouettes_beat_the_mean_on_bodies_that_differ():
    found = prior_scores(fixed(12), pairs(12, seed=1)[1].mean(0))
    assert found["ap_macro_zero"] < found["ap_macro_mean"] < found["ap_macro_mean_thickness"] < found["ap_macro_pose"]


def test_perfect_prediction_has_perfect_scores_and_unrelated_pairs_count_for_overlap_alone():
    held = fixed(8, unrelated=3)
    tally, overlaps = held.score(lambda part: held.truth[part])
    scores = tally.scores()
    assert (scores.pairs, scores.ap_macro, scores.ap_micro, scores.mse) == (5, 1.0, 1.0, 0.0)
    assert [row.pair for row in tally.rows] == [f"pair{n}" for n in range(5)]
    assert [row.patient for row in tally.rows] == ["p0", "p0", "p1", "p1", "p2"]
    assert (overlaps[:5] > 0).all()
    assert not overlaps[5:].any()


def test_untrained_matcher_has_finite_scores_and_keeps_its_mode():
    held = fixed(6, unrelated=2)
    network = new_matcher(TINY).train()
    row = network_scores(network, held, CPU)
    assert network.training
    assert 0 <= row["overlap_auroc"] <= 1
    assert all(math.isfinite(value) for value in row.values())
    assert row == network_scores(network, held, CPU)


def test_scores_without_unrelated_pairs_have_no_overlap_auroc():
    assert "overlap_auroc" not in network_scores(new_matcher(TINY), fixed(4), CPU)


def test_one_pair_is_overfitted():
    images, truth, views = pairs(1)
    held = FixedPairs(images, truth, torch.tensor([True]), views, ("pair",), ("p",))
    network = new_matcher(TINY)
    calibrate_head(network, images, density=float(truth.mean()))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(80):
        optimizer.zero_grad()
        match_loss(network(images), truth[:, None]).backward()
        optimizer.step()
    row = network_scores(network, held, CPU)
    assert row["ap_macro"] > 0.99
    assert row["ap_macro"] > prior_scores(held, torch.full_like(truth[0], 0.1))["ap_macro_pose"]
