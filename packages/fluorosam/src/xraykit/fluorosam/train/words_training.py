"""A whole pre-training of a text encoder: settings in; weights, curve and checkpoint in a folder out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from xraykit.render.extras import require
from xraykit.render.training import TrainingRun, checked_run, fit, prepare_folder

from ..network.network import new_network
from ..network.network_weights import load_network
from .words_settings import TextPretrainSettings
from .words_task import WordsTask
from .words_texts import text_corpus


def pretrain_text(
    settings: TextPretrainSettings,
    *,
    report: Callable[[int, int], None] | None = None,
    begun: float | None = None,
) -> TrainingRun:
    """Teach a network's text encoder which texts ask for the same thing.

    The folder then holds the whole network, of which the text encoder alone has learned: `load_network` reads it, and
    it is a start for other trainings.

    Args:
        settings: See `TextPretrainSettings`.
        report: Told of batches done and their number.
        begun: When the wall-clock budget began (`time.monotonic`); None is now.

    Raises:
        InputError: Settings outside their range, or texts that contradict each other.
        BackendUnavailableError: lightning or tensorboard is not installed.
        FileError: Weights to go on from, or a file of texts, that cannot be used.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite; the checkpoint before it is kept.
    """
    begun = time.monotonic() if begun is None else begun
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-fluorosam", what="pre-training")
    settings = replace(settings, run=checked_run(settings.run))
    own = settings.network
    network = load_network(own.start) if own.start else new_network(own.network, seed=settings.run.seed)
    corpus = text_corpus(settings.corpus, seed=settings.run.seed)
    task = WordsTask(network, settings, corpus)
    prepare_folder(settings.run, settings, command="fluorosam pretrain-text", distribution="xraykit-fluorosam")
    if settings.run.compile:
        task.module.compile()
    return fit(task, settings.run, settings.length, report=report, begun=begun)
