"""Supervised contrast is the published equation, and pulls where it should."""

import math

import pytest
import torch
from xraykit.fluorosam.loss import supervised_contrast
from xraykit.render import InputError


def by_loops(features, classes, scale):
    z = [row / row.norm() for row in features]
    terms = []
    for i in range(len(z)):
        others = [j for j in range(len(z)) if j != i]
        same = [j for j in others if classes[j] == classes[i]]
        if same:
            total = sum(math.exp(scale * float(z[i] @ z[j])) for j in others)
            terms.append(-sum(math.log(math.exp(scale * float(z[i] @ z[p])) / total) for p in same) / len(same))
    return sum(terms) / len(terms)


def test_loss_is_the_published_equation():
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(9, 5, generator=rng, dtype=torch.float64)
    classes = torch.tensor([0, 0, 1, 1, 1, 2, 3, 3, 4])  # two of them alone
    assert float(supervised_contrast(features, classes, 3.0)) == pytest.approx(by_loops(features, classes, 3.0))


def test_gradients_reach_features_and_scale():
    rng = torch.Generator().manual_seed(1)
    features = torch.randn(6, 4, generator=rng, dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    classes = torch.tensor([0, 0, 1, 1, 2, 2])
    assert torch.autograd.gradcheck(lambda x, s: supervised_contrast(x, classes, s), (features, scale))


def test_loss_of_identical_features_is_that_of_chance_and_far_classes_cost_nothing():
    classes = torch.tensor([0, 0, 1, 1])
    assert float(supervised_contrast(torch.ones(4, 3), classes, 5.0)) == pytest.approx(math.log(3), rel=1e-5)
    apart = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    assert float(supervised_contrast(apart, classes, 100.0)) == pytest.approx(0.0, abs=1e-6)


def test_length_of_features_does_not_matter():
    rng = torch.Generator().manual_seed(2)
    features = torch.randn(6, 4, generator=rng)
    classes = torch.tensor([0, 0, 1, 1, 2, 2])
    longer = features * torch.arange(1.0, 7.0)[:, None]
    torch.testing.assert_close(supervised_contrast(features, classes, 4.0), supervised_contrast(longer, classes, 4.0))


@pytest.mark.parametrize(
    "features, classes, match",
    [
        (torch.ones(3), torch.zeros(3), "features must be"),
        (torch.ones(3, 2), torch.zeros(2), "features must be"),
        (torch.ones(3, 2), torch.arange(3), "two samples of some class"),
    ],
)
def test_what_cannot_be_contrasted_is_said(features, classes, match):
    with pytest.raises(InputError, match=match):
        supervised_contrast(features, classes, 1.0)
