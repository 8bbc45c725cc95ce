"""The report of table 3: the grid's scores with priors, cost and speed of each arm."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from xraykit.render.evaluation import EvaluationReport, markdown_table

from ..network.classifier import StudyClassifier
from ..network.classifier_weights import load_classifier
from ..scores.study_measures import best_threshold, study_scores
from ..scores.study_report import grid_report
from ..scores.study_rows import StudyRow
from .settings import Table3Settings

PAPER = {
    "single-scratch": "73.3 / 75.4 / 65.4 / .45",
    "late-scratch": "78.7 / 83.3 / 67.4 / .56",
    "early-scratch": "75.8 / 78.5 / 65.4 / .49",
    "early-pretrained": "80.1 / 83.4 / 73.6 / .58",
    "early-pretrained-predicted": "80.6 / 84.8 / 74.4 / .59",
}
"""Accuracy, precision, recall and kappa on MURA in the paper's table 3; it has none of the other arms"""
BATCH = 8


def table3_report(
    folder: Path,
    rows: Mapping[str, Sequence[Sequence[StudyRow]]],
    settings: Table3Settings,
    plan: Mapping[str, Any],
) -> EvaluationReport:
    """The report on a grid.

    Args:
        folder: Of the grid.
        rows: {arm: rows of each seed}.
        settings: What was asked for.
        plan: How many batches each arm got at most.
    """
    reference = settings.grid.reference if settings.grid.reference in rows else next(iter(rows))
    base = grid_report(rows, reference=reference)
    costs = {name: _cost(folder, name, settings.run.seed, settings.data.views) for name in rows}
    head = ["arm", "weights M", "GFLOP a study", "studies/s", "accuracy", "precision", "recall", "kappa", "AUROC"]
    lines = [_line(name, each, costs[name]) for name, each in rows.items()]
    lines += _priors(next(iter(rows.values()))[0])
    table = markdown_table([*head, "paper, MURA: accuracy / precision / recall / kappa"], lines)
    notes = (
        f"Every arm learned from at most {plan['steps']} batches of {settings.length.batch} studies, and stopped where "
        "validation studies no longer got better; accuracy, precision, recall and kappa are at the threshold that "
        "validation studies chose, means over seeds.",
        "The paper pre-trains and guides early fusion alone; the other arms are controls that it leaves out.",
    )
    numbers = {**base.numbers, "costs": costs, "plan": dict(plan)}
    return EvaluationReport((table, *base.sections), numbers, notes=(*notes, *base.notes), title="Table 3: studies")


def _line(name: str, seeds: Sequence[Sequence[StudyRow]], cost: Mapping[str, float]) -> list[str]:
    found = [study_scores(_of(rows, "test"), threshold=best_threshold(_of(rows, "val"))) for rows in seeds]
    shares = [f"{fmean(getattr(one, key) for one in found):.3f}" for key in ("accuracy", "precision", "recall")]
    shares += [f"{fmean(getattr(one, key) for one in found):.3f}" for key in ("kappa", "auroc")]
    about = [f"{cost['weights'] / 1e6:.2f}", f"{cost['flops'] / 1e9:.2f}", f"{cost['studies_per_s']:.3g}"]
    return [name, *about, *shares, PAPER.get(name, "")]


def _priors(rows: Sequence[StudyRow]) -> list[list[str]]:
    """What no X-ray is needed for: the same answer for every study."""
    test = _of(rows, "test")
    share = sum(row.label for row in test) / len(test)
    named = {"prior: always negative": (1 - share, 0.0, 0.0), "prior: always positive": (share, share, 1.0)}
    return [[name, "0", "", "", *(f"{v:.3f}" for v in values), "0.000", "0.500", ""] for name, values in named.items()]


def _cost(folder: Path, arm: str, seed: int, views: int) -> dict[str, float]:
    """Weights, arithmetic of a study and studies a second of a trained arm, on the CPU."""
    from torch.utils.flop_counter import FlopCounterMode  # loads triton where there is one

    classifier = load_classifier(folder / arm / f"seed{seed}" / "weights")
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            classifier(**_inputs(classifier, 1, views))
        inputs = _inputs(classifier, BATCH, views)
        classifier(**inputs)
        begun = time.monotonic()
        classifier(**inputs)
        seconds = time.monotonic() - begun
    weights = sum(parameter.numel() for parameter in classifier.parameters())
    return {"weights": weights, "flops": int(counter.get_total_flops()), "studies_per_s": BATCH / seconds}


def _inputs(classifier: StudyClassifier, batch: int, views: int) -> dict[str, torch.Tensor]:
    config = classifier.config
    views = 1 if config.fusion == "single" else max(views, 2)
    matcher = config.matcher
    inputs = {"images": torch.zeros(batch, views, 1, matcher.image_size, matcher.image_size)}
    if config.guided:
        patches = matcher.grid**2
        inputs["correspondences"] = torch.zeros(batch, views * (views - 1) // 2, patches, patches)
    return inputs


def _of(rows: Sequence[StudyRow], split: str) -> list[StudyRow]:
    return [row for row in rows if row.split == split]
