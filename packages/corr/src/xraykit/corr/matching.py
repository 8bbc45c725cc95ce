"""The training of a matcher: settings in; weights, curves and a checkpoint in a folder out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import get_args

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

from .data.pair_preparation import job_of
from .network.build import new_matcher
from .network.calibration import calibrate_head
from .network.matcher import MatchNetwork
from .network.matcher_config import NAMED, MatcherConfig
from .network.matcher_weights import load_matcher
from .network.trunk_weights import fill_trunk
from .train.matcher_task import MatcherTask
from .train.settings import MatcherNetworkSettings, MatcherSettings, MatchTarget
from .train.thickness_task import ThicknessTask
from .train.training_pairs import TrainingPairs, input_settings, load_training_pairs, pair_settings

MatchingTold = Callable[[str, int, int], None]
"""Called with what is being done ("images", "batches"), how much of it is done, and how much there is."""
LEAST_DENSITY, MOST_DENSITY = 1e-4, 0.5


def train_matcher(
    settings: MatcherSettings,
    *,
    report: MatchingTold | None = None,
    say: Callable[[str], None] | None = None,
    begun: float | None = None,
) -> TrainingRun:
    """Train a matcher on data set jobs, and leave weights, checkpoint, curve, settings and report in a folder.

    Args:
        settings: See `MatcherSettings`. With `network.start`, the network is that of its weights.
        report: Told of progress.
        say: Called with sentences: who is held out, how the priors do.
        begun: When the wall-clock budget began (`time.monotonic`); None is now.

    Raises:
        InputError: Settings outside their range or that do not go together, patients with one view only, a patient in
            two splits, fewer patients than are needed.
        BackendUnavailableError: lightning or tensorboard is not installed.
        FileError: A data set without tissue, or weights that cannot be used.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite; the checkpoint before it is kept.
    """
    begun = time.monotonic() if begun is None else begun
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-corr", what="training")
    start = None if settings.network.start is None else load_matcher(settings.network.start)
    settings = replace(settings, run=checked_run(settings.run))
    check(settings)
    network = make_network(settings, start)
    check_sources(settings.data.sources)
    prepare_folder(settings.run, settings, command="corr train", distribution="xraykit-corr")
    data = load_training_pairs(settings, network.config.grid, report=report, say=say)
    if start is None:
        begin_at_density(network, data)
    kind = ThicknessTask if settings.objective.target == "thickness" else MatcherTask
    task = kind(network, settings, data, say=say)
    if settings.run.compile:
        network.compile()
    batches = None if report is None else partial(report, "batches")
    try:
        inputs = TrainingInputs.of_data_sets(map(job_of, settings.data.sources), data.store.left_out)
        for name, sentence in data.store.damaged:
            inputs.note(f"left out: {sentence}", [name])
        return fit(task, settings.run, settings.length, report=batches, begun=begun, inputs=inputs)
    finally:
        task.close()


def matcher_config(settings: MatcherSettings, start: MatchNetwork | None = None) -> MatcherConfig:
    """What the network will be, but for the density that its data have.

    Raises:
        InputError: No such variant, values that do not go together, or an image that patches do not divide.
    """
    own, size = settings.network, settings.data.size
    if start is not None:
        config = start.config
    elif own.variant in NAMED:
        config = NAMED[own.variant]
    else:
        raise InputError(f"--variant must be one of {', '.join(NAMED)}, got {own.variant!r}.")
    changed = {name: value for name, value in _own_values(own).items() if value is not None}
    if start is not None and changed:
        given = ", ".join(f"--{name}" for name in changed)
        raise InputError(f"weights to go on from bring their network along; leave out {given}, or --start.")
    if start is not None and own.trunk_weights is not None:
        raise InputError("weights to go on from bring their trunk along; leave out --trunk-weights, or --start.")
    if changed.get("module") == "none" and own.layers is None:
        changed["layers"] = 0
    stride = own.stride or config.stride
    if size % stride:
        near = max(round(size / stride), 1) * stride
        raise InputError(f"--size must be a multiple of the {stride} px of a patch, got {size}; take {near}.")
    wanted = own.overlap_head and settings.objective.target == "correspondence"
    changed |= {"overlap_head": config.overlap_head or wanted}
    return replace(config, image_size=size, preprocess=asdict(input_settings(settings)), **changed)


def make_network(settings: MatcherSettings, start: MatchNetwork | None = None) -> MatchNetwork:
    """A new network, or one with the weights to go on from.

    Raises:
        InputError: As `matcher_config`, or no such trunk. FileError: Weights of a trunk that cannot be used.
    """
    network = new_matcher(matcher_config(settings, start), seed=settings.run.seed)
    if start is not None:
        network.load_state_dict(start.state_dict(), strict=False)  # all but a second head that the weights lack
    elif settings.network.trunk_weights is not None:
        fill_trunk(network, settings.network.trunk_weights)
    return network.train()


def begin_at_density(network: MatchNetwork, data: TrainingPairs) -> None:
    """Let a new network's first answer have the density of its data."""
    density = min(max(data.density, LEAST_DENSITY), MOST_DENSITY)
    network.config = replace(network.config, density=density)
    calibrate_head(network, data.images)


def check_sources(sources: Sequence[str]) -> None:
    """Raise InputError without data, and FileError for what is no data set job; only manifests are read."""
    if not sources:
        raise InputError("a training needs X-rays of a data set job, got none; make one with `xraykit corr pairs`.")
    for source in sources:
        XrayDataset(job_of(source), rank=0, world_size=1)


def check(settings: MatcherSettings) -> None:
    """Raise InputError where settings contradict each other or leave their range."""
    data, own = settings.data, settings.objective
    shares = {"unrelated": data.unrelated, "held-out-share": data.held_out_share}
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise InputError(f"--{name} must lie in 0 to 1, got {value}.")
    if not 0 <= own.average < 1:
        raise InputError(f"--average must lie in 0 to below 1, got {own.average}.")
    check_positive(data, ("held_out_pairs", "prior_pairs"))
    check_positive(own, (), or_zero=("weight_decay", "trunk_rate", "least_rate", "overlap_weight"))
    if own.target not in get_args(MatchTarget):
        raise InputError(f"--target must be one of {', '.join(get_args(MatchTarget))}, got {own.target!r}.")
    pair_settings(settings, 1)  # raises where its values do not go together; any size is a multiple of a grid of 1
    if own.target == "shuffled" and (settings.length.batch or 1) < 2:
        raise InputError("--target shuffled gives each pair the truth of another: --batch must be 2 or more, got 1.")


def _own_values(network: MatcherNetworkSettings) -> dict[str, object]:
    names = ("module", "layers", "dimension", "heads", "trunk", "stride", "norm", "input_contrast")
    return {name: getattr(network, name) for name in names}
