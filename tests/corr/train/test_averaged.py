"""The average of weights is the recursion that it says, and leaves the network alone."""

import pytest
import torch
from torch import nn
from xraykit.corr.train.averaged import AveragedNetwork


def test_average_follows_the_recursion_with_a_short_memory_at_first():
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    averaged = AveragedNetwork(network, 0.5)
    expected = network[0].weight.detach().clone()
    for step in range(12):
        with torch.no_grad():
            network[0].weight += step
            network[1].running_mean += 1.0
        averaged.follow(network)
        kept = min(0.5, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * network[0].weight.detach()
    assert torch.allclose(averaged.network[0].weight, expected, rtol=1e-5)
    assert torch.equal(averaged.network[1].running_mean, network[1].running_mean)
    assert int(averaged.steps) == 12


def test_copy_has_no_gradient_and_is_in_the_state():
    network = nn.Linear(2, 3)
    averaged = AveragedNetwork(network, 0.9)
    assert not any(parameter.requires_grad for parameter in averaged.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert set(averaged.state_dict()) == {"network.weight", "network.bias", "steps"}
    assert averaged.network.weight.data_ptr() != network.weight.data_ptr()
    assert averaged.momentum == pytest.approx(0.9)
