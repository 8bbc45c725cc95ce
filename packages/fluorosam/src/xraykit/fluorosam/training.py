"""The training of a network: settings in; weights, curves and a checkpoint in a folder out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch

from xraykit.render import InputError
from xraykit.render.dataset import XrayDataset
from xraykit.render.extras import require
from xraykit.render.training import (
    TrainingInputs,
    TrainingRun,
    check_positive,
    checked_run,
    fit,
    prepare_folder,
)

from .network.config import NAMED, FluoroSamConfig
from .network.network import SegmentationNetwork, detailed_network, new_network, presence_network
from .network.network_weights import load_network
from .network.resizing import resized_network
from .network.trunk_start import PARTS, fill_encoder, fill_text, fill_trunk
from .train.kept_memory import keep_memory
from .train.segmentation_task import SegmentationTask
from .train.settings import SegmentationNetworkSettings, SegmentationTrainSettings
from .train.training_images import load_training_images

SegmentationTold = Callable[[str, int, int], None]
"""Called with what is being done ("images", "texts", "batches"), how much of it is done, and how much there is."""
TEXTS_OF_CODES = 8192
"""Most texts whose features the codes of a new network start from."""


def train_fluorosam(
    settings: SegmentationTrainSettings,
    *,
    report: SegmentationTold | None = None,
    say: Callable[[str], None] | None = None,
    begun: float | None = None,
) -> TrainingRun:
    """Train a network on data set jobs, and leave weights, checkpoint, curve, settings and report in a folder.

    Args:
        settings: See `SegmentationTrainSettings`. With `network.start`, the network is that of its weights.
        report: Told of progress.
        say: Called with sentences: who is held out, how many texts there are.
        begun: When the wall-clock budget began (`time.monotonic`); None is now.

    Raises:
        InputError: Settings outside their range or that do not go together, a patient in two splits, nothing to ask.
        BackendUnavailableError: lightning or tensorboard is not installed.
        FileError: Data, texts or weights that cannot be used.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite; the checkpoint before it is kept.
    """
    begun = time.monotonic() if begun is None else begun
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-fluorosam", what="training")
    start = None if settings.network.start is None else load_network(settings.network.start)
    settings = replace(settings, run=checked_run(settings.run))
    check_training(settings)
    network = make_network(settings, start)
    prepare_folder(settings.run, settings, command="fluorosam train", distribution="xraykit-fluorosam")
    data = load_training_images(settings, network.config, report=report, say=say)
    if start is None or start.trained_on.keys() <= PARTS:
        texts = {one.text for found in data.texts.values() for one in found if one.split == "train"}
        begin_codes(network, sorted(texts), seed=settings.run.seed)
    if settings.run.device == "cpu":
        keep_memory()
    task = SegmentationTask(network, settings, data)
    if settings.run.compile:
        network.compile()
    batches = None if report is None else partial(report, "batches")
    try:
        inputs = TrainingInputs.of_data_sets(settings.data.sources, data.store.left_out)
        return fit(task, settings.run, settings.length, report=batches, begun=begun, inputs=inputs)
    finally:
        task.close()


def training_config(own: SegmentationNetworkSettings, start: SegmentationNetwork | None = None) -> FluoroSamConfig:
    """What the network will be.

    Raises:
        InputError: No such variant, or a choice that the weights to go on from have made.
    """
    changes = {"quantiser": own.quantiser, "codes": own.codes, "trunk-weights": own.trunk_weights}
    if start is not None:
        if given := [f"--{name}" for name, value in changes.items() if value is not None]:
            raise InputError(f"weights to go on from bring their network along; leave out {given[0]}, or --start.")
        config = start.config
    elif own.variant in NAMED:
        config = NAMED[own.variant]
    else:
        raise InputError(f"--variant must be one of {', '.join(NAMED)}, got {own.variant[:40]!r}.")
    book = replace(config.quantiser, kind=own.quantiser or config.quantiser.kind,
                   codes=own.codes or config.quantiser.codes)  # fmt: skip
    frozen = config.text.frozen if own.text_frozen is None else own.text_frozen
    return replace(config, quantiser=book, text=replace(config.text, frozen=frozen))


def make_network(settings: SegmentationTrainSettings, start: SegmentationNetwork | None = None) -> SegmentationNetwork:
    """A new network, or one with the weights to go on from, in training mode.

    Raises:
        InputError: As `training_config`. FileError: Weights of a part that cannot be used.
    """
    own = settings.network
    network = new_network(training_config(own, start), seed=settings.run.seed)
    if start is not None:
        network.load_state_dict(start.state_dict())
        network.trained_on = dict(start.trained_on)
    if own.detail is not None:
        network = detailed_network(network, own.detail)
    if own.image_size is not None:
        network = resized_network(network, own.image_size)
    if settings.objective.presence_weight > 0:
        network = presence_network(network, seed=settings.run.seed)
    if own.encoder_weights is not None:
        fill_encoder(network, own.encoder_weights)
    # a few images have no statistics that are worth keeping
    network.keeps_statistics = start is not None or own.encoder_weights is not None
    if own.trunk_weights is not None:
        fill_trunk(network, own.trunk_weights)
    if own.text_weights is not None:
        fill_text(network, own.text_weights)
    network.image_encoder.requires_grad_(not own.encoder_frozen)
    if settings.objective.presence_alone and network.presence_head is not None:
        network.requires_grad_(False)
        network.presence_head.requires_grad_(True)
    if own.checkpointing:
        network.image_encoder.trunk.set_grad_checkpointing()
    return network.train()


@torch.no_grad()
def begin_codes(network: SegmentationNetwork, texts: Sequence[str], *, seed: int) -> None:
    """Let codes that nothing has learned with start from the texts that come, by k-means; without codes nothing.

    Args:
        network: Changed in place.
        texts: At most `TEXTS_OF_CODES` of them are read, spread over the list.
        seed: Of the first centres.
    """
    encoder = network.prompt_encoder
    if encoder.vq is None:
        return
    some = list(texts)[:: max(1, -(-len(texts) // TEXTS_OF_CODES))]
    parts = [some[first : first + 512] for first in range(0, len(some), 512)]
    features = torch.cat([encoder.clip_mlp(network.encode_text(part).float()) for part in parts])
    encoder.vq.start_from(features, seed=seed)


def check_training(settings: SegmentationTrainSettings) -> None:
    """Raise InputError where settings contradict each other or leave their range, FileError for what is no data set."""
    data, rounds, own = settings.data, settings.rounds, settings.objective
    if not data.sources:
        raise InputError("a training needs X-rays of a data set job, got none; make one with `xraykit dataset make`.")
    for name, value in (
        ("absent", data.absent), ("held-out-share", data.held_out_share), ("points-alone", rounds.points_alone),
        ("box-alone", rounds.box_alone), ("box-with-text", rounds.box_with_text), ("feedback", rounds.feedback),
        ("corrections", rounds.corrections),
        ("shares of prompts",
         rounds.points_alone + rounds.box_alone + rounds.box_with_text + rounds.corrections),
    ):  # fmt: skip
        if not 0 <= value <= 1:
            raise InputError(f"--{name} must lie in 0 to 1, got {value}.")
    if not 0 < rounds.cells <= 1:
        raise InputError(f"--cells must lie above 0 and up to 1, got {rounds.cells}.")
    if not 0 <= own.average < 1:
        raise InputError(f"--average must lie in 0 to below 1, got {own.average}.")
    check_positive(data, ("prompts", "tools", "held_out_prompts", "texts_per_target"), or_zero=("held_out_images",))
    check_positive(rounds, (), or_zero=("points",))
    weights = (
        "dice_weight",
        "focal_weight",
        "quality_weight",
        "code_weight",
        "presence_weight",
        "renew_every",
        "weight_decay",
        "trunk_rate",
    )
    check_positive(own, (), or_zero=weights)
    if own.presence_alone and own.presence_weight == 0:
        raise InputError("--presence-alone needs a --presence-weight above 0, got 0; leave one of them out.")
    for source in data.sources:
        XrayDataset(source, rank=0, world_size=1)
