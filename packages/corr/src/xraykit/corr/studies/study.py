"""A labelled study: X-rays of one patient that were taken together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StudyImage:
    """One X-ray of a study."""

    path: Path
    """Its file"""
    view: int
    """Its number in the study, from 0; studies are looked at in this order"""
    projection: str = ""
    """How it was taken, such as PA; for people"""


@dataclass(frozen=True)
class LabelledStudy:
    """X-rays of one patient with one label."""

    name: str
    """Unique"""
    patient: str
    """Whose; all studies of a patient are in one split"""
    split: str
    """What it is for: train, val or test"""
    label: int
    """1 for a finding, 0 for none"""
    images: tuple[StudyImage, ...]
    """In the order of `view`"""
