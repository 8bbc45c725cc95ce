"""What people call a standard view, and which sides of the picture are the patient's."""

from __future__ import annotations

from xraykit.render import InputError
from xraykit.render.views import STANDARD_VIEWS

_WORDS = {
    "chest_ap": "AP chest", "chest_pa": "PA chest", "chest_lateral": "lateral chest",
    "ribs_oblique": "oblique view of the ribs", "sternum_rao": "RAO sternum", "sternum_lateral": "lateral sternum",
    "abdomen_ap": "AP abdomen", "abdomen_decubitus": "decubitus abdomen", "abdomen_lateral": "lateral abdomen",
    "pelvis_ap": "AP pelvis", "pelvis_inlet": "pelvic inlet view", "pelvis_outlet": "pelvic outlet view",
    "pelvis_lateral": "lateral pelvis", "judet_iliac": "iliac oblique Judet view",
    "judet_obturator": "obturator oblique Judet view", "obturator_outlet": "obturator outlet view",
    "iliac_inlet": "iliac inlet view", "sacrum_ap": "AP sacrum", "coccyx_ap": "AP coccyx",
    "sacrum_lateral": "lateral sacrum", "si_joints_ap": "AP view of the SI joints",
    "si_joint_oblique": "oblique view of the SI joint", "cervical_spine_ap": "AP C-spine",
    "cervical_spine_lateral": "lateral C-spine", "cervical_spine_oblique": "oblique C-spine",
    "odontoid": "open-mouth odontoid view", "thoracic_spine_ap": "AP T-spine",
    "thoracic_spine_lateral": "lateral T-spine", "thoracic_spine_oblique": "oblique T-spine",
    "lumbar_spine_ap": "AP L-spine", "lumbar_spine_lateral": "lateral L-spine",
    "lumbar_spine_oblique": "oblique L-spine", "l5_s1_lateral": "lateral lumbosacral spot view",
    "skull_ap": "AP skull", "skull_pa": "PA skull", "skull_caldwell": "Caldwell view", "skull_waters": "Waters view",
    "skull_towne": "Towne view", "skull_lateral": "lateral skull", "skull_smv": "submentovertical view",
    "shoulder_ap": "AP shoulder", "shoulder_grashey": "Grashey view", "scapula_y": "scapular Y view",
    "shoulder_axillary": "axillary view of the shoulder", "clavicle_ap": "AP clavicle",
    "clavicle_axial": "axial clavicle view", "ac_joints_ap": "AP view of the AC joints",
    "humerus_ap": "AP humerus", "humerus_lateral": "lateral humerus", "elbow_ap": "AP elbow",
    "elbow_lateral": "lateral elbow", "elbow_oblique_internal": "internal oblique elbow",
    "elbow_oblique_external": "external oblique elbow", "forearm_ap": "AP forearm",
    "forearm_lateral": "lateral forearm", "wrist_pa": "PA wrist", "wrist_oblique": "oblique wrist",
    "wrist_lateral": "lateral wrist", "hand_pa": "PA hand", "hand_oblique": "oblique hand",
    "hand_lateral": "lateral hand", "hip_ap": "AP hip", "hip_cross_table": "cross-table lateral hip",
    "hip_frog_leg": "frog-leg view of the hip", "femur_ap": "AP femur", "femur_lateral": "lateral femur",
    "knee_ap": "AP knee", "knee_lateral": "lateral knee", "patella_sunrise": "sunrise view of the patella",
    "patella_merchant": "Merchant view", "tibia_fibula_ap": "AP tib-fib", "tibia_fibula_lateral": "lateral tib-fib",
    "ankle_ap": "AP ankle", "ankle_mortise": "ankle mortise view", "ankle_lateral": "lateral ankle",
    "foot_dp": "DP foot", "foot_oblique": "oblique foot", "foot_lateral": "lateral foot",
    "calcaneus_axial": "axial calcaneus view",
}  # fmt: skip
_BOTH_SIDES_SEEN = ("thorax", "abdomen_pelvis", "skull", "cervical_spine", "thoracic_spine", "lumbar_spine")


def view_words(view: str) -> str:
    """What a standard view is called, without its side: "knee_ap_left" is "AP knee"; "" for random directions.

    The side is left out, since a text that says "left" of the picture would say it of what is asked for.
    """
    return _WORDS.get(_without_side(view), "")


def is_frontal(view: str) -> bool:
    """Whether the image has the patient's left on its right, both as stored and as shown: AP views of the trunk.

    PA views are stored the other way round than they are shown (`StandardView.mirrored_display`), so they do not count.
    """
    found = STANDARD_VIEWS.get(view)
    if found is None or found.side or found.pose_limited or found.mirrored_display:
        return False
    return found.region in _BOTH_SIDES_SEEN and found.a % 360 == 0 and abs(found.b) < 60


def check_view(view: str) -> str:
    """The name of a standard view, or "".

    Raises:
        InputError: There is no such view.
    """
    if view and view not in STANDARD_VIEWS:
        raise InputError(f"view must be a standard view such as pelvis_ap, or empty, got {view[:60]!r}.")
    return view


def _without_side(view: str) -> str:
    for side in ("_left", "_right"):
        if view.endswith(side):
            return view.removesuffix(side)
    return view
