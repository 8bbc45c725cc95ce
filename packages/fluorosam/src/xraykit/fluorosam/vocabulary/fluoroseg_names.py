"""Categories of the published FluoroSeg data, whose rib numbers and some groups are not what they seem, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from xraykit.render import InputError
from xraykit.render.volumes import label_table

from .groups import ANY_TOOL, TARGET_GROUPS
from .structures import STRUCTURES, unknown_name

APPENDICULAR = (
    *("patella", "tibia", "fibula", "tarsal", "metatarsal", "phalanges_feet"),
    *("ulna", "radius", "carpal", "metacarpal", "phalanges_hand"),
)
TOOL_ID, CUT_BELOW, CUT_ABOVE = 1000, 10_000, 10_129

# Of TotalSegmentator before 2.2.1; 108 to 115 are the same in both.
_LEGACY_RIBS = {
    92: "rib_right_4",
    93: "rib_right_3",
    **{93 + n: f"rib_left_{n}" for n in range(1, 13)},
    106: "rib_right_1",
    107: "rib_right_2",
}

FLUOROSEG_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "pelvis": "hip", "lungs": "lungs", "lung_left": "lung_left", "lung_right": "lung_right", "ribs": "ribs",
        "ribs_right": "ribs_right", "ribs_left": "ribs_left", "cervical_vertebrae": "vertebrae_cervical",
        "thoracic_vertebrae": "vertebrae_thoracic", "lumbar_vertebrae": "vertebrae_lumbar",
        "vertebrae": "vertebrae", "gluteus_right": "gluteus_right", "gluteus_left": "gluteus_left",
    }
)  # fmt: skip
"""The 13 groups of the published code and the targets that they mean. Its lists of ids for ribs_left, ribs_right,
gluteus_left and gluteus_right hold wrong members; these targets do not. Its pelvis has no sacrum."""


class FluoroSegCategory(NamedTuple):
    """The label of a category, and where the CT's border cut it: "" nowhere, "I" below, "S" above."""

    label: str
    cut: Literal["", "I", "S"] = ""


def fluoroseg_labels() -> Mapping[int, str]:
    """Label names by FluoroSeg's ids: 1 to 117 in the order before TotalSegmentator 2.2.1, 301 to 311, 1000."""
    labels = {**label_table("totalsegmentator_v2"), **_LEGACY_RIBS}
    labels.update({301 + n: name for n, name in enumerate(APPENDICULAR)})
    return MappingProxyType({**labels, TOOL_ID: ANY_TOOL})


def real_rib_name(name: str) -> str:
    """The rib that a mask shows which was named by today's table though its number is a legacy one.

    "rib_left_1" is 92 today, and 92 was the fourth right rib. Other names stay.

    Raises:
        InputError: The name is not known.
    """
    if name not in STRUCTURES and name != ANY_TOOL:
        raise unknown_name("label", name, STRUCTURES)
    ids = {label: number for number, label in label_table("totalsegmentator_v2").items()}
    return _LEGACY_RIBS.get(ids.get(name, 0), name)


def fluoroseg_category(category: int | str) -> FluoroSegCategory:
    """The label of a category, from its id or its name ("femur_left_cutoff_I").

    Raises:
        InputError: There is no such category.
    """
    labels = fluoroseg_labels()
    if isinstance(category, str):
        found = re.fullmatch(r"(.+?)(?:_cutoff_([IS]))?", category)
        if found is None or found[1] not in labels.values():
            raise unknown_name("category", category, labels.values())
        return FluoroSegCategory(found[1], found[2] or "")  # type: ignore[arg-type]
    if category in labels:
        return FluoroSegCategory(labels[category])
    organs = [label for label in labels.values() if label != ANY_TOOL]
    for first, cut in ((CUT_BELOW, "I"), (CUT_ABOVE, "S")):
        if 0 <= category - first < len(organs):
            return FluoroSegCategory(organs[category - first], cut)  # type: ignore[arg-type]
    raise InputError(
        f"category must be 1 to 117, 301 to 311, 1000 or that of a cut organ from 10000 to 10256, got {category}."
    )


def fluoroseg_group(name: str) -> frozenset[str]:
    """The members, by name, that one of the 13 published groups means.

    Raises:
        InputError: There is no such group.
    """
    if name not in FLUOROSEG_GROUPS:
        raise unknown_name("group", name, FLUOROSEG_GROUPS)
    known = FLUOROSEG_GROUPS[name]
    return TARGET_GROUPS[known].members if known in TARGET_GROUPS else frozenset(STRUCTURES[known].labels)
