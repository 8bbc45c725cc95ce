"""What stands beside the network in the same table."""

from __future__ import annotations

from collections.abc import Callable

import torch

from xraykit.render.rendering import usable_device

from .job_cases import JobCases, evaluated_split, job_splits
from .mean_mask import MeanMask
from .methods import BoxFill, EvaluatedMethod
from .rivals import load_flexray, load_sam
from .settings import SegmentationEvaluationSettings


def make_baselines(
    settings: SegmentationEvaluationSettings,
    *,
    report: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> list[EvaluatedMethod]:
    """The baselines that the settings ask for and the data allow: mean masks need a job with a split "train".

    Args:
        settings: Of the evaluation.
        report: Told of progress.

    Raises:
        FileError: Weights or a data set that cannot be read.
        BackendUnavailableError: A package that a baseline needs is not installed.
    """
    chosen = settings.baselines
    found: list[EvaluatedMethod] = []
    if chosen.mean_mask and settings.cases.layout == "job" and _has_training(settings):
        cases = JobCases(settings.data, split="train", most=chosen.training_images)
        found.append(MeanMask(cases, report=lambda done: report("mean masks", done, len(cases))))
    if chosen.box_fill:
        found.append(BoxFill())
    device = network_device(settings.device)
    if chosen.sam is not None:
        found.append(load_sam(chosen.sam, kind="sam", device=device))
    if chosen.medsam is not None:
        found.append(load_sam(chosen.medsam, kind="medsam", device=device))
    if chosen.flexray is not None:
        found.append(load_flexray(chosen.flexray, device=device))
    return found


def network_device(name: str) -> str:
    """The device of a name; of "auto" a GPU if there is one."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return str(usable_device(name))


def _has_training(settings: SegmentationEvaluationSettings) -> bool:
    return "train" in job_splits(settings.data) and evaluated_split(settings.data, settings.cases.split) != "train"
