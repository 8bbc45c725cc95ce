"""Around one training step: its random numbers, its gradients, and a loss that is not finite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ..errors import XraykitError
from ..seeds import step_seed

NAMED = 5  # samples that a sentence names


class TrainingFailedError(XraykitError):
    """The loss or the network's answer is not finite any more."""

    @classmethod
    def of(cls, what: str, value: str, batch: int, samples: Sequence[str] = ()) -> TrainingFailedError:
        """The sentence about a number that is not finite in a batch, with the first of its samples' names."""
        named = ", ".join(samples[:NAMED]) + (f" and {len(samples) - NAMED} more" if len(samples) > NAMED else "")
        of = f" (of {named})" if samples else ""
        return cls(
            f"the {what} must stay finite, got {value} in batch {batch}{of}; train again with a lower --rate, or with "
            "--precision 32-true."
        )


@contextmanager
def seeded(seed: int, rank: int, batch: int, device: torch.device) -> Iterator[None]:
    """Torch's random numbers inside follow from seed, rank and batch; those outside go on as if nothing had been."""
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.manual_seed(step_seed(seed, rank, batch))
        yield


def clip_adaptively(parameters: Iterable[nn.Parameter], factor: float, *, least: float = 1e-3) -> None:
    """Adaptive gradient clipping: no gradient of a unit is longer than `factor` times the unit's weights.

    Args:
        parameters: Whose gradients are changed in place; a unit is a row of a matrix or an output channel.
        factor: Longest gradient relative to the weights; 0 leaves everything as it is.
        least: Norm that shorter weights are taken to have.

    Source: Brock et al., High-performance large-scale image recognition without normalization, 2021.
    """
    for parameter in parameters if factor > 0 else ():
        if parameter.grad is None:
            continue
        gradient = parameter.grad.detach()
        longest = _unit_norm(parameter.detach()).clamp_(min=least).mul_(factor)
        norm = _unit_norm(gradient)
        clipped = gradient * (longest / norm.clamp(min=1e-6))
        gradient.copy_(torch.where(norm < longest, gradient, clipped))


def _unit_norm(values: Tensor) -> Tensor:
    if values.ndim <= 1:
        return values.norm(2.0)
    return values.norm(2.0, dim=tuple(range(1, values.ndim)), keepdim=True)
