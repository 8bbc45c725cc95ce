"""Features of texts: with gradient where the tower learns, kept by their words where it does not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..network.network import SegmentationNetwork

MOST_KEPT = 200_000


class TextFeatures:
    """Features of texts by the network's own tower.

    Args:
        network: Whose tower; a frozen one reads each text once.
    """

    def __init__(self, network: SegmentationNetwork) -> None:
        self.network = network
        self._kept: dict[str, Tensor] = {}

    def __call__(self, texts: Sequence[Sequence[str]]) -> Tensor:
        """(B, P, D) of B x P texts."""
        flat = [text for row in texts for text in row]
        if not self.network.config.text.frozen:
            return self.network.encode_text(flat).unflatten(0, (len(texts), -1))
        if len(self._kept) > MOST_KEPT:
            self._kept.clear()
        if new := [text for text in dict.fromkeys(flat) if text not in self._kept]:
            with torch.no_grad():
                self._kept.update(zip(new, self.network.encode_text(new).float(), strict=True))
        return torch.stack([self._kept[text] for text in flat]).unflatten(0, (len(texts), -1))
