"""A whole pre-training: settings in; a backbone, curves and a checkpoint in a folder out."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial

import torch

from xraykit.render import InputError
from xraykit.render.extras import require
from xraykit.render.training import TrainingRun, completed_run, fit, prepare_folder

from .data.stage_told import StageTold
from .network.backbone import Backbone, new_backbone
from .network.backbone_config import BackboneConfig
from .network.backbone_weights import load_backbone
from .train.branch import Branch
from .train.dino_task import DinoTask
from .train.head_weights import starting_head
from .train.settings import PretrainSettings
from .train.training_frames import find_training_xrays, load_training_data


def pretrain(
    settings: PretrainSettings,
    *,
    report: StageTold | None = None,
    say: Callable[[str], None] | None = None,
    begun: float | None = None,
) -> TrainingRun:
    """Pre-train a backbone without labels and leave weights, checkpoint, curve, settings and report in a folder.

    Args:
        settings: See `PretrainSettings`. With `network.start`, architecture and preprocessing are those of its weights,
            but for the size of the input.
        report: Told of progress.
        say: Called with sentences: what was assumed of the images, a collapse.
        begun: When the wall-clock budget began (`time.monotonic`); None is now.

    Raises:
        InputError: Settings outside their range, no images, fewer images than a batch.
        BackendUnavailableError: lightning or tensorboard is not installed.
        FileError: An image, data set or weights that cannot be used.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite; the checkpoint before it is kept.
    """
    begun = time.monotonic() if begun is None else begun
    check(settings)
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-dax", what="pre-training")
    start = None if settings.network.start is None else load_backbone(settings.network.start)
    settings = completed(settings, start)
    found = find_training_xrays(settings)
    student, teacher = make_branches(settings, start)
    prepare_folder(settings.run, settings, command="dax pretrain", distribution="xraykit-dax")
    data = load_training_data(settings, found, report=report, say=say)
    task = DinoTask(student, teacher, settings, data, say=say)
    if settings.run.compile:
        student.backbone.compile()
        teacher.backbone.compile()
    batches = None if report is None else partial(report, "batches")
    try:
        return fit(task, settings.run, settings.length, report=batches, begun=begun, inputs=data.inputs)
    finally:
        task.close()


def completed(settings: PretrainSettings, start: Backbone | None = None) -> PretrainSettings:
    """The settings with this machine's device, the augmentation's version, and what weights to go on from bring."""
    preprocess, network = settings.preprocess, settings.network
    if start is not None:
        preprocess = replace(start.config.preprocess, size=preprocess.size)
        network = replace(network, architecture=start.config.architecture, channels=start.config.channels)
    preprocess = replace(preprocess, version=settings.crops.augmentation, longest=settings.data.longest)
    return replace(settings, run=completed_run(settings.run), preprocess=preprocess, network=network)


def check(settings: PretrainSettings) -> None:
    """Raise InputError where settings contradict each other or leave their range."""
    own, head = settings.objective, settings.head
    if settings.data.longest < settings.crops.global_size:
        raise InputError(
            f"--longest must be no less than the global crops' {settings.crops.global_size} px, got "
            f"{settings.data.longest}; images would be enlarged."
        )
    shares = {"momentum": own.momentum, "center-momentum": own.center_momentum, "masked-share": own.masked_share}
    shares |= {"teacher-warmup": own.teacher_warmup, "freeze-last-layer": head.freeze_last_layer}
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise InputError(f"--{name} must lie in 0 to 1, got {value}.")
    temperatures = {
        "student-temperature": own.student_temperature,
        "teacher-temperature": own.teacher_temperature,
        "warmup-teacher-temperature": own.warmup_teacher_temperature,
    }
    for name, value in temperatures.items():
        if not value > 0:
            raise InputError(f"--{name} must be above 0, got {value}.")
    if (settings.length.batch or 1) < 2 and (head.batch_norm or own.objective == "dinov2"):
        raise InputError("batch normalisation and KoLeo compare images: --batch must be 2 or more, got 1.")


def make_branches(settings: PretrainSettings, start: Backbone | None = None) -> tuple[Branch, Branch]:
    """Student and teacher, equal but for the student's drop path; of weights to go on from if there are some."""
    own, seed = settings.network, settings.run.seed
    masked = settings.objective.objective == "dinov2"
    config = BackboneConfig(
        own.architecture,
        channels=own.channels,
        image_size=settings.preprocess.size if start is None else start.config.image_size,
        position_resize=own.position_resize if start is None else start.config.position_resize,
        preprocess=settings.preprocess,
    )
    backbone, quiet = new_backbone(config, drop_path=own.drop_path, seed=seed), new_backbone(config, seed=seed)
    if start is not None:
        for each in (backbone, quiet):
            each.load_state_dict(start.state_dict())
    if masked and quiet.patch is None:
        raise InputError(
            f"--objective dinov2 masks patches and needs a vision transformer, got {quiet.config.architecture}; "
            "use --objective dino."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = starting_head(own.start, quiet.dimension, settings.head)
    student = Branch(backbone.train(), head, masked_patches=masked)
    return student, Branch(quiet.train(), deepcopy(head), masked_patches=masked)
