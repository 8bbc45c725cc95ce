"""Learn to find what words, points, boxes and masks ask for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from xraykit.render.seeds import step_seed
from xraykit.render.training import TrainingTask, group_parameters, warmup_cosine

from ..network.network import SegmentationNetwork
from ..network.network_weights import save_network
from ..predictor.calibrated_confidence import KEY, ConfidenceMap, confidence_map
from .confidence import fit_calibration, fit_presence, fit_visible
from .held_out_prompts import Answers, held_out_answers, held_out_scores
from .prompt_rounds import draw_rounds, prompt_round_loss
from .settings import SegmentationTrainSettings
from .text_features import TextFeatures
from .training_images import TrainingImages

FIRST_RATE = 0.01
"""Share of the peak rate that the schedule of steps rises from."""
KINDS_OF_CONFIDENCE = ("text", "points_2", "points_8", "box")
HIT = 0.1
"""Least intersection over union of an answer that found what it was asked for."""


class SegmentationTask(TrainingTask):
    """The training of one network by the regime of `prompt_round_loss`.

    Parameters that a step has no use for (of boxes, points, codes, the single mask) get a gradient of zero where
    several processes train and wait for each other's, so `--strategy ddp` needs no search for unused ones. Codes that
    no text uses are renewed now and then, by the first process for all.

    Args:
        network: Learns.
        settings: Complete.
        data: What is learned from, and what is only looked at.

    Source: FluoroSAM (Killeen et al., MICCAI 2025).
    """

    def __init__(self, network: SegmentationNetwork, settings: SegmentationTrainSettings, data: TrainingImages) -> None:
        own = settings.objective
        self.settings, self.data, self.network = settings, data, network
        self.averaged = None
        if own.average > 0:
            self.averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(own.average))
            self.averaged.requires_grad_(False)
        parts: dict[str, nn.Module] = {"network": network}
        self.module = nn.ModuleDict(parts if self.averaged is None else parts | {"averaged": self.averaged})
        self.rank, self.ranks, self.device = 0, 1, torch.device("cpu")
        self.calibration = ConfidenceMap()
        self._features = TextFeatures(network)
        self._texts: Tensor | None = None
        self._steps = 0
        self._opened = ExitStack()
        self._images, self._since = 0, time.monotonic()

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """Open this process's share of the images."""
        self.rank, self.ranks, self.device = rank, ranks, device
        self.batches = self.data.batches(rank, ranks)
        self._opened.callback(self.batches.close)

    def close(self) -> None:
        """Let the workers that make batches end."""
        self._opened.close()

    def step(self, batch: int, progress: float) -> Tensor:
        """The loss of one batch of images with their prompts."""
        drawn = self.batches.batch(batch)
        names = ("images", "masks", "absent", "shown")
        drawn = drawn._replace(**{name: getattr(drawn, name).to(self.device) for name in names})
        generator = torch.Generator().manual_seed(step_seed(self.settings.run.seed, self.rank, batch))
        draws = draw_rounds(drawn.absent, self.settings.rounds, generator, grid=self.network.config.grid)
        features = self._features(drawn.texts)
        self._texts = features.detach().flatten(0, 1)
        loss, self.terms = prompt_round_loss(self.network, drawn, features, draws, self.settings.objective)
        self._images += len(drawn.images) * self.ranks
        return loss if self.ranks == 1 else loss + self._nothing()

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW; vectors, norms, embeddings and codes do not decay."""
        own = self.settings.objective
        groups = group_parameters(
            self.network.named_parameters(),
            weight_decay=own.weight_decay,
            decays=lambda name, parameter: parameter.ndim > 1 and "embed" not in name,
            part=lambda name, _: "trunk" if name.startswith("image_encoder.trunk.") else "rest",
            rates={"trunk": own.trunk_rate},
        )
        return torch.optim.AdamW(groups, lr=self.settings.length.rate)

    def rate(self, progress: float, step: int) -> float:
        """A linear rise to the peak, then a cosine to zero, or tenths at the steps that the settings name."""
        length, own = self.settings.length, self.settings.objective
        if own.schedule == "cosine":
            return length.rate * warmup_cosine(step, progress, warmup=length.warmup)
        rise = min(1.0, step / length.warmup) if length.warmup else 1.0
        share = FIRST_RATE + (1 - FIRST_RATE) * rise
        return length.rate * share * 0.1 ** sum(step >= drop for drop in own.drops)

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Shorten the gradient of all parameters together."""
        self._steps = step + 1
        if self.settings.length.clip > 0:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.length.clip)

    def after_step(self, progress: float) -> None:
        """Average the weights, and give codes that no text uses to texts of this batch."""
        if self.averaged is not None:
            self.averaged.update_parameters(self.network)
        own = self.settings.objective
        every = 0 if own.presence_alone else own.renew_every
        if every and self._steps % every == 0:
            self._renew_codes()

    def validate(self) -> dict[str, float]:
        """Scores on held-out patients by kind of prompt, use of the codebook, speed."""
        if self.rank != 0:
            return {}
        row = {"images_per_s": self._images / max(time.monotonic() - self._since, 1e-9)}
        if (quantiser := self.network.prompt_encoder.vq) is not None:
            row["codes_used"] = float((quantiser.usage >= 0.01).float().mean())
        if self.data.held_out is not None:
            low = "bf16" in str(self.settings.run.precision)
            found = held_out_answers(self.used, self.data.held_out, self.device, low_precision=low)
            self.calibration = calibration_of(found)
            row |= held_out_scores(found, self.calibration)
        self._images, self._since = 0, time.monotonic()
        return row

    @property
    def used(self) -> SegmentationNetwork:
        """The network for use: the averaged one if there is one."""
        return self.network if self.averaged is None else self.averaged.module  # type: ignore[return-value]

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """The network for use, with the calibration of its confidence and what its start had learned from."""
        own, start = self.settings, self.network.trained_on
        before = {name: value for name, value in start.items() if name not in (KEY, "errors")}
        learned = {
            "data": [Path(source).name for source in own.data.sources],  # not whose folders they lie in
            "images": len(self.data.numbers),
            "seed": own.run.seed,
            KEY: self.calibration.plain(),
            **training,
            **({"before": before} if before else {}),
        }
        save_network(self.used, folder, trained_on=learned)

    def state_dict(self) -> dict[str, Any]:
        """The calibration, for weights that are saved between validations."""
        return {KEY: self.calibration.plain()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        self.calibration = confidence_map(state)

    def _nothing(self) -> Tensor:
        """Zero, with a gradient of zero for every parameter that learns."""
        return torch.stack([each.sum() * 0.0 for each in self.network.parameters() if each.requires_grad]).sum()

    @torch.no_grad()
    def _renew_codes(self) -> None:
        encoder = self.network.prompt_encoder
        if encoder.vq is None or self._texts is None:
            return
        encoder.vq.renew_dead_codes(encoder.clip_mlp(self._texts.float()), seed=self._steps)
        if self.ranks > 1:
            for value in (encoder.vq._codebook.embed, encoder.vq._codebook.cluster_size):
                torch.distributed.broadcast(value, 0)


def calibration_of(found: Mapping[str, Answers]) -> ConfidenceMap:
    """The line by answers of all kinds; thresholds by words alone, that of the line without answers that miss all."""
    text = found["text"]
    kinds = [found[kind] for kind in KINDS_OF_CONFIDENCE if kind in found]
    quality = [one.of("quality") for one in kinds] + [text.of("quality", absent=True)]
    iou = [one.of("iou") for one in kinds] + [text.of("iou", absent=True)]
    line = fit_calibration(torch.cat(quality), torch.cat(iou))
    hit = text.of("iou") >= HIT
    line = fit_visible(line, text.of("quality")[hit], text.of("quality", absent=True))
    return fit_presence(line, text.of("presence"), text.of("presence", absent=True))
