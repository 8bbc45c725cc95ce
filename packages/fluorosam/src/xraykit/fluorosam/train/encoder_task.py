"""An image encoder learns where a few classes lie, before anything is asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render.training import TrainingTask, group_parameters, warmup_cosine

from ..data.segmentation_store import SegmentationStore
from ..data.settings import SegmentationChanges
from ..loss.dense_loss import class_loss
from ..network.class_head import ClassHead
from ..network.network import SegmentationNetwork
from ..network.network_weights import save_network
from ..vocabulary.reduced_classes import pretraining_classes
from .encoder_batches import ClassBatches
from .encoder_scores import EncoderScores
from .encoder_settings import EncoderPretrainSettings

_BATCH = 16


class EncoderTask(TrainingTask):
    """Dense multi-label segmentation of reduced classes by a light head on the image embedding.

    Args:
        network: Its image encoder is changed in place, the rest is saved as it is.
        settings: Of the pre-training.
        store: The images.
        train: Numbers of those to learn from.
        held_out: Numbers of those to validate with.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        settings: EncoderPretrainSettings,
        store: SegmentationStore,
        train: Sequence[int],
        held_out: Sequence[int],
    ) -> None:
        self.network, self.settings, self.store = network, settings, store
        self.numbers, self.held_out = tuple(train), tuple(held_out)
        own = settings.objective
        self.classes = pretraining_classes(sides=own.sides)
        self.cells = own.detail * network.config.grid
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.run.seed)
            head = ClassHead(network.config.dimension, len(self.classes), detail=own.detail)
        self.encoder, self.head = network.image_encoder, head
        self.encoder.trunk.set_grad_checkpointing(settings.network.checkpointing)
        self.module: nn.Module = nn.ModuleDict({"encoder": self.encoder, "head": head}).train()

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """The batches of this process."""
        self.device = device
        batch, run = self.settings.length.batch or _BATCH, self.settings.run
        changes = SegmentationChanges() if self.settings.data.changed else SegmentationChanges.none()
        facts: dict[str, Any] = {"cells": self.cells, "input": self.network.config.input}
        self.batches = ClassBatches(
            self.store, self.numbers, self.classes, changes,
            batch=batch, seed=run.seed, rank=rank, ranks=ranks, workers=run.workers, **facts,
        )  # fmt: skip
        self.validation = [
            ClassBatches(
                self.store, self.held_out[first : first + _BATCH], self.classes, SegmentationChanges.none(),
                batch=len(self.held_out[first : first + _BATCH]), **facts,
            )
            for first in range(0, len(self.held_out), _BATCH)
        ]  # fmt: skip

    def step(self, batch: int, progress: float) -> Tensor:
        """Cross-entropy and Dice of one batch; see `class_loss`."""
        images, cover, known = (each.to(self.device) for each in self.batches.batch(batch))
        entropy, dice = class_loss(self.head(self.encoder(images)), cover, known)
        self.terms = {"cross_entropy": entropy.detach(), "dice": dice.detach()}
        return self.settings.objective.cross_entropy * entropy + self.settings.objective.dice * dice

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW; vectors do not decay, the trunk has a rate of its own."""
        own = self.settings.objective
        groups = group_parameters(
            self.module.named_parameters(),
            weight_decay=own.weight_decay,
            decays=lambda _, parameter: parameter.ndim > 1,
            part=lambda name, _: "trunk" if name.startswith("encoder.trunk.") else "rest",
            rates={"trunk": own.trunk_rate},
        )
        return torch.optim.AdamW(groups, lr=self.settings.length.rate)

    def rate(self, progress: float, step: int) -> float:
        """A linear rise, then a cosine."""
        return self.settings.length.rate * warmup_cosine(step, progress, warmup=self.settings.length.warmup)

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Shortens the gradient."""
        if self.settings.length.clip > 0:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.length.clip)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Dice of held-out patients and their sides, on images without changes."""
        if not self.validation:
            return {}
        self.module.eval()
        scores = EncoderScores(self.classes)
        try:
            for each in self.validation:
                images, cover, known = each.batch(0)
                scores.add(self.head(self.encoder(images.to(self.device))), cover, known)
        finally:
            self.module.train()
        return scores.columns()

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """The whole network; only its image encoder has learned, and the head is gone."""
        own = {
            "objective": "dense classes",
            "classes": len(self.classes),
            "images": len(self.numbers),
            "sources": list(self.settings.data.sources),
            **training,
        }
        save_network(self.network, folder, trained_on={**self.network.trained_on, "encoder": own})

    def close(self) -> None:
        """Let the workers end."""
        if hasattr(self, "batches"):
            self.batches.close()
