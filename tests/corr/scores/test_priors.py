"""Priors are their closed forms, and score what they must."""

import pytest
import torch
from xraykit.corr.scores import MatchTally, MeanCorrespondence, patch_means, thinner_patch
from xraykit.render import InputError


def test_mean_is_the_mean_of_all_matrices_whatever_the_batches():
    truth = torch.rand(7, 4, 4, generator=torch.Generator().manual_seed(0))
    mean = MeanCorrespondence()
    for part in truth.split([3, 1, 3]):
        mean.add(part)
    assert mean.pairs == 7
    assert torch.allclose(mean.value, truth.mean(0))


def test_mean_of_equal_matrices_is_perfect_and_the_zero_has_their_square_as_error():
    truth = torch.eye(9).expand(4, -1, -1)
    mean = MeanCorrespondence()
    mean.add(truth)
    best, none = MatchTally(), MatchTally()
    best.add(mean.value.expand(4, -1, -1), truth)
    none.add(torch.zeros(4, 9, 9), truth)
    assert (best.scores().ap_macro, best.scores().mse) == (1.0, 0.0)
    assert none.scores().ap_macro == pytest.approx(1 / 9)
    assert none.scores().mse == pytest.approx(1 / 9)


def test_mean_squared_error_of_the_mean_is_the_variance():
    truth = (torch.rand(50, 4, 4, generator=torch.Generator().manual_seed(1)) < 0.3).float()
    mean = MeanCorrespondence()
    mean.add(truth)
    tally = MatchTally()
    tally.add(mean.value.expand(50, -1, -1), truth)
    assert tally.scores().mse == pytest.approx(float(truth.var(0, unbiased=False).mean()), rel=1e-5)


def test_patch_means_are_those_of_a_loop_row_by_row():
    images = torch.rand(2, 1, 6, 12, generator=torch.Generator().manual_seed(2))
    found = patch_means(images, 3)
    assert found.shape == (2, 1, 9)
    for i in range(3):
        for j in range(3):
            patch = images[1, 0, 2 * i : 2 * i + 2, 4 * j : 4 * j + 4]
            assert float(found[1, 0, 3 * i + j]) == pytest.approx(float(patch.mean()))


def test_thinner_patch_is_the_lesser_of_each_two():
    found = thinner_patch(torch.tensor([0.1, 0.9]), torch.tensor([0.5, 0.0]))
    assert torch.equal(found, torch.tensor([[0.1, 0.0], [0.5, 0.0]]))


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="needs at least one pair of views, got none"):
        _ = MeanCorrespondence().value
    mean = MeanCorrespondence()
    mean.add(torch.zeros(1, 4, 4))
    with pytest.raises(InputError, match=r"must be \(N, L, L\) with one patch grid"):
        mean.add(torch.zeros(1, 9, 9))
    with pytest.raises(InputError, match="a grid of 5 patches must divide the image of 12x6 px"):
        patch_means(torch.zeros(6, 12), 5)
