"""How well an encoder tells classes and sides: Dice of each class, and where it took one side for the other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..vocabulary.reduced_classes import ReducedClass
from ..vocabulary.structures import mirrored_name


class EncoderScores:
    """Counts over batches.

    Args:
        classes: K of them, in the order of the logits.
    """

    def __init__(self, classes: Sequence[ReducedClass]) -> None:
        places = {one.name: place for place, one in enumerate(classes)}
        self.twins = torch.tensor([places.get(mirrored_name(one.name), -1) for one in classes])
        self.twins[self.twins == torch.arange(len(classes))] = -1
        self.dice = torch.zeros(2, len(classes), dtype=torch.float64)
        self.other_side = torch.zeros(2, dtype=torch.float64)

    def add(self, logits: Tensor, cover: Tensor, known: Tensor) -> None:
        """Count a batch: logits and cover (B, K, N, N), known (B, K); a cell counts as covered from one half on."""
        logits, truth, known = logits.float().cpu(), cover.cpu() >= 0.5, known.cpu()
        found = logits > 0
        both, all_of = (found & truth).sum((2, 3)), found.sum((2, 3)) + truth.sum((2, 3))
        there = known & truth.any(3).any(2)
        self.dice[0] += (2.0 * both / all_of.clamp(min=1) * there).sum(0)
        self.dice[1] += there.sum(0)
        sided = (self.twins >= 0).nonzero().flatten()
        own, other = logits[:, sided], logits[:, self.twins[sided]]
        asked = truth[:, sided] & ~truth[:, self.twins[sided]] & there[:, sided, None, None]
        seen = asked & ((own > 0) | (other > 0))
        self.other_side += torch.tensor([(seen & (other > own)).sum(), seen.sum()], dtype=torch.float64)

    def columns(self) -> dict[str, float]:
        """Two columns; one for which nothing was counted is left out.

        "dice" is the mean over classes of the mean over images that show them; "other_side" the share of the cells of a
        sided class in which the wrong side is likelier, of those where either side is seen.
        """
        means = (self.dice[0] / self.dice[1])[self.dice[1] > 0]
        columns = {"dice": float(means.mean())} if len(means) else {}
        wrong, seen = self.other_side.tolist()
        return {**columns, "other_side": wrong / seen} if seen else columns
