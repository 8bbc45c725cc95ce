"""Rows of an evaluation: sizes of arms, a fair number of batches, and scores that rows alone give."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.damaged_arrays import write_damaged_npz
from xraykit.corr.evaluate import matcher_arms, patient_test, read_arm, score_pairs, scores_of_arm, write_arm
from xraykit.corr.evaluate.pair_rows import chosen_threshold, joined
from xraykit.corr.evaluate.settings import MODULE_ARMS
from xraykit.corr.evaluate.throughput import ArmTime, common_steps
from xraykit.corr.network import MatcherConfig, matcher_cost
from xraykit.corr.scores import MatchTally
from xraykit.corr.train import FixedPairs
from xraykit.render import FileError, InputError

SHARED = MatcherConfig("mini", stride=8, image_size=64, dimension=64, layers=6, heads=4, norm="group")


def fixed(count: int = 8, *, seed: int = 0) -> FixedPairs:
    draw = torch.Generator().manual_seed(seed)
    truth = (torch.rand(count, 16, 16, generator=draw) > 0.9).float()
    related = torch.arange(count) < count - 2
    truth[~related] = 0
    names = tuple(f"pair {n}" for n in range(count))
    patients = tuple(f"patient {n // 2}" for n in range(count))
    return FixedPairs(torch.zeros(count, 2, 1, 8, 8), truth, related, torch.zeros(count, 2, 3, 4), names, patients)


def guess(pairs: FixedPairs, noise: float, *, seed: int = 1):
    draw = torch.Generator().manual_seed(seed)
    said = (pairs.truth * (1 - noise) + noise * torch.rand(pairs.truth.shape, generator=draw)).clamp(0, 1)
    return lambda part: said[part]


def test_layers_are_those_of_the_literature_and_the_large_row_weighs_what_the_heaviest_does():
    arms = {arm.name: arm for arm in matcher_arms(SHARED, MODULE_ARMS)}
    layers = {name: arm.layers for name, arm in arms.items()}
    assert layers == {**layers, "none": 0, "superglue": 18, "loftr": 8, "standard_mp": 8, "standard": 6}
    weights = {name: matcher_cost(arm.config(SHARED)).weights for name, arm in arms.items()}
    layer = matcher_cost(SHARED).layer_weights
    assert weights["standard"] < weights["superglue"]
    assert abs(weights["standard_large"] - weights["superglue"]) <= layer / 2
    with pytest.raises(InputError, match="each once, got none"):
        matcher_arms(SHARED, ())


def test_all_arms_get_the_batches_that_their_times_allow_together():
    times = {"fast": ArmTime(0.1, 1.0), "slow": ArmTime(0.3, 2.0)}
    # 0.95 * 1000 s = (5 + 1 + 2) * 3 s + 0.4 s a batch of both
    assert common_steps(times, 1000.0, tested=2.0) == int((950 - 24) / 0.4)
    assert common_steps(times, 1000.0, repeats=2, tested=2.0) == int((950 - 48) / 0.8)
    with pytest.raises(InputError, match="--minutes must suffice for a batch of each row"):
        common_steps(times, 10.0)


def test_scores_of_rows_are_those_of_a_tally_of_the_same_pairs(tmp_path):
    pairs = fixed()
    predict = guess(pairs, 0.7)
    write_arm(tmp_path, score_pairs(predict, pairs, arm="a", threshold=0.4))
    scores = scores_of_arm(read_arm(tmp_path))
    tally, _ = pairs.score(predict)
    known = tally.scores()
    assert (scores.ap_macro, scores.mse) == (pytest.approx(known.ap_macro), pytest.approx(known.mse))
    assert (scores.ap_micro, scores.ap_micro_error) == (known.ap_micro, known.ap_micro_error)
    assert (scores.at_half.precision, scores.at_half.recall) == (known.precision, known.recall)
    at_authors = MatchTally(true_from=0.2, found_from=0.2)
    at_authors.add(predict(slice(0, 6)), pairs.truth[:6])
    assert scores.ap_authors == at_authors.scores().ap_micro
    assert (scores.pairs, scores.patients) == (6, 3)
    low, high = scores.ap_macro_interval
    assert low <= scores.ap_macro <= high
    assert 0 <= scores.overlap_auroc <= 1


def test_threshold_is_chosen_on_other_pairs_and_counts_at_it_are_kept():
    pairs = fixed()
    predict = guess(pairs, 0.45)
    threshold = chosen_threshold(predict, fixed(seed=0))
    scores = scores_of_arm(score_pairs(predict, pairs, arm="a", threshold=threshold))
    assert scores.at_chosen.precision == scores.at_chosen.recall == 1.0
    assert chosen_threshold(predict, None) == 0.5


def test_permutation_test_is_of_patients_and_trainings_are_averaged_first():
    pairs = fixed()
    good = [score_pairs(guess(pairs, 0.5, seed=n), pairs, arm="good", seed=n) for n in (1, 2)]
    bad = score_pairs(guess(pairs, 0.95), pairs, arm="bad")
    test = patient_test(joined(good), bad)
    assert test.pairs == 3
    assert test.statistic > 0
    assert test.p == pytest.approx(2 / 2**3)  # the least that three patients can give
    scores = scores_of_arm(joined(good))
    assert len(scores.ap_seeds) == 2
    assert scores.pairs == 6
    assert scores.deviation == pytest.approx(abs(scores.ap_seeds[0] - scores.ap_seeds[1]) / math.sqrt(2))


def test_counts_of_other_rows_are_refused(tmp_path):
    pairs = fixed()
    write_arm(tmp_path, score_pairs(guess(pairs, 0.5), pairs, arm="a"))
    np.savez_compressed(tmp_path / "counts.npz", counts=np.zeros((2, 2, 2, 4096), dtype=np.int32))
    with pytest.raises(FileError, match="must have counts for 8 pairs, got shape"):
        read_arm(tmp_path)
    (tmp_path / "counts.npz").write_bytes(b"no zip")
    with pytest.raises(FileError, match=r"must hold the counts of rows\.json"):
        read_arm(tmp_path)
    write_damaged_npz(tmp_path / "counts.npz", "counts")
    with pytest.raises(FileError, match=r"must hold the counts of rows\.json, .*; delete .* to make it anew"):
        read_arm(tmp_path)
