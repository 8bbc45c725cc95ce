"""Which part of the body an X-ray shows: that of its view, since a CT of the chest shows shoulders too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from typing import Any

CLASSES = (*("skull", "neck", "shoulder", "chest", "abdomen", "pelvis", "elbow", "wrist_hand", "knee", "ankle_foot"),)

# Standard views say their region. Thorax and thoracic spine are seen on the same pictures, and so are hip and pelvis.
_OF_REGION = {
    "skull": "skull", "cervical_spine": "neck", "shoulder": "shoulder", "thorax": "chest", "thoracic_spine": "chest",
    "lumbar_spine": "abdomen", "abdomen_pelvis": "pelvis", "hip": "pelvis", "elbow": "elbow",
    "wrist_hand": "wrist_hand", "knee": "knee", "ankle_foot": "ankle_foot",
}  # fmt: skip
_LIMBS = ("elbow", "wrist_hand", "knee", "ankle_foot")  # whatever a view of such a small volume aims at, it shows it

# Random views aim at an organ. Those at a border (liver, T11), and those that run through several parts, are no answer.
_OF_ORGAN = {
    "skull": ("skull", "brain", "mandible", "teeth_*", "sinus_*"),
    "neck": ("vertebrae_C[3-7]", "thyroid_gland", "hyoid"),
    "shoulder": ("scapula_*", "humerus_*", "clavicula_*"),
    "chest": ("heart", "sternum", "pulmonary_vein", "atrial_appendage_left", "vertebrae_T[2-9]", "rib_*_[2-7]"),
    "abdomen": ("vertebrae_L[1-4]", "kidney_*", "pancreas", "duodenum", "small_bowel"),
    "pelvis": ("hip_*", "femur_*", "sacrum", "vertebrae_S1", "urinary_bladder", "prostate", "gluteus_*"),
}


def part_shown(record: Mapping[str, Any]) -> str | None:
    """The class of a sample's record, or None where the view lies between two of them."""
    view, patient = record["view"], record["description"].get("region")
    if patient in _LIMBS:
        return patient
    if view["kind"] == "standard":
        return "abdomen" if view["name"].startswith("abdomen") else _OF_REGION[view["region"]]
    found = {_part_of(name) for name in view["targets"]}
    return found.pop() if len(found) == 1 else None


def _part_of(organ: str) -> str | None:
    return next((part for part, patterns in _OF_ORGAN.items() if _matches(organ, patterns)), None)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
