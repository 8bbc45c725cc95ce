"""What a target is called in the mirror image of a patient, and which things no mirror image may show."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

from .structures import mirrored_name
from .targets import all_targets

_ONE_SIDED = (
    "heart", "heart_*", "lung_*", "atrial_appendage_left", "aorta", "pulmonary_*", "brachiocephalic_trunk",
    "*_vena_cava", "portal_vein_and_splenic_vein", "liver", "gallbladder", "stomach", "spleen", "pancreas", "duodenum",
    "colon",
)  # fmt: skip


@lru_cache(maxsize=1024)
def left_right(target: str) -> str | None:
    """The target that a mirrored image shows in the place of another: "femur_left" for "femur_right".

    None where that cannot be: of heart, lungs, great vessels and the organs of the abdomen that have one side, for a
    mirrored picture of them is one of a patient with situs inversus, or the same patient from behind, in whom nothing
    is exchanged; and of a target whose twin has no name. Bowel without its frame, bones, muscles and tools are alike
    on both sides. Twice exchanged is the first again.

    Args:
        target: A structure, group or kind of tool; names that are not known count as tools.
    """
    known = all_targets()
    twin = mirrored_name(target)
    if target not in known:
        return twin
    if twin not in known or any(is_one_sided(member) for member in known[target].members):
        return None
    return twin


@lru_cache(maxsize=1024)
def is_one_sided(name: str) -> bool:
    """Whether a label lies on one side of every healthy body, or differs from its twin on the other."""
    return any(fnmatchcase(name, pattern) for pattern in _ONE_SIDED)
