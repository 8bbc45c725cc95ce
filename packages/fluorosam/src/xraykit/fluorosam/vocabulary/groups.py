"""The 38 groups that a prompt can ask for by name; the two of a pair are a structure without side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType

from .structure import BodySide
from .structures import STRUCTURES
from .words import Word, parse_words

ANY_TOOL = "tool"
"""Stands for every tool of an image, whatever its kind; FluoroSeg's one category of tools has this name."""


@dataclass(frozen=True)
class TargetGroup:
    """A group.

    Args:
        name: Such as "ribs_left".
        members: Names of labels, of kinds of tools, or `ANY_TOOL`.
        words: What it is called, the side not in it.
        side: "left" or "right" where the group has a side.
    """

    name: str
    members: frozenset[str]
    words: tuple[Word, ...]
    side: BodySide = ""


_RIBS, _VERTEBRAE = "rib_*_*", "vertebrae_*"
_HAND, _FOOT = ("carpal", "metacarpal", "phalanges_hand"), ("tarsal", "metatarsal", "phalanges_feet")
_LONG = ["humerus", "radius", "ulna", "femur", "tibia", "fibula"]
_CHAMBERS = ("heart_atrium_*", "heart_ventricle_*")
_VESSELS = "aorta pulmonary_* brachiocephalic_* subclavian_* common_carotid_* superior_vena_cava inferior_vena_cava"
_BONE_NOUNS = ("bone", "bones", "rib", "vertebra")

# Name, patterns of members, words; rows with {side} make two groups.
_ROWS: tuple[tuple[str, str, str], ...] = (
    ("ribs", _RIBS, "ribs/=; all ribs/=; every rib; *costae/="),
    ("ribs_{side}", "rib_{side}_*", "ribs/=; *costae/="),
    ("rib_cage", f"{_RIBS} sternum costal_cartilages", "rib cage; thoracic cage; bony thorax; *chest cage"),
    ("vertebrae", _VERTEBRAE, "vertebrae/=; all vertebrae/=; vertebral bodies/=; *bones of the spine/="),
    ("vertebrae_cervical", "vertebrae_C*",
        "cervical vertebrae/=; cervical spine; C-spine; C1 to C7/=; vertebrae of the neck/=; *neck bones/="),
    ("vertebrae_thoracic", "vertebrae_T*",
        "thoracic vertebrae/=; thoracic spine; T-spine; T1 to T12/=; vertebrae of the chest/=; *dorsal spine"),
    ("vertebrae_lumbar", "vertebrae_L*",
        "lumbar vertebrae/=; lumbar spine; L-spine; L1 to L5/=; vertebrae of the lower back/=; *small of the back"),
    ("spine", f"{_VERTEBRAE} sacrum",
        "spine; whole spine; spinal column; vertebral column; backbone; *columna vertebralis; *back bone"),
    ("pelvis", "hip hip_left hip_right sacrum", "pelvis; bony pelvis; pelvic ring; *pelvic girdle; *pelvis ossea"),
    ("lungs", "lung_*", "lungs/=; both lungs/=; lung fields/=; left and right lung/=; *pulmones/=; "
        "*aerated lungs/="),
    ("lung_{side}", "lung_*_{side}", "lung; lung field; *pulmo"),
    ("heart_chambers", " ".join(_CHAMBERS),
        "heart chambers/=; cardiac chambers/=; chambers of the heart/=; atria and ventricles/=; *heart cavities/="),
    ("great_vessels", _VESSELS,
        "great vessels/=; large vessels of the chest/=; big blood vessels/=; *major vessels/="),
    ("bowel", "small_bowel duodenum colon",
        "bowel; bowels/=; intestines/=; gut; *small and large bowel; *entire bowel"),
    ("urinary_tract", "kidney_left kidney_right kidney urinary_bladder",
        "urinary tract; kidneys and bladder/=; urinary organs/=; *renal tract"),
    ("long_bones", " ".join(f"{bone}*" for bone in _LONG),
        "long bones/=; all long bones/=; long bones of the limbs/=; *tubular bones/="),
    ("shoulder_girdle", "scapula* clavicula*",
        "shoulder girdle; shoulder blades and collarbones/=; clavicles and scapulae/=; *pectoral girdle"),
    ("shoulder_{side}", "humerus_{side} scapula_{side} clavicula_{side}",
        "shoulder; shoulder bones/=; bones of the shoulder/=; *bony shoulder"),
    ("forearm_{side}", "radius_{side} ulna_{side}",
        "forearm; forearm bones/=; radius and ulna/=; *lower arm bones/=; *antebrachium"),
    ("hands", " ".join(f"{bone}*" for bone in _HAND), "hands/=; bones of both hands/=; both hands/=; *manus/="),
    ("hand_{side}", " ".join(f"{bone}_{{side}}" for bone in _HAND),
        "hand; hand bones/=; bones of the hand/=; *hand and wrist bones/="),
    ("lower_leg_{side}", "tibia_{side} fibula_{side}",
        "lower leg; lower leg bones/=; tibia and fibula/=; *shin and calf bone/=; *crural bones/="),
    ("feet", " ".join(f"{bone}*" for bone in _FOOT), "feet/=; bones of both feet/=; both feet/=; *pedes/="),
    ("foot_{side}", " ".join(f"{bone}_{{side}}" for bone in _FOOT),
        "foot; foot bones/=; bones of the foot/=; *foot and ankle bones/="),
    ("gluteal_muscles", "gluteus_*", "gluteal muscles/=; glutei/=; buttock muscles/=; all gluteal muscles/=; "
        "*muscles of the buttocks/="),
    ("gluteus_{side}", "gluteus_*_{side}", "gluteal muscles/=; buttock muscles/=; *glutei/="),
    ("bones", "", "bones/=; all bones/=; bony structures/=; whole skeleton; skeleton; "
        "*osseous structures/=; *ossa/="),
    ("metal", ANY_TOOL, "metal; everything metal/everything metal; all metal; hardware; metalwork; "
        "all instruments and implants/=; metal objects/=; foreign metal; surgical tools/=; "
        "*metallic foreign bodies/=; *radiopaque hardware"),
    ("screws", "pedicle_screw cannulated_screw screw",
        "screws/=; screw; all screws/=; surgical screws/=; bone screw; metal screw; *threaded implants/="),
    ("knee_replacement", "femoral_component tibial_component",
        "knee replacement; knee prosthesis; knee implant; total knee arthroplasty; "
        "artificial knee; *TKA; *knee endoprosthesis"),
)  # fmt: skip


def _members(patterns: str) -> frozenset[str]:
    labels = sorted({label for one in STRUCTURES.values() for label in one.labels})
    found = {label for pattern in patterns.split() for label in labels if fnmatchcase(label, pattern)}
    return frozenset(found or patterns.split())


def _bones() -> frozenset[str]:
    return frozenset(label for one in STRUCTURES.values() if one.noun in _BONE_NOUNS for label in one.labels)


def _groups() -> dict[str, TargetGroup]:
    groups = {}
    for name, patterns, words in _ROWS:
        sides: tuple[BodySide, ...] = ("left", "right") if "{side}" in name else ("",)
        for side in sides:
            members = _members(patterns.format(side=side)) if patterns else _bones()
            named = name.format(side=side)
            groups[named] = TargetGroup(named, members, parse_words(words), side)
    return groups


TARGET_GROUPS: Mapping[str, TargetGroup] = MappingProxyType(_groups())
"""The groups by name."""

GROUP_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "kidneys": "kidney", "adrenal_glands": "adrenal_gland", "hips": "hip", "femora": "femur", "humeri": "humerus",
        "scapulae": "scapula", "clavicles": "clavicula", "iliac_arteries": "iliac_artery",
        "iliac_veins": "iliac_vena", "kidney_cysts": "kidney_cyst", "common_carotids": "common_carotid_artery",
        "subclavian_arteries": "subclavian_artery", "brachiocephalic_veins": "brachiocephalic_vein",
        "pelvic_ring": "pelvis",
    }
)  # fmt: skip
"""Other names of groups, among them those of the core that are a pair here."""
