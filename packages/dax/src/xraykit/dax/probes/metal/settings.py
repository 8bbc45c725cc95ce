"""How a pixel head is taught; no torch, so that commands load fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MaskLoss = Literal["bce", "bce+dice"]


@dataclass(frozen=True)
class HeadTraining:
    """How a pixel head is taught."""

    loss: MaskLoss = "bce+dice"
    """Binary cross-entropy of all pixels, or this plus 1 - Dice of the batch: alone it finds nothing on weak maps."""
    steps: int = 400
    """Batches; so many whatever the number of images."""
    batch: int = 8
    """Images per step."""
    rate: float = 0.05
    """Peak learning rate of Adam; a cosine ends it at 0."""
    decay: float = 1e-4
    """Weight decay, decoupled."""
