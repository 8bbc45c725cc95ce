"""Learn to classify studies: binary cross entropy, early stopping by the validation's AUROC."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from xraykit.render.training import TrainingTask, warmup_cosine

from ..network.classifier import StudyClassifier
from ..network.classifier_weights import save_classifier
from ..network.guided_encoder import GuidedEncoder
from ..network.optimizer_groups import parameter_groups
from ..scores.study_measures import study_scores
from ..scores.study_rows import StudyRow
from ..studies.study_batches import StudyBatches, StudyMatrices
from ..studies.study_store import StudyStore
from .classify_settings import ClassifySettings
from .finetune_task import keep_statistics

LEAST_GAIN = 1e-4
"""How much better an AUROC must be to count as better"""


class ClassifyTask(TrainingTask):
    """Training of one classifier of studies.

        L = mean over studies of BCE(logit, label)

    The state with the best AUROC on the validation studies is kept, and the training ends when it has not got better
    for `patience` validations.

    Args:
        classifier: Learns.
        settings: Complete.
        store: Prepared studies.
        matrices: Correspondences that guide, None for none.
        fixed_statistics: Batch normalisation normalises by the statistics that it has, as at a start from a matcher;
            else by each batch, and counts its statistics.
    """

    def __init__(
        self,
        classifier: StudyClassifier,
        settings: ClassifySettings,
        store: StudyStore,
        *,
        matrices: StudyMatrices | None = None,
        fixed_statistics: bool = False,
    ) -> None:
        self.classifier, self.settings, self.store = classifier, settings, store
        self.matrices, self.fixed_statistics = matrices, fixed_statistics
        self.module = nn.ModuleDict({"classifier": classifier})
        self.best, self.waited = -math.inf, 0
        self.best_state: dict[str, Tensor] = _copy(classifier)
        self.device = torch.device("cpu")

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """Open this process's share of the studies."""
        own, config = self.settings, self.classifier.config
        self.device = device
        self.batches = StudyBatches(
            self.store,
            self.store.numbers_of("train"),
            own.changes,
            batch=own.length.batch or 1,
            grid=config.matcher.grid,
            matrices=self.matrices,
            single=config.fusion == "single",
            seed=own.run.seed,
            rank=rank,
            ranks=ranks,
        )

    def step(self, batch: int, progress: float) -> Tensor:
        """The loss of one batch of studies."""
        if self.fixed_statistics:
            keep_statistics(self.classifier)
        else:
            self.classifier.train()
        images, present, label, matrices = self.batches.batch(batch)
        guide = None if matrices is None else matrices.to(self.device)
        seen = None if bool(present.all()) else present.to(self.device)
        logit = self.classifier(images.to(self.device), correspondences=guide, present=seen)
        loss = F.binary_cross_entropy_with_logits(logit.float(), label.to(self.device))
        self.terms = {"cross_entropy": loss.detach()}
        return loss

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW; the guidance's weights have a rate of their own and do not decay."""
        own = self.settings.objective
        groups = parameter_groups(
            self.classifier, weight_decay=own.weight_decay, trunk_rate=own.trunk_rate, alpha_rate=own.alpha_rate
        )
        return torch.optim.AdamW(groups, lr=self.settings.length.rate)

    def rate(self, progress: float, step: int) -> float:
        """A linear rise to the peak, then a cosine down to 0."""
        length = self.settings.length
        return length.rate * warmup_cosine(step, progress, warmup=length.warmup)

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Shorten the gradient of all parameters together."""
        if self.settings.length.clip > 0:
            nn.utils.clip_grad_norm_(self.classifier.parameters(), self.settings.length.clip)

    def validate(self) -> dict[str, float]:
        """Scores of the validation studies, and the guidance's weights; remembers the best state."""
        rows = predict_studies(
            self.classifier, self.store, self.store.numbers_of("val"), self.device, matrices=self.matrices
        )
        scores = study_scores(rows)
        if scores.auroc > self.best + LEAST_GAIN:
            self.best, self.waited, self.best_state = scores.auroc, 0, _copy(self.classifier)
        else:
            self.waited += 1
        return {"auroc": scores.auroc, "accuracy": scores.accuracy, "best_auroc": self.best, **alphas(self.classifier)}

    def is_done(self) -> bool:
        """Whether the validation has not got better for long."""
        return self.waited >= self.settings.objective.patience

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """The best classifier so far."""
        best = deepcopy(self.classifier)
        best.load_state_dict(self.best_state)
        learned = {
            "studies": self.settings.data.studies.name,
            "learned_from": len(self.store.numbers_of("train")),
            "before": dict(self.classifier.trained_on),
            "seed": self.settings.run.seed,
            **training,
        }
        save_classifier(best, folder, trained_on=learned)

    def state_dict(self) -> dict[str, Any]:
        """The best state and how long ago it was."""
        return {"best": self.best, "waited": self.waited, "best_state": self.best_state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        self.best, self.waited, self.best_state = state["best"], state["waited"], dict(state["best_state"])


def alphas(classifier: StudyClassifier) -> dict[str, float]:
    """The weight of the guidance in each layer, the mean over heads; empty for an unguided classifier."""
    if not isinstance(classifier.module, GuidedEncoder):
        return {}
    return {f"alpha_{n}": float(value) for n, value in enumerate(classifier.module.alpha.detach().mean(1))}


@torch.no_grad()
def predict_studies(
    classifier: StudyClassifier,
    store: StudyStore,
    numbers: Sequence[int],
    device: torch.device,
    *,
    matrices: StudyMatrices | None = None,
    batch: int = 16,
) -> list[StudyRow]:
    """What a classifier says of studies, in evaluation mode and unchanged; it stays in its mode.

    A classifier of single views looks at each view alone; the first is the study's answer.

    Args:
        classifier: On `device`.
        store: Prepared studies.
        numbers: Which of them.
        device: Where to compute.
        matrices: Correspondences that guide.
        batch: Studies at a time.
    """
    was_training = classifier.training
    classifier.eval()
    rows: list[StudyRow] = []
    single = classifier.config.fusion == "single"
    for first in range(0, len(numbers), batch):
        part = list(numbers[first : first + batch])
        images, present = torch.stack([store.images(n) for n in part]).to(device), store.present[part]
        if single:
            logit = classifier(images.flatten(0, 1)[:, None]).view(present.shape)
        else:
            guide = None if matrices is None else torch.stack([matrices(n) for n in part]).to(device)
            seen = None if bool(present.all()) else present.to(device)
            logit = classifier(images, correspondences=guide, present=seen)[:, None]
        probability = logit.double().sigmoid().cpu()
        for number, row in zip(part, probability, strict=True):
            study = store.studies[number]
            each = tuple(row[store.present[number]].tolist()) if single else ()
            rows.append(StudyRow(study.name, study.patient, study.split, study.label, float(row[0]), each))
    classifier.train(was_training)
    return rows


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
