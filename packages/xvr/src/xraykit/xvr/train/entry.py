"""A whole training: settings in; weights, curves and a checkpoint in a folder out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from xraykit.render import Volume
from xraykit.render.extras import require
from xraykit.render.storage import finding_sentences, write_settings
from xraykit.render.training import TrainingInputs, TrainingRun, fit, prepare_folder

from ..network.pose_network import PoseNetwork
from ..network.weights import load_network
from .completion import completed
from .detector import chosen_frame
from .poses import chosen_range, start_in_the_middle
from .rendered_patient import RenderedPatient
from .settings import TrainSettings
from .task import PoseTraining
from .training_data import load_training_data

SETTINGS_FILE = "settings.json"


def train_network(
    settings: TrainSettings,
    *,
    report: Callable[[int, int], None] | None = None,
    begun: float | None = None,
    on_read: Callable[[str, Volume | RenderedPatient], None] | None = None,
) -> TrainingRun:
    """Train a pose network and leave weights, checkpoint, curve, settings and report in a folder.

    Args:
        settings: See `TrainSettings`.
        report: Called with (batches done, batches in all).
        begun: When the wall-clock budget began (`time.monotonic`); None is now.
        on_read: Called with the name of each CT that is read and with what knows what was assumed of it and is
            doubtful: the one, or each of many when it comes for the first time.

    Raises:
        InputError: Options outside their range.
        BackendUnavailableError: lightning, tensorboard or kornia is not installed.
        FileError: A CT, data set, checkpoint, camera or warp that cannot be used.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite.
    """
    begun = time.monotonic() if begun is None else begun
    settings = completed(settings)
    for module in ("lightning", "tensorboard", *(("kornia",) if settings.images.augment > 0 else ())):
        require(module, extra="train", distribution="xraykit-xvr")
    origin: dict[str, Any] = {"command": "xvr train", "distribution": "xraykit-xvr"}
    prepare_folder(settings.run, settings, **origin)

    inputs = TrainingInputs()

    def keep(name: str, found: Volume | RenderedPatient) -> None:
        for sentence in finding_sentences({**found.assumptions, **found.doubts}):
            inputs.note(sentence, [name])
        if on_read is not None:
            on_read(name, found)

    def read(volume: Volume) -> None:
        if not settings.run.resume:
            write_settings(settings.run.output / SETTINGS_FILE, settings, found=volume.provenance, **origin)
        keep(str(settings.data.ct), volume)

    def meet(patient: RenderedPatient) -> None:
        inputs.leave_out(patient.left_out)
        keep(patient.name, patient)

    network = _network(settings)
    data = load_training_data(settings, network.frame, on_read=read, meet=meet)
    if settings.network.checkpoint is None:
        start_in_the_middle(network, chosen_range(settings.poses), data.grid, data.warp)
    task = PoseTraining(network, settings, data.source, data.held_out, data.grid, warp=data.warp)
    if settings.run.compile:
        network.backbone.compile()
    inputs.leave_out(data.left_out)
    if settings.data.dataset is not None:
        inputs.note_data_set(settings.data.dataset)
    return fit(task, settings.run, settings.length, report=report, begun=begun, inputs=inputs)


def _network(settings: TrainSettings) -> PoseNetwork:
    torch.manual_seed(settings.run.seed)
    own = settings.network
    if own.checkpoint is not None:
        return load_network(own.checkpoint).train()
    frame = chosen_frame(settings)
    return PoseNetwork(frame, backbone=own.backbone, norm=own.norm or "groupnorm", pretrained=own.pretrained)
