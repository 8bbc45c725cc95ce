"""Everything that the arms of a comparison share: studies, matchers, correspondences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from xraykit.render import InputError
from xraykit.render.commands import LeftOut
from xraykit.render.training import TrainingInputs

from ..data.settings import XrayInputSettings
from ..data.xray_reading import XrayReading
from ..network.matcher import MatchNetwork
from ..network.matcher_config import NAMED, MatcherConfig
from ..network.matcher_weights import load_matcher
from ..studies.manifest import check_trainable, read_studies
from ..studies.study_store import StudyStore, prepare_studies
from ..studies.study_truth import TRUTH
from .classifier_start import check_arm
from .classify_settings import ClassifySettings
from .study_arm import StudyArm
from .study_guidance import StudyGuidance, check_guidance

PREPARED = "prepared"
StudyTold = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


TARGETS = {"pretrained": "correspondence", "control": "shuffled", "pretext": "thickness"}
"""What the weights of each start have learned"""


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """What all arms start from."""

    store: StudyStore
    matcher: MatcherConfig
    """Config of trunk and encoder"""
    starts: Mapping[str, MatchNetwork]
    """Matchers by "pretrained", "control" and "pretext" """
    guidance: StudyGuidance
    truth: Path | None
    """The file of the true correspondence"""

    def told(self) -> TrainingInputs:
        """What was assumed of the X-rays and which studies are left out, for the record of one training."""
        inputs = TrainingInputs()
        for note, names in self.store.assumed.items():
            inputs.note(note, names)
        inputs.leave_out(self.store.left_out)
        return inputs


def load_study_inputs(
    settings: ClassifySettings, arms: Sequence[StudyArm], *, report: StudyTold | None = None
) -> StudyInputs:
    """Read studies and matchers, and prepare the X-rays in the output folder; what arms lack is said before that.

    Studies with an X-ray that cannot be used are left out; the store names them.

    Raises:
        InputError: Settings outside their range, a split without a label, or matchers of different configs.
        FileError: A manifest, X-ray or weights that cannot be used.
        OutputError: The folder cannot be written.
    """
    data, network = settings.data, settings.network
    if settings.objective.patience < 1 or settings.objective.weight_decay < 0:
        came = f"{settings.objective.patience} and {settings.objective.weight_decay}"
        raise InputError(f"--patience must be 1 or more and --weight-decay 0 or more, got {came}.")
    studies = read_studies(data.studies, min_images=data.min_images, skip_short=data.skip_short)
    check_trainable(studies)
    named = {name: getattr(network, name) for name in TARGETS}
    starts = {name: load_matcher(source) for name, source in named.items() if source is not None}
    for name, start in starts.items():
        told = start.trained_on.get("target", TARGETS[name])
        if told != TARGETS[name]:
            raise InputError(
                f"--{name} must be trained with --target {TARGETS[name]}, got {named[name]} of --target {told}."
            )
    config = _config(settings, starts)
    if data.views > config.views:
        raise InputError(f"--views must be at most {config.views}, as the network has views, got {data.views}.")
    truth = data.studies.parent / TRUTH
    for arm in arms:
        check_arm(arm, config, starts)
        check_guidance(arm.guidance, views=data.views, matcher="pretrained" in starts, truth=truth.is_file())
    inputs = replace(XrayInputSettings(**config.preprocess), size=config.image_size)
    store = prepare_studies(
        studies,
        settings.run.output / PREPARED,
        inputs,
        views=data.views,
        reading=XrayReading(polarity=data.polarity, colour=data.colour),
        report=None if report is None else lambda done, total: report("X-rays", done, total),
        left_out=LeftOut(),
    )
    _check_rest(store)
    truth_file = truth if truth.is_file() else None
    guidance = StudyGuidance(
        store,
        grid=config.grid,
        matcher=starts.get("pretrained"),
        truth=truth_file,
        device=torch.device(settings.run.device),
        report=None if report is None else lambda done, total: report("studies matched", done, total),
    )
    return StudyInputs(store, config, starts, guidance, truth_file)


def _check_rest(store: StudyStore) -> None:
    """Raise InputError where what is left cannot be learned from, and say why so little is left."""
    try:
        check_trainable(store.studies)
    except InputError as error:
        raise InputError(
            f"{error} {len(store.left_out)} were left out, the first as: {store.left_out[0][1]}"
        ) from error


def _config(settings: ClassifySettings, starts: Mapping[str, MatchNetwork]) -> MatcherConfig:
    configs = [network.config for network in starts.values()]
    asked = {name: getattr(settings.network, name) for name in ("norm", "input_contrast")}
    own: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if not configs:
        variant = settings.network.variant
        if variant not in NAMED:
            raise InputError(f"--variant must be one of {', '.join(NAMED)}, got {variant[:60]!r}.")
        return replace(NAMED[variant], **own)
    if own:
        given = " and ".join(f"--{name.replace('_', '-')}" for name in own)
        raise InputError(f"weights of a matcher bring their network along; leave out {given}, or the weights.")
    same = {"density": 0.05, "overlap_head": False}  # what a classifier does not have
    plain = [replace(config, preprocess=dict(config.preprocess), **same) for config in configs]
    if any(config != plain[0] for config in plain):
        raise InputError("--pretrained, --control and --pretext must have one config, got several; train them alike.")
    return configs[0]
