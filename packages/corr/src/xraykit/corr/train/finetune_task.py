"""Go on from a matcher with points that people marked: only entries that are known count."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xraykit.render.training import TrainingTask, warmup_cosine

from ..data.annotated_batches import AnnotatedBatches
from ..data.annotated_pairs import AnnotatedPairs, with_random_negatives
from ..loss.correspondence_loss import match_loss
from ..network.matcher import MatchNetwork
from ..network.matcher_weights import save_matcher
from ..scores.annotated_scores import AnnotatedRow, annotated_scores
from .finetune_settings import FinetuneSettings

LEAST_GAIN = 1e-4
"""How much better an average precision must be to count as better"""


class FinetuneTask(TrainingTask):
    """Fine-tuning of one matcher on partial annotations.

        L = match_loss over marked entries + keep mean (C' - C'_start)^2 over all entries

    Batch normalisation keeps its statistics. The state with the best average precision on the validation samples is
    the one that is saved, and the training ends when it has not got better for `patience` validations.

    Args:
        network: Learns.
        settings: Complete.
        learned: Training pairs.
        watched: Validation pairs; None stops at the end of the steps.
        trained_on: What the network had learned from before.

    Source: Self-Supervised Multiview X-ray Matching, MICCAI 2025, section 2 (partial annotations).
    """

    def __init__(
        self,
        network: MatchNetwork,
        settings: FinetuneSettings,
        learned: AnnotatedPairs,
        watched: AnnotatedPairs | None,
        *,
        grid: int,
    ) -> None:
        self.settings, self.network, self.grid = settings, network, grid
        self.watched = watched
        self.before = deepcopy(network).eval().requires_grad_(False) if settings.objective.keep > 0 else None
        self.module = nn.ModuleDict({"network": network})
        self.learned = learned
        self.best, self.waited = -math.inf, 0
        self.best_state: dict[str, Tensor] = _copy(network)
        self.device = torch.device("cpu")

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """Open this process's share of the pairs."""
        own = self.settings
        self.device = device
        if self.before is not None:
            self.before.to(device)
        self.batches = AnnotatedBatches(
            self.learned,
            own.changes,
            batch=own.length.batch or 1,
            grid=self.grid,
            dilate=own.data.dilate,
            random_negatives=own.data.random_negatives,
            seed=own.run.seed,
            rank=rank,
            ranks=ranks,
        )

    def step(self, batch: int, progress: float) -> Tensor:
        """The loss of one batch of pairs."""
        own = self.settings.objective
        keep_statistics(self.network)
        images, truth, weight = (part.to(self.device) for part in self.batches.batch(batch))
        output = self.network(images)
        loss = match_loss(output, truth[:, None], kind=own.loss, mask=weight[:, None], balanced=own.balanced)
        self.terms = {"annotated": loss.detach()}
        if self.before is not None:
            with torch.no_grad():
                first = self.before(images).probability
            kept = (output.probability - first).square().mean()
            self.terms = {**self.terms, "kept": kept.detach()}
            loss = loss + own.keep * kept
        return loss

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW, whose weight decay spares biases and norms."""
        decay = self.settings.objective.weight_decay
        learned = [p for p in self.network.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in learned if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
        ]
        return torch.optim.AdamW([group for group in groups if group["params"]], lr=self.settings.length.rate)

    def rate(self, progress: float, step: int) -> float:
        """A linear rise to the peak, then a cosine down to 0."""
        length = self.settings.length
        return length.rate * warmup_cosine(step, progress, warmup=length.warmup)

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Shorten the gradient of all parameters together."""
        if self.settings.length.clip > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.length.clip)

    def validate(self) -> dict[str, float]:
        """Scores of the validation samples; remembers the best state."""
        if self.watched is None:
            self.best_state = _copy(self.network)
            return {}
        rows = predict_annotated(
            self.network, self.watched, self.grid, self.device, random_negatives=self.settings.data.random_negatives
        )
        scores = annotated_scores(rows)
        if scores.ap > self.best + LEAST_GAIN:
            self.best, self.waited, self.best_state = scores.ap, 0, _copy(self.network)
        else:
            self.waited += 1
        found = {name: getattr(scores, name) for name in ("ap", "chance", "precision", "recall", "mse")}
        return {name: value for name, value in (found | {"best_ap": self.best}).items() if math.isfinite(value)}

    def is_done(self) -> bool:
        """Whether the validation has not got better for long."""
        return self.waited >= self.settings.objective.patience

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """The best network so far."""
        best = deepcopy(self.network)
        best.load_state_dict(self.best_state)
        before = dict(self.network.trained_on)
        learned = {
            "annotations": self.settings.data.annotations.name,
            "pairs": len(self.learned),
            "patients": len(set(self.learned.patients)),
            "before": before,
            "seed": self.settings.run.seed,
            **training,
        }
        save_matcher(best, folder, trained_on=learned)

    def state_dict(self) -> dict[str, Any]:
        """The best state and how long ago it was."""
        return {"best": self.best, "waited": self.waited, "best_state": self.best_state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        self.best, self.waited = state["best"], state["waited"]
        self.best_state = dict(state["best_state"])


def keep_statistics(network: nn.Module) -> None:
    """Training mode, but for batch normalisation, whose statistics are those of many more images."""
    network.train()
    for part in network.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()


@torch.no_grad()
def predict_annotated(
    network: MatchNetwork,
    pairs: AnnotatedPairs | Sequence[Any],
    grid: int,
    device: torch.device,
    *,
    random_negatives: int = 0,
) -> list[AnnotatedRow]:
    """What a matcher says of the marked entries of each pair, in evaluation mode; it stays in its mode.

    Args:
        network: On `device`.
        pairs: `AnnotatedPairs`.
        grid: Patches a side.
        device: Where to compute.
        random_negatives: Pairs with fewer negative entries get random ones, the same at each call.
    """
    was_training = network.training
    network.eval()
    rows = []
    for number, pair in enumerate(pairs):
        targets = pair.targets(grid, dilate=False)
        rng = np.random.default_rng([number, 1])
        targets = with_random_negatives(targets, grid=grid, count=random_negatives, rng=rng)
        probability = network(pair.images[None].to(device)).probability[0, 0].float().cpu().numpy()
        first, second = targets.entries.T
        rows.append(AnnotatedRow(pair.sample, pair.patient, probability[first, second], targets.values))
    network.train(was_training)
    return rows


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
