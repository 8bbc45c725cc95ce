"""One training step: look, guess the pose, compare, learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xraykit.render import InputError, Volume, XraykitError

from ..network.frame import NetworkFrame
from ..network.pose_network import PoseNetwork
from ..network.preprocess import network_input
from .augment import Randomisation, measured
from .loss import double_geodesic, image_loss, masked_mean, soft_dice, soft_mask
from .pictures import Views, line_integrals, organ_lengths
from .rendered_patient import RenderedPatient
from .schedule import Course, rate_factor
from .settings import TrainSettings
from .sources import Source


class TrainingFailedError(XraykitError):
    """The loss or the network's answer is not finite any more."""


class PoseTraining(nn.Module):
    """Teaches a network; `driver` lets Lightning drive it.

    Args:
        network: To be taught.
        settings: Loss, contrast, clipping, rate; complete ones.
        course: How long.
        make_source: The batches of (rank, ranks).
        warp: Template to patient (4, 4) for networks in a template frame.
    """

    def __init__(
        self,
        network: PoseNetwork,
        settings: TrainSettings,
        course: Course,
        make_source: Callable[[int, int], Source],
        *,
        warp: Tensor | None,
    ) -> None:
        super().__init__()
        self.network, self.settings, self.course, self.warp = network, settings, course, warp
        self.make_source = make_source
        self.randomise = Randomisation(settings.augment)
        self.rank, self.done, self.progress = 0, 0, 0.0
        self.terms: dict[str, Tensor] = {}
        self._source: Source | None = None
        self._source_state: dict[str, Any] = {}

    @property
    def frame(self) -> NetworkFrame:
        """What the network's numbers mean."""
        return self.network.frame

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.xyz_regression.weight.device

    def open_source(self, rank: int, ranks: int) -> None:
        """Open the source of batches, each rank its own."""
        self.rank, self._source = rank, self.make_source(rank, ranks)
        if self._source_state:
            self._source.load_state_dict(self._source_state)

    @property
    def _with_images(self) -> bool:
        """Whether the image and Dice terms have joined."""
        begin = self.settings.image_loss_from
        return begin is not None and begin < 1 and self.progress >= begin

    @property
    def source(self) -> Source:
        """Where batches come from, once the training is set up."""
        if self._source is None:
            raise InputError("a training needs its source of batches; call open_source first.")
        return self._source

    def step(self) -> Tensor:
        """The loss of batch number `done`; everything random in it follows from seed, rank and that number."""
        cuda = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=cuda), torch.autocast(self.device.type, enabled=False):
            torch.manual_seed(step_seed(self.settings.seed, self.rank, self.done))
            with_images = self._with_images
            views, patient = self.source.views(self.done, self.device, with_organs=with_images)
            shown = network_input(self.randomise(self._exposed(views.image)), self.frame)
            pose = self._predicted(shown, self.source.grid)
            self.terms = self._losses(pose, views, patient if with_images else None)
        self.done += 1
        loss = self.terms["loss"]
        if not bool(torch.isfinite(loss)):
            self._fail("loss", f"{float(loss.detach())}")
        return loss

    def predict(self, shown: Tensor, grid: Volume) -> Tensor:
        """camera_to_world (B, 4, 4) for network inputs (B, 1, H, W) of the patient on `grid`, in full precision."""
        self.network.eval()
        pose = self._predicted(shown.to(self.device), grid)
        self.network.train()
        return pose

    def _exposed(self, image: Tensor) -> Tensor:
        return measured(image, self.frame.camera()) if self.settings.physics else image

    def _predicted(self, shown: Tensor, grid: Volume) -> Tensor:
        precision = self.settings.precision or "32-true"
        mixed = precision.endswith("mixed") and self.network.training
        dtype = torch.float16 if precision.startswith("16") else torch.bfloat16
        with torch.autocast(self.device.type, dtype=dtype, enabled=mixed):
            rotation, translation = self.network.numbers(shown)
        if not bool(torch.isfinite(rotation).all() & torch.isfinite(translation).all()):
            self._fail("predicted pose", "NaN or infinity")
        extrinsic = self.frame.extrinsic(rotation, translation)
        return self.frame.to_world(extrinsic, grid, warp=self.warp)

    def _losses(self, pose: Tensor, views: Views, patient: RenderedPatient | None) -> dict[str, Tensor]:
        s, truth = self.settings, views.pose.to(pose)
        isocenter = self.source.grid.center
        distance = double_geodesic(pose, truth, isocenter=isocenter, sdd=self.frame.sdd)
        terms = {"pose_mm": masked_mean(distance, views.kept)}
        total = s.weight_pose * terms["pose_mm"]
        if patient is not None and views.multiplier is not None:
            camera = self.frame.camera()
            again = network_input(line_integrals(patient, camera, pose, views.multiplier), self.frame)
            unlike = image_loss(network_input(views.image, self.frame), again)
            terms["image"] = masked_mean(unlike, views.kept)
            total = total + s.weight_image * terms["image"]
            found = organ_lengths(patient, camera, pose)
            if found is not None and views.organs is not None:
                terms["dice"] = masked_mean(soft_dice(soft_mask(views.organs), soft_mask(found)), views.kept)
                total = total + s.weight_dice * terms["dice"]
        return {**{name: value.detach() for name, value in terms.items()}, "loss": total}

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam; its rate is set before each step."""
        # A fused step would unscale half-precision gradients by itself, after the clipping.
        fused = not str(self.settings.precision).startswith("16")
        return torch.optim.Adam(self.network.parameters(), lr=self.settings.rate, fused=fused)

    def clip_gradients(self) -> None:
        """Adaptive clipping: no gradient of a unit is longer than `clip` times its weights."""
        if self.settings.clip > 0:
            from timm.utils.agc import adaptive_clip_grad

            adaptive_clip_grad(self.network.parameters(), clip_factor=self.settings.clip)

    def rate(self, optimizer_step: int) -> float:
        """The rate that is due after so many optimiser steps."""
        return self.settings.rate * rate_factor(optimizer_step, self.progress, warmup=self.settings.warmup)

    def position(self) -> dict[str, Any]:
        """How far it is, beside weights and optimiser."""
        told = {"done": self.done, "progress": self.progress, "elapsed": self.course.elapsed}
        return {**told, "source": self.source.state_dict()}

    def go_on_at(self, position: dict[str, Any]) -> None:
        """Go on where `position` was told."""
        self.done, self.progress, self._source_state = position["done"], position["progress"], position["source"]
        self.course.resume_at(position["elapsed"])
        if self._source is not None:
            self._source.load_state_dict(self._source_state)

    def _fail(self, what: str, value: str) -> None:
        raise TrainingFailedError(
            f"the {what} must stay finite, got {value} in batch {self.done}; train again with a lower --rate, or with "
            "--precision 32-true."
        )


def step_seed(seed: int, rank: int, step: int) -> int:
    """The seed of everything random in one batch."""
    return int(np.random.SeedSequence((seed, rank, step)).generate_state(1)[0])
