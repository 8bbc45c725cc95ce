"""The few classes that an image encoder is taught before it is asked for anything: 57, or 83 with sides, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from xraykit.render.volumes import label_table

from .fluoroseg_names import APPENDICULAR
from .groups import ANY_TOOL
from .structures import STRUCTURES

# What one class has together; where both sides are in it, it is two classes with sides.
_MERGED: tuple[tuple[str, str], ...] = (
    ("kidney", "kidney_left kidney_right"),
    ("adrenal_gland", "adrenal_gland_*"),
    ("lung", "lung_*"),
    ("vertebrae_L", "vertebrae_S1 vertebrae_L*"),
    ("vertebrae_T", "vertebrae_T*"),
    ("vertebrae_C", "vertebrae_C*"),
    ("subclavian_artery", "subclavian_artery_*"),
    ("common_carotid_artery", "common_carotid_artery_*"),
    ("brachiocephalic_vein", "brachiocephalic_vein_*"),
    ("humerus", "humerus_*"),
    ("scapula", "scapula_*"),
    ("clavicula", "clavicula_*"),
    ("femur", "femur_*"),
    ("pelvis", "hip_*"),
    ("gluteus", "gluteus_*"),
    ("autochthon", "autochthon_*"),
    ("iliopsoas", "iliopsoas_*"),
    ("ribs", "rib_*"),
)
_LEFT_OUT = ("kidney_cyst_*", "iliac_artery_*", "iliac_vena_*")


@dataclass(frozen=True)
class ReducedClass:
    """A class.

    Args:
        name: Such as "ribs" or "ribs_left".
        labels: Whose masks together are the class; `ANY_TOOL` is every tool.
        unsure: Labels of the pair that do not say their side: where one is in an image, it is not known what the class
            covers.
    """

    name: str
    labels: frozenset[str]
    unsure: frozenset[str] = frozenset()


@lru_cache(maxsize=2)
def pretraining_classes(*, sides: bool = True) -> tuple[ReducedClass, ...]:
    """The classes in an order that stays; "tool" is the last.

    Without sides they are the 57 of the published code: TotalSegmentator's labels by name, some merged, kidney cysts,
    iliac vessels left out, bones of arms and legs without side, tools. With sides each of the 26 pairs is two classes;
    a mirrored image exchanges them.

    Args:
        sides: Whether left and right are told apart.
    """
    made: list[ReducedClass] = []
    for name, labels in _of_the_code():
        known = frozenset(each for label in labels for each in _with_pair(label))
        left, right = (frozenset(one for one in known if _side(one) == side) for side in ("left", "right"))
        if sides and left and right:
            unsure = known - left - right
            made += [ReducedClass(f"{name}_left", left, unsure), ReducedClass(f"{name}_right", right, unsure)]
        else:
            made.append(ReducedClass(name, known))
    return tuple(made)


def _of_the_code() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names and labels of the 57 in the order of the label table."""
    table = [name for _, name in sorted(label_table("totalsegmentator_v2").items())]
    merged = {label: name for name, patterns in _MERGED for label in table if _fits(label, patterns.split())}
    members: dict[str, list[str]] = {}
    for label in (*table, *APPENDICULAR, ANY_TOOL):
        if not _fits(label, _LEFT_OUT):
            members.setdefault(merged.get(label, label), []).append(label)
    for name, labels in members.items():
        yield name, tuple(labels)


def _with_pair(label: str) -> tuple[str, ...]:
    """A label, and the pair and the other side of a label that is one of a pair."""
    one = STRUCTURES.get(label)
    return STRUCTURES[one.base].labels if one and one.base in STRUCTURES else (label,)


def _side(label: str) -> str:
    """Of one of two; of lung lobes as well, which have no twin."""
    words = label.split("_")
    one = STRUCTURES.get(label)
    if one and (one.side in ("left", "right") or one.noun == "lobe"):
        return "left" if "left" in words else "right"
    return ""


def _fits(label: str, patterns: tuple[str, ...] | list[str]) -> bool:
    return any(fnmatchcase(label, pattern) for pattern in patterns)
