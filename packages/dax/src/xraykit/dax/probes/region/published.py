"""The published protocol: one linear layer on frozen features as they are, by stochastic gradient descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from .linear import LinearClassifier, checked_features


@dataclass(frozen=True)
class PublishedProtocol:
    """The recipe of DINO's linear evaluation, which the paper followed."""

    epochs: int = 100
    """How often all training cases are seen."""
    batch: int = 128
    """Cases per step."""
    rate: float = 1e-3
    """Learning rate per 256 cases of a batch."""
    momentum: float = 0.9
    """Of the descent."""
    seed: int = 0
    """Of the first weights and of the order of cases."""


DEFAULT_PROTOCOL = PublishedProtocol()


def fit_published(
    features: NDArray[np.floating],
    classes: NDArray[np.intp],
    count: int,
    protocol: PublishedProtocol = DEFAULT_PROTOCOL,
) -> LinearClassifier:
    """One linear layer, weights N(0, 0.01^2) and biases 0, momentum 0.9, no decay, cosine from rate batch / 256 to 0.

    Features are neither scaled nor centred, so small ones (ResNets') are far from fitted after 100 epochs: that is how
    the paper's scores came about, and why `fit_linear` finds more in the same features.

    Args:
        features: (N, D), finite.
        classes: 0 to count - 1, (N,).
        count: K.
        protocol: The recipe.

    Raises:
        InputError: Features that are not finite, or another number of classes than features.

    Source: the linear evaluation of DINO (Caron et al. 2021), the evaluation of DAX (Scheuplein et al. 2025).
    """
    x = checked_features(features, classes).float()
    y, generator = torch.as_tensor(classes), torch.Generator().manual_seed(protocol.seed)
    weight = (0.01 * torch.randn(count, x.shape[1], generator=generator)).requires_grad_()
    bias = torch.zeros(count, requires_grad=True)
    rate = protocol.rate * protocol.batch / 256
    optimiser = torch.optim.SGD([weight, bias], lr=rate, momentum=protocol.momentum)
    for epoch in range(protocol.epochs):
        for group in optimiser.param_groups:
            group["lr"] = rate * (1 + math.cos(math.pi * epoch / protocol.epochs)) / 2
        for part in torch.randperm(len(x), generator=generator).split(protocol.batch):
            optimiser.zero_grad()
            cross_entropy(x[part] @ weight.T + bias, y[part]).backward()
            optimiser.step()
    zeros, ones = torch.zeros(x.shape[1]).double(), torch.ones(x.shape[1]).double()
    return LinearClassifier(weight.detach().double(), bias.detach().double(), zeros, ones)
