"""What a method brings to a training: the network, its data and one step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class TrainingTask(Protocol):
    """A training as `fit` sees it: inherit, give the four abstract methods, and what else is needed.

    Attributes:
        module: Everything with parameters or buffers, a teacher's too. `fit` moves it to the device, wraps it for
            several processes, and saves its state_dict in the checkpoint; parameters that no optimiser has stay as they
            are.
        terms: Parts of the last loss by name, detached, for the curve.
    """

    module: nn.Module
    terms: Mapping[str, Tensor] = {}

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """Open the data of this process; once, before `load_state_dict` and the first step.

        Args:
            rank: This process among `ranks`.
            ranks: How many.
            device: Where `module` will be.
        """

    @abstractmethod
    def step(self, batch: int, progress: float) -> Tensor:
        """The loss of one batch, a scalar with a gradient.

        Torch's random numbers inside follow from seed, rank and batch number alone.

        Args:
            batch: Its number, counted from 0; goes on after a resume.
            progress: Share of the training that is over, 0 to 1, for schedules.
        """
        ...

    def batch_names(self) -> Sequence[str]:
        """Names of the last batch's samples, for the sentence about a loss that is not finite; () names none."""
        return ()

    @abstractmethod
    def optimizer(self) -> torch.optim.Optimizer:
        """The one optimiser; several rules are several groups of parameters, or a class that holds two of torch's."""
        ...

    @abstractmethod
    def rate(self, progress: float, step: int) -> float:
        """The learning rate of the next step; a group with the key "rate_scale" gets that multiple of it.

        Args:
            progress: Share of the training that is over, 0 to 1.
            step: Optimiser steps done.
        """
        ...

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Gradients are summed, averaged over processes and unscaled: clip or drop them, set a weight decay."""

    def after_step(self, progress: float) -> None:
        """The optimiser has stepped: move a teacher."""

    def validate(self) -> dict[str, float]:
        """Columns of the curve's next row. Every process calls it; the first one's answer counts."""
        return {}

    def is_done(self) -> bool:
        """Whether to stop here, before the end that the settings name; asked on the first process after `validate`."""
        return False

    @abstractmethod
    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """Leave weights for use in `folder`; on the first process.

        Args:
            folder: May not exist yet; whatever is in it is from an earlier save.
            training: batches, seconds and the last row so far, for the config beside the weights.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """What the next step depends on beside `module`, optimiser and batch number; plain values and tensors."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was called."""
