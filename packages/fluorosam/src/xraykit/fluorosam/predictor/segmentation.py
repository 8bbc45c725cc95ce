"""The answer to a prompt: a mask of the X-ray's own size, how sure it is, and whether there is one at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..data.padded_square import PaddedSquare

if TYPE_CHECKING:
    from .prompt import Prompt


@dataclass(frozen=True, eq=False)
class Segmentation:
    """One mask and its rivals; full-size maps are made when they are asked for. All tensors are on the CPU.

    Args:
        low_candidates: (C, M, M) float32 logits over the network's square, C = 3, or 1 of a single mask.
        confidences: (C,) float32, the intersection over union that each is expected to have, calibrated, 0 to 1.
        best: Number of the candidate that is the answer.
        square: Where the X-ray lies in the square.
        visible: Whether what was asked for is in the X-ray; false leaves the mask empty.
        prompt: What was asked.
        target: Name of what the words ask for in the vocabulary; None without words, or where it knows none.
        presence: Probability that the X-ray shows what the words ask for; None without words, or of a network that does
            not tell.
    """

    low_candidates: Tensor = field(repr=False)
    confidences: Tensor
    best: int
    square: PaddedSquare
    visible: bool
    prompt: Prompt
    target: str | None = None
    presence: float | None = None

    @property
    def confidence(self) -> float:
        """Of the answer, 0 to 1."""
        return float(self.confidences[self.best])

    @cached_property
    def mask(self) -> Tensor:
        """(H, W) bool: logits above 0, nothing where it is not visible."""
        if not self.visible:
            return torch.zeros(self.square.height, self.square.width, dtype=torch.bool)
        return self.logits > 0

    @property
    def logits(self) -> Tensor:
        """(H, W) float32 of the answer, above 0 inside, whether it counts as visible or not."""
        return self.square.maps_to_image(self.low_logits)

    @property
    def candidates(self) -> Tensor:
        """(C, H, W) float32 logits of all, with `confidences`."""
        return self.square.maps_to_image(self.low_candidates)

    @property
    def low_logits(self) -> Tensor:
        """(M, M) float32 logits of the answer over the network's square: a mask for the next prompt."""
        return self.low_candidates[self.best]
