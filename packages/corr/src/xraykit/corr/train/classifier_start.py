"""A new classifier with the weights that its arm starts from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import torch
from torch import nn

from xraykit.render import InputError

from ..network.classifier import StudyClassifier, new_classifier
from ..network.classifier_config import StudyClassifierConfig, TokenPool
from ..network.matcher import MatchNetwork
from ..network.matcher_config import MatcherConfig
from .study_arm import StudyArm


def start_classifier(
    arm: StudyArm,
    matcher: MatcherConfig,
    starts: Mapping[str, MatchNetwork],
    *,
    seed: int,
    per_head: bool = False,
    centred: bool = False,
    pool: TokenPool = "mean",
) -> StudyClassifier:
    """The classifier of an arm, in training mode; its other weights follow from the seed.

    Args:
        arm: Which.
        matcher: Config of trunk and encoder.
        starts: Matchers by "pretrained", "control" and "pretext".
        seed: Of the random weights, and of the permutation.
        per_head: See `StudyClassifierConfig`.
        centred: See `StudyClassifierConfig`.
        pool: See `StudyClassifierConfig`.

    Raises:
        InputError: The arm's matcher is missing, or has another config.
    """
    config = replace(_config(arm, matcher, per_head=per_head, centred=centred), pool=pool)
    classifier = new_classifier(config, seed=seed)
    if arm.start == "scratch":
        return classifier
    classifier.start_from(starts[_source(arm, starts)])
    if arm.start == "permuted":
        permute_entries(classifier, seed=seed)
        classifier.trained_on = {**classifier.trained_on, "permuted": True}
    return classifier


def check_arm(arm: StudyArm, matcher: MatcherConfig, starts: Collection[str]) -> None:
    """Make sure that an arm can be built, before anything is.

    Raises:
        InputError: Its matcher is missing, or the network cannot be guided.
    """
    _config(arm, matcher)
    if arm.start != "scratch":
        _source(arm, starts)


def _config(
    arm: StudyArm, matcher: MatcherConfig, *, per_head: bool = False, centred: bool = False
) -> StudyClassifierConfig:
    guided = arm.guidance != "off"
    return StudyClassifierConfig(matcher, arm.fusion, guided, per_head=guided and per_head, centred=guided and centred)


def _source(arm: StudyArm, starts: Collection[str]) -> str:
    source = arm.start if arm.start in ("control", "pretext") else "pretrained"
    if source not in starts:
        raise InputError(f"the arm {arm.name} needs weights of a matcher, got none; give --{source}.")
    return source


@torch.no_grad()
def permute_entries(classifier: StudyClassifier, *, seed: int) -> None:
    """Shuffle the entries of each parameter of trunk, projection and encoder: same numbers, nothing learned.

    Statistics of batch normalisation begin anew, since they are those of the network that was.
    """
    for module in classifier.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
    draws = torch.Generator().manual_seed(seed)
    for part in (classifier.patches, classifier.module):
        for name, parameter in part.named_parameters():
            if not name.endswith("alpha"):
                flat = parameter.flatten()
                parameter.copy_(flat[torch.randperm(len(flat), generator=draws)].view_as(parameter))
