"""What each probe is made of: the options of `xraykit dax probe`, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .metal.settings import HeadTraining
from .region.settings import REGION_HEADS, RegionHead
from .screws.settings import ScrewSettings


@dataclass(frozen=True)
class ProbeInputs:
    """Which images, and how their features are made."""

    split: str | None = None
    """Split of the data set; all of them if left out."""
    limit: int | None = None
    """At most so many images, evenly from all."""
    size: int | None = None
    """Edge of the images that all backbones see [px]; each one's own if left out."""
    field: Literal["whole", "exposed"] | None = None
    """Which pixels count: all, or those that the collimator left open; each backbone's own if left out."""
    cache: Path | None = None
    """Folder for features, shared among probes; OUTPUT/features if left out."""
    feature_batch: int = 32
    """Images that the backbone sees at a time."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where backbones run and heads are taught."""


@dataclass(frozen=True)
class RegionProbeSettings:
    """Tell the region of the body from frozen features."""

    data: Path = field(metadata={"positional": True})
    """Folder of a data set, or a CSV file with the columns path, patient, label."""
    backbones: tuple[str, ...] = field(metadata={"positional": True})
    """Backbones to compare: folders or files of weights, hub ids, or names."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for report.html, report.md, report.json and rows.csv; made if need be."""
    folds: int = 5
    """Folds of patients."""
    seed: int = 0
    """Of folds, training and intervals."""
    heads: tuple[RegionHead, ...] = REGION_HEADS
    """Classifiers; the first one's confusions are shown."""
    neighbours: int = 20
    """Training images that vote in knn."""
    inputs: ProbeInputs = field(default_factory=ProbeInputs)
    """Images and features."""


@dataclass(frozen=True)
class MetalProbeSettings:
    """Tell the pixels of metal from frozen feature maps."""

    data: Path = field(metadata={"positional": True})
    """Folder of a data set, or a CSV file with the columns path, patient, mask."""
    backbones: tuple[str, ...] = field(metadata={"positional": True})
    """Backbones to compare: folders or files of weights, hub ids, or names."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for report.html, report.md, report.json and rows.csv; made if need be."""
    folds: int = 5
    """Folds of patients."""
    seed: int = 0
    """Of folds, training and intervals."""
    shown: int = 8
    """Images per backbone in the report."""
    inputs: ProbeInputs = field(default_factory=ProbeInputs)
    """Images and features."""
    training: HeadTraining = field(default_factory=HeadTraining)
    """How heads are taught."""


@dataclass(frozen=True)
class ScrewProbeSettings:
    """Find heads and tips of screws from frozen feature maps."""

    data: Path = field(metadata={"positional": True})
    """Folder of a data set, or a COCO keypoint file (.json) with the keypoints head and tip."""
    backbones: tuple[str, ...] = field(metadata={"positional": True})
    """Backbones to compare: folders or files of weights, hub ids, or names."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for report.html, report.md, report.json and rows.csv; made if need be."""
    folds: int = 5
    """Folds of patients."""
    held_out: int = 1
    """So many of the folds are held out in turn, a detector each: 1 is one split of 80 to 20, all is a full round."""
    seed: int = 0
    """Of folds, training and intervals."""
    shown: int = 8
    """Images per backbone in the report."""
    inputs: ProbeInputs = field(default_factory=ProbeInputs)
    """Images and features."""
    screws: ScrewSettings = field(default_factory=ScrewSettings)
    """Detector and its training."""
