"""Votes of neighbours are those of DINO's evaluation."""

import numpy as np
import pytest
import torch
from xraykit.dax.probes.region import knn_shares
from xraykit.render import InputError


def test_votes_are_the_sums_of_exponentials_of_cosines():
    rng = np.random.default_rng(0)
    known, asked, classes = rng.standard_normal((30, 8)), rng.standard_normal((5, 8)), rng.integers(0, 3, 30)
    shares = knn_shares(known, classes, asked, 3, neighbours=7)
    for one, row in zip(asked, shares, strict=True):
        cosine = known @ one / np.linalg.norm(known, axis=1) / np.linalg.norm(one)
        votes = np.zeros(3)
        for n in np.argsort(-cosine)[:7]:
            votes[classes[n]] += np.exp(cosine[n] / 0.07)
        np.testing.assert_allclose(row, votes / votes.sum(), rtol=1e-9)


def test_more_neighbours_than_images_are_all_of_them():
    known = np.eye(3)
    shares = knn_shares(known, np.arange(3), known, 3, neighbours=200)
    assert torch.equal(shares.argmax(1), torch.arange(3))


def test_a_tiny_temperature_leaves_the_nearest_alone():
    shares = knn_shares(np.eye(3) + 0.1, np.arange(3), np.eye(3), 3, temperature=1e-5)
    torch.testing.assert_close(shares, torch.eye(3).double())


def test_bad_neighbours_are_refused():
    with pytest.raises(InputError, match="got 0 neighbours"):
        knn_shares(np.eye(3), np.arange(3), np.eye(3), 3, neighbours=0)
    with pytest.raises(InputError, match="features finite"):
        knn_shares(np.full((3, 3), np.nan), np.arange(3), np.eye(3), 3)
