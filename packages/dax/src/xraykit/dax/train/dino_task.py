"""Self-distillation without labels: a student learns to say of small crops what its own average says of large ones."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render.training import Schedule, TrainingTask, warmup_cosine

from ..data.crop_batches import CropBatches
from ..loss.center import Center
from ..loss.dino import dino_loss, view_statistics
from ..network.backbone_weights import save_backbone
from .batch_norm import synchronise
from .branch import Branch
from .collapse import CollapseWatch
from .head_weights import save_head
from .masked_objective import MaskedObjective
from .optimizers import clip_each, freeze_last_layer, make_optimizer, set_weight_decay
from .settings import PretrainSettings
from .teacher import start_teacher, update_teacher
from .training_frames import TrainingFrames

REFERENCE_BATCH = 256
LOOKED_AT = 8  # images whose entropies are computed in each batch


class DinoTask(TrainingTask):
    """The pre-training of one backbone.

    The teacher's parameters are the average of the student's, and it stays in training mode: the statistics of its
    batch normalisations are those of its own passes. Its centre, the prototypes' frozen time, the schedules of rate,
    weight decay, teacher temperature and momentum follow the progress of the training.

    Args:
        student: Backbone, head and mask token.
        teacher: Built alike, without drop path; begins as the student is, and gets no gradient.
        settings: Complete.
        data: What is learned from, and what is only looked at.
        say: Called with a sentence when the training collapses.

    Source: Caron et al., Emerging properties in self-supervised vision transformers, 2021; with "dinov2" the masked
        patches of Zhou et al., iBOT, 2022, and KoLeo and Sinkhorn centring as in Oquab et al., DINOv2, 2023.
    """

    def __init__(
        self,
        student: Branch,
        teacher: Branch,
        settings: PretrainSettings,
        data: TrainingFrames,
        *,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.settings, self.data, self.say = settings, data, say
        start_teacher(teacher, student)
        self.student, self.teacher = student, teacher
        self.center = Center(settings.head.outputs, momentum=settings.objective.center_momentum)
        self.module = nn.ModuleDict({"student": student, "teacher": teacher, "center": self.center})
        self.masking = MaskedObjective(settings) if settings.objective.objective == "dinov2" else None
        self.collapse = CollapseWatch(settings.head.outputs)
        self.rank, self.ranks, self.device = 0, 1, torch.device("cpu")
        self._opened = ExitStack()
        self._images, self._since, self._progress = 0, time.monotonic(), 0.0
        self._seen: dict[str, list[Tensor]] = {}
        self._mean: Tensor | None = None
        self._indices = torch.empty(0, dtype=torch.int64)

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """Open this process's share of the crops; synchronise batch normalisation over several processes."""
        self.rank, self.ranks, self.device = rank, ranks, device
        own = self.settings
        if ranks > 1:
            synchronise(self.module, device.type)
        self.batches = CropBatches(
            self.data.store,
            own.crops,
            batch=own.length.batch or 1,
            seed=own.run.seed,
            rank=rank,
            ranks=ranks,
            workers=own.run.workers,
            device=device,
            preprocess=own.preprocess,
            chosen=self.data.learned,
        )
        self._opened.callback(self.batches.close)

    def close(self) -> None:
        """End the workers that make crops, if there are any."""
        self._opened.close()

    def step(self, batch: int, progress: float) -> Tensor:
        """The loss of one batch of crops."""
        own = self.settings.objective
        made = self.batches.batch(batch)
        self._indices = made.indices
        crops = [self._channels(crop) for crop in made.crops]
        hidden = None if self.masking is None else self.masking.draw(self.student.backbone, crops)
        with torch.no_grad():
            taught = self.teacher(crops[:2], patches_of=hidden)
        told = self.student(crops, masked=hidden, patches_of=hidden)
        temperature = self._teacher_temperature(progress)
        if self.masking is None or hidden is None:
            targets = self.center.probabilities(taught.logits.chunk(2), temperature)
            loss = dino_loss(told.logits, targets, temperature=own.student_temperature)
            self.center.update(taught.logits)
            terms: dict[str, Tensor] = {}
        else:
            loss, targets, terms = self.masking.loss(told, taught, hidden, temperature)
        views = told.logits.unflatten(0, (-1, len(crops[0])))[:, :LOOKED_AT]
        few = [view[:LOOKED_AT] for view in targets]
        self.terms = view_statistics(views, few, temperature=own.student_temperature) | terms
        self._remember({**self.terms, "loss": terms.get("loss_crops", loss.detach())}, targets)
        self._images += len(crops[0]) * self.ranks
        return loss

    def batch_names(self) -> list[str]:
        """Names of the last batch's images."""
        return [self.data.store.names[number] for number in self._indices.tolist()]

    def optimizer(self) -> torch.optim.Optimizer:
        """Of the student alone."""
        own = self.settings.optimizer
        return make_optimizer(own.optimizer, self.student, rate=own.least_rate, weight_decay=own.weight_decay)

    def rate(self, progress: float, step: int) -> float:
        """Rise to the peak of this batch size, then a cosine down to the least rate."""
        length = self.settings.length
        images = (length.batch or 1) * self.ranks * length.accumulate
        least = self.settings.optimizer.least_rate
        peak = max(length.rate * images / REFERENCE_BATCH, least)
        share = warmup_cosine(step, progress, warmup=length.warmup)
        rising = step < length.warmup
        return peak * share if rising else least + (peak - least) * share

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Clip, keep the prototypes frozen at first, and set the weight decay that is due."""
        own = self.settings
        clip_each(self.student.parameters(), own.length.clip)
        if progress < own.head.freeze_last_layer:
            freeze_last_layer(self.student.head)
        decay = Schedule(own.optimizer.weight_decay, own.optimizer.weight_decay_end, "cosine")
        set_weight_decay(optimizer, decay(progress))
        self._progress = progress

    def after_step(self, progress: float) -> None:
        """Move the teacher towards the student."""
        momentum = Schedule(self.settings.objective.momentum, 1.0, "cosine")(progress)
        update_teacher(self.teacher, self.student, momentum)

    def validate(self) -> dict[str, float]:
        """k-NN accuracy of the teacher's features, speed and memory; says so when the training collapses."""
        if self.rank != 0:
            return {}
        now = time.monotonic()
        row = {"images_per_s": self._images / max(now - self._since, 1e-9), "peak_gib": _peak_gib(self.device)}
        if self.data.watched is not None:
            low = "bf16" in str(self.settings.run.precision)
            backbone = self.teacher.backbone
            row |= self.data.watched.accuracy(backbone, self.device, self._channels, low_precision=low)
        sentence = self._collapse_sentence()
        if sentence is not None and self.say is not None:
            self.say(sentence)
        self._seen, self._mean, self._images, self._since = {}, None, 0, time.monotonic()
        return row

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """The teacher's backbone for use, and both heads to go on from."""
        own = self.settings
        learned = {
            "data": [Path(source).name for source in own.data.sources],  # not whose folders they lie in
            "images": len(self.data.learned),
            "objective": own.objective.objective,
            "augmentation": own.crops.augmentation,
            "seed": own.run.seed,
            **training,
        }
        save_backbone(self.teacher.backbone, folder, trained_on=learned)
        save_head(self.teacher.head, folder / "head", own.head)

    def state_dict(self) -> dict[str, Any]:
        """What the watch for collapse has seen."""
        return {"collapse": self.collapse.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there; crops follow from the batch's number."""
        self.collapse.load_state_dict(state["collapse"])

    def _teacher_temperature(self, progress: float) -> float:
        own = self.settings.objective
        if own.teacher_warmup <= 0:
            return own.teacher_temperature
        start = own.warmup_teacher_temperature
        return Schedule(start, own.teacher_temperature, "linear", until=min(own.teacher_warmup, 1.0))(progress)

    def _channels(self, images: Tensor) -> Tensor:
        """One channel travels; a network of three gets it three times."""
        return images.expand(-1, self.settings.network.channels, -1, -1)

    def _remember(self, terms: Mapping[str, Tensor], targets: Sequence[Tensor]) -> None:
        for name, value in terms.items():
            self._seen.setdefault(name, []).append(value.detach())
        mean = torch.stack([view.mean(0) for view in targets]).mean(0)
        self._mean = mean if self._mean is None else self._mean + mean

    def _collapse_sentence(self) -> str | None:
        """What the batches since the last validation say of a collapse."""
        means = {name: float(torch.stack(values).mean()) for name, values in self._seen.items()}
        if not means or self._mean is None:
            return None
        shares = (self._mean / self._mean.sum()).clamp_min(1e-10)
        spread = float(-(shares * shares.log()).sum())
        return self.collapse.observe(self._progress, means, batch_entropy=spread)


def _peak_gib(device: torch.device) -> float:
    """Most memory so far: of the GPU, or of this process where there is none."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
