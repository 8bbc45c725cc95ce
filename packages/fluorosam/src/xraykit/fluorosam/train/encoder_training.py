"""A whole pre-training of an image encoder: settings in; weights, curve and checkpoint in a folder out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from xraykit.render import InputError
from xraykit.render.extras import require
from xraykit.render.training import TrainingInputs, TrainingRun, checked_run, fit, prepare_folder

from ..network.network import SegmentationNetwork, new_network
from ..network.network_weights import load_network
from ..network.resizing import resized_network
from ..network.trunk_start import fill_trunk
from .encoder_settings import EncoderPretrainSettings
from .encoder_task import EncoderTask
from .training_images import prepared_images, split_images


def pretrain(
    settings: EncoderPretrainSettings,
    *,
    report: Callable[[str, int, int], None] | None = None,
    begun: float | None = None,
) -> TrainingRun:
    """Teach a network's image encoder where a few classes lie, before words and points are asked of it.

    The folder then holds the whole network, of which the image encoder alone has learned: `load_network` reads it, and
    it is a start for the training with prompts.

    Args:
        settings: See `EncoderPretrainSettings`.
        report: Told of a stage ("images" prepared, "batches") and of its progress.
        begun: When the wall-clock budget began (`time.monotonic`); None is now.

    Raises:
        InputError: Settings outside their range, or no images.
        BackendUnavailableError: lightning or tensorboard is not installed.
        FileError: A data set or weights that cannot be used.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite; the checkpoint before it is kept.
    """
    begun = time.monotonic() if begun is None else begun
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-fluorosam", what="pre-training")
    if not 0 <= settings.data.held_out_share < 1:
        raise InputError(f"--held-out-share must be from 0 to below 1, got {settings.data.held_out_share}.")
    if settings.objective.detail not in (1, 2):
        raise InputError(f"--detail must be 1 or 2, got {settings.objective.detail}.")
    settings = replace(settings, run=checked_run(settings.run))
    network = _network(settings)
    prepare_folder(settings.run, settings, command="fluorosam pretrain", distribution="xraykit-fluorosam")
    store = prepared_images(settings.data, network.config, settings.run.output, report)
    learned, held_out = split_images(store, settings.data.held_out_share)
    task = EncoderTask(network, settings, store, learned, evenly(held_out, settings.data.held_out_images))
    if settings.run.compile:
        network.image_encoder.compile()
    batches = None if report is None else partial(report, "batches")
    try:
        inputs = TrainingInputs.of_data_sets(settings.data.sources, store.left_out)
        return fit(task, settings.run, settings.length, report=batches, begun=begun, inputs=inputs)
    finally:
        task.close()


def evenly(numbers: Sequence[int], count: int) -> list[int]:
    """So many of some numbers, from the first to the last at equal distances; all if there are fewer."""
    if count >= len(numbers):
        return list(numbers)
    return [numbers[round(place * (len(numbers) - 1) / max(count - 1, 1))] for place in range(count)]


def _network(settings: EncoderPretrainSettings) -> SegmentationNetwork:
    own = settings.network
    network = load_network(own.start) if own.start else new_network(own.variant, seed=settings.run.seed)
    if own.image_size is not None:
        network = resized_network(network, own.image_size)
    return fill_trunk(network, own.trunk_weights) if own.trunk_weights else network
