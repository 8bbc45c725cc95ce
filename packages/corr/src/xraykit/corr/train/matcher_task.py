"""Learn which patches of two views correspond, from pairs whose true correspondence is known."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from xraykit.render.training import TrainingTask, warmup_cosine

from ..loss.correspondence_loss import balancing_weight, match_loss
from ..network.matcher import MatchNetwork
from ..network.matcher_weights import save_matcher
from ..network.optimizer_groups import parameter_groups
from .averaged import AveragedNetwork
from .fixed_pairs import network_scores, prior_scores
from .settings import MatcherSettings
from .training_pairs import TrainingPairs


class MatcherTask(TrainingTask):
    """The training of one matcher.

    Views come in any order, so that it is not learned. Loss and head compute in float32.

    Args:
        network: Learns.
        settings: Complete.
        data: What is learned from, and what is only looked at.
        say: Called with a sentence on how the priors do, once.

    Source: Self-Supervised Multiview X-ray Matching, MICCAI 2025.
    """

    def __init__(
        self,
        network: MatchNetwork,
        settings: MatcherSettings,
        data: TrainingPairs,
        *,
        say: Callable[[str], None] | None = None,
    ) -> None:
        own = settings.objective
        self.settings, self.data, self.network, self.say = settings, data, network, say
        self.averaged = AveragedNetwork(network, own.average) if own.average > 0 else None
        parts: dict[str, nn.Module] = {"network": network}
        self.module = nn.ModuleDict(parts if self.averaged is None else parts | {"averaged": self.averaged})
        self.positive_weight = balancing_weight(data.density) if own.balance else 1.0
        self.rank, self.ranks, self.device = 0, 1, torch.device("cpu")
        self._opened = ExitStack()
        self._pairs, self._since = 0, time.monotonic()
        self._priors: dict[str, float] | None = None

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """Open this process's share of the pairs."""
        self.rank, self.ranks, self.device = rank, ranks, device
        self.batches = self.data.batches(rank, ranks)
        self._opened.callback(self.batches.close)

    def close(self) -> None:
        """Let the workers that make batches end."""
        self._opened.close()

    def step(self, batch: int, progress: float) -> Tensor:
        """The loss of one batch of pairs."""
        own = self.settings.objective
        drawn = self.batches.batch(batch)
        truth = drawn.truth[:, None] if drawn.truth.ndim == 3 else drawn.truth
        if own.target == "shuffled":
            truth = truth.roll(1, dims=0)
        output = self.network(drawn.images.to(self.device))
        self._pairs += truth.shape[0] * truth.shape[1] * self.ranks
        loss = match_loss(output, truth.to(self.device), kind=own.loss, positive_weight=self.positive_weight)
        if output.overlap is None:
            return loss
        together = pairs_of_one_patient(drawn.related, drawn.images.shape[1]).to(self.device, torch.float32)
        weight = own.overlap_weight if own.target == "correspondence" else 0.0
        return loss + weight * binary_cross_entropy_with_logits(output.overlap, together)

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam, or AdamW if there is weight decay, of groups as `parameter_groups` has them."""
        own = self.settings.objective
        groups = parameter_groups(self.network, weight_decay=own.weight_decay, trunk_rate=own.trunk_rate)
        kind = torch.optim.AdamW if own.weight_decay > 0 else torch.optim.Adam
        return kind(groups, lr=self.settings.length.rate)

    def rate(self, progress: float, step: int) -> float:
        """A linear rise to the peak, then a cosine down to the least rate."""
        length, least = self.settings.length, self.settings.objective.least_rate
        share = warmup_cosine(step, progress, warmup=length.warmup)
        return max(length.rate * share, min(least, length.rate))

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Shorten the gradient of all parameters together."""
        if self.settings.length.clip > 0:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.length.clip)

    def after_step(self, progress: float) -> None:
        """Average the weights."""
        if self.averaged is not None:
            self.averaged.follow(self.network)

    def validate(self) -> dict[str, float]:
        """Scores on held-out pairs with those of the priors beside them; speed and memory."""
        if self.rank != 0:
            return {}
        speed = self._pairs / max(time.monotonic() - self._since, 1e-9)
        row: dict[str, float] = {}
        if self.data.held_out is not None:
            if self._priors is None:
                self._priors = prior_scores(self.data.held_out, self.data.mean)
                self._say_priors(self._priors)
            low = "bf16" in str(self.settings.run.precision)
            row = network_scores(self.used, self.data.held_out, self.device, low_precision=low) | self._priors
        self._pairs, self._since = 0, time.monotonic()
        return row | {"pairs_per_s": speed, "peak_gib": _peak_gib(self.device)}

    def _say_priors(self, found: Mapping[str, float]) -> None:
        words = {"mean": "the mean matrix", "mean_thickness": "it where both patches show something"}
        words |= {"pose": "the true poses, which the network is not told"}
        known = [
            f"{text} {found[f'ap_macro_{name}']:.3f}" for name, text in words.items() if f"ap_macro_{name}" in found
        ]
        if self.say is not None and known:
            self.say(f"average precision without looking at anatomy: {'; '.join(known)}")

    @property
    def used(self) -> MatchNetwork:
        """The network for use: the averaged one if there is one."""
        return self.network if self.averaged is None else self.averaged.network  # type: ignore[return-value]

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """The network for use."""
        own = self.settings
        learned = {
            "data": [Path(source).name for source in own.data.sources],  # not whose folders they lie in
            "patients": len(self.data.patients),
            "truth": own.data.truth,
            "tissue": own.data.tissue,
            "target": own.objective.target,
            "loss": own.objective.loss,
            "seed": own.run.seed,
            **training,
        }
        save_matcher(self.used, folder, trained_on=learned)


def pairs_of_one_patient(related: Tensor, views: int) -> Tensor:
    """Whether both views of each pair are of one patient, (B, P) bool; the last view is another's unless `related`.

    Args:
        related: (B,) bool.
        views: V.
    """
    with_last = torch.tensor([b == views - 1 for _, b in combinations(range(views), 2)], device=related.device)
    return related[:, None] | ~with_last


def _peak_gib(device: torch.device) -> float:
    """Most memory so far: of the GPU, or of this process where there is none."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
