"""The control of pre-training: same network, X-rays and steps, but another question, the thickness of the tissue."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..network.matcher import MatchNetwork
from .fixed_pairs import BATCH, FixedPairs
from .matcher_task import MatcherTask
from .settings import MatcherSettings
from .training_pairs import TrainingPairs

UNIT = 100.0  # mm; the network answers in decimetres


class ThicknessTask(MatcherTask):
    """The training of a network that tells how much tissue is in the beam of each patch.

    A linear layer reads it from the tokens after the module; the loss is the mean squared error in decimetres. What
    classification gains from these weights, it does not gain from correspondence.

    Args:
        network: Learns.
        settings: Complete.
        data: What is learned from, and what is only looked at; with thickness.
        say: Not called.
    """

    def __init__(
        self,
        network: MatchNetwork,
        settings: MatcherSettings,
        data: TrainingPairs,
        *,
        say: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(network, settings, data, say=say)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.run.seed)
            width = network.config.dimension
            self.readout = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))
        self.module.add_module("readout", self.readout)

    def step(self, batch: int, progress: float) -> Tensor:
        """The loss of one batch of pairs."""
        drawn = self.batches.batch(batch)
        output = self.network(drawn.images.to(self.device))
        self._pairs += drawn.truth.shape[0] * self.ranks
        error = self._thickness(output.tokens) - drawn.thickness.to(self.device) / UNIT
        heads = output.probability.mean() + (0.0 if output.overlap is None else output.overlap.mean())
        return error.square().mean() + 0.0 * heads  # processes wait for the gradient of every weight

    def optimizer(self) -> torch.optim.Optimizer:
        """That of a matcher, and a group for the layer that reads."""
        optimizer = super().optimizer()
        readout = list(self.readout.parameters())
        optimizer.add_param_group({"params": readout, "weight_decay": 0.0, "rate_scale": 1.0})
        return optimizer

    def validate(self) -> dict[str, float]:
        """thickness_r2 on held-out pairs: 1 is exact, 0 no better than their mean; speed."""
        if self.rank != 0:
            return {}
        row = {} if self.data.held_out is None else {"thickness_r2": self._r2(self.data.held_out)}
        speed = self._pairs / max(time.monotonic() - self._since, 1e-9)
        self._pairs, self._since = 0, time.monotonic()
        return row | {"pairs_per_s": speed}

    def _thickness(self, tokens: Tensor) -> Tensor:
        return self.readout(tokens).float()[..., 0]

    @torch.no_grad()
    def _r2(self, pairs: FixedPairs) -> float:
        used, true = self.network, pairs.thickness / UNIT  # not the averaged one: the layer that reads is of this one
        was_training = used.training
        used.eval()
        try:
            found = [self._thickness(used(part.to(self.device)).tokens).cpu() for part in pairs.images.split(BATCH)]
        finally:
            used.train(was_training)
        return 1.0 - float((torch.cat(found) - true).square().sum() / (true - true.mean()).square().sum())
