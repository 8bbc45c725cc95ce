"""The training of a pose network: look, guess the pose, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render import InputError, Volume
from xraykit.render.training import TrainingFailedError, TrainingTask, clip_adaptively, warmup_cosine

from ..network.frame import NetworkFrame
from ..network.pose_network import PoseNetwork
from ..network.preprocess import network_input
from ..network.weights import save_network
from .augment import Randomisation, measured
from .loss import double_geodesic, image_loss, masked_mean, soft_dice, soft_mask
from .rendered_patient import RenderedPatient
from .rendered_views import Views, line_integrals, organ_lengths
from .settings import TrainSettings
from .sources import ViewSource
from .validation import HeldOut, errors, inputs


class PoseTraining(TrainingTask):
    """Teaches a network the poses of views.

    Args:
        network: To be trained.
        settings: Loss, contrast, clipping, rate; complete ones.
        make_source: The batches of (rank, ranks).
        held_out: Views for the validation.
        grid: The CT that their poses refer to.
        warp: Template to patient (4, 4) for networks in a template frame.
    """

    def __init__(
        self,
        network: PoseNetwork,
        settings: TrainSettings,
        make_source: Callable[[int, int], ViewSource],
        held_out: HeldOut,
        grid: Volume,
        *,
        warp: Tensor | None,
    ) -> None:
        self.network, self.settings, self.warp = network, settings, warp
        self.make_source, self.held_out, self.grid = make_source, held_out, grid
        self.randomise = Randomisation(settings.images.augment)
        self.module = nn.ModuleDict({"network": network, "randomise": self.randomise})
        self.frame: NetworkFrame = network.frame
        self._source: ViewSource | None = None
        self._shown: Tensor | None = None
        self._batches = 0

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.xyz_regression.weight.device

    @property
    def source(self) -> ViewSource:
        """Where batches come from, once the training is set up."""
        if self._source is None:
            raise InputError("a training needs its source of batches; call open first.")
        return self._source

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """Open the source of batches, each rank its own."""
        self._source = self.make_source(rank, ranks)

    def step(self, batch: int, progress: float) -> Tensor:
        """The loss of one batch of views."""
        begin = self.settings.loss.image_loss_from
        with_images = begin is not None and begin < 1 and progress >= begin
        self._batches = batch
        with torch.autocast(self.device.type, enabled=False):
            views, patient = self.source.views(batch, self.device, with_organs=with_images)
            shown = network_input(self.randomise(self._exposed(views.image)), self.frame)
            pose = self._predicted(shown, self.source.grid)
            loss, self.terms = self._losses(pose, views, patient if with_images else None)
        self._batches += 1
        return loss

    def predict(self, shown: Tensor, grid: Volume) -> Tensor:
        """camera_to_world (B, 4, 4) for network inputs (B, 1, H, W) of the patient on `grid`, in full precision."""
        self.network.eval()
        pose = self._predicted(shown.to(self.device), grid)
        self.network.train()
        return pose

    def optimizer(self) -> torch.optim.Optimizer:
        """Adam; its rate is set before each step."""
        # A fused step would unscale half-precision gradients by itself, after the clipping.
        fused = not str(self.settings.run.precision).startswith("16")
        return torch.optim.Adam(self.network.parameters(), lr=self.settings.length.rate, fused=fused)

    def rate(self, progress: float, step: int) -> float:
        """Warm-up, then a cosine down to 0."""
        length = self.settings.length
        return length.rate * warmup_cosine(step, progress, warmup=length.warmup)

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Adaptive clipping: no gradient of a unit is longer than `clip` times its weights."""
        clip_adaptively(self.network.parameters(), self.settings.length.clip)

    def validate(self) -> dict[str, float]:
        """Quantiles of the errors on held-out views, see `errors`."""
        if self._shown is None:
            self._shown = inputs(self.held_out, self.frame)
        return errors(self.held_out, lambda shown: self.predict(shown, self.grid), self._shown)

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """The network's weights, with what it learned before and now."""
        save_network(self.network, folder, training={**self.network.provenance, **training})

    def state_dict(self) -> dict[str, Any]:
        """Where the source of batches is."""
        return {"source": self.source.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        self.source.load_state_dict(state["source"])

    def _exposed(self, image: Tensor) -> Tensor:
        return measured(image, self.frame.camera()) if self.settings.images.physics else image

    def _predicted(self, shown: Tensor, grid: Volume) -> Tensor:
        precision = self.settings.run.precision or "32-true"
        mixed = precision.endswith("mixed") and self.network.training
        dtype = torch.float16 if precision.startswith("16") else torch.bfloat16
        with torch.autocast(self.device.type, dtype=dtype, enabled=mixed):
            rotation, translation = self.network.numbers(shown)
        if not bool(torch.isfinite(rotation).all() & torch.isfinite(translation).all()):
            raise TrainingFailedError.of("predicted pose", "NaN or infinity", self._batches)
        extrinsic = self.frame.extrinsic(rotation, translation)
        return self.frame.to_world(extrinsic, grid, warp=self.warp)

    def _losses(self, pose: Tensor, views: Views, patient: RenderedPatient | None) -> tuple[Tensor, dict[str, Tensor]]:
        weights, truth = self.settings.loss, views.pose.to(pose)
        isocenter = self.source.grid.center
        distance = double_geodesic(pose, truth, isocenter=isocenter, sdd=self.frame.sdd)
        terms = {"pose_mm": masked_mean(distance, views.kept)}
        total = weights.weight_pose * terms["pose_mm"]
        if patient is not None and views.multiplier is not None:
            camera = self.frame.camera()
            again = network_input(line_integrals(patient, camera, pose, views.multiplier), self.frame)
            unlike = image_loss(network_input(views.image, self.frame), again)
            terms["image"] = masked_mean(unlike, views.kept)
            total = total + weights.weight_image * terms["image"]
            found = organ_lengths(patient, camera, pose)
            if found is not None and views.organs is not None:
                terms["dice"] = masked_mean(soft_dice(soft_mask(views.organs), soft_mask(found)), views.kept)
                total = total + weights.weight_dice * terms["dice"]
        return total, {name: value.detach() for name, value in terms.items()}
