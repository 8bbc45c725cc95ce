"""The standard views of the limbs and their girdles; all are given for the right side.

After general radiography, as summarised by Radiopaedia, WikiRadiography and Wheeless. Which side of a limb lies on
the detector in a lateral view: ulnar at the arm, lateral at the leg.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .definition import StandardView, ViewTarget, sided
from .trunk_views import LANDSCAPE, LARGE_PORTRAIT, SMALL

_SHOULDER = ViewTarget("joint", ("scapula_{side}", "humerus_{side}"))
_CLAVICLE = ViewTarget("centre", ("clavicula_{side}",))
_AC = ViewTarget("centre", ("clavicula_left", "clavicula_right"), needs=("scapula_left", "scapula_right"))
_HUMERUS = ViewTarget("centre", ("humerus_{side}",))
_ELBOW = ViewTarget("joint", ("humerus_{side}", "ulna_{side}|radius_{side}"), needs=("ulna_{side}", "radius_{side}"))
_FOREARM = ViewTarget("centre", ("radius_{side}", "ulna_{side}"))
_WRIST = ViewTarget("centre", ("carpal_{side}",), needs=("radius_{side}", "ulna_{side}"))
_HAND = ViewTarget("joint", ("metacarpal_{side}", "phalanges_hand_{side}"), needs=("carpal_{side}",))
_NECK = ViewTarget("joint", ("hip_{side}", "femur_{side}"), offset=(25.0, 0.0, -20.0))
_FEMUR = ViewTarget("centre", ("femur_{side}",))
_KNEE = ViewTarget("joint", ("femur_{side}", "tibia_{side}"))
_PATELLA = ViewTarget("joint", ("patella_{side}", "femur_{side}"))
_SHANK = ViewTarget("centre", ("tibia_{side}",), needs=("fibula_{side}",), whole=("tibia_{side}", "fibula_{side}"))
_ANKLE = ViewTarget("joint", ("tibia_{side}", "tarsal_{side}"), needs=("fibula_{side}",))
_FOOT = ViewTarget("joint", ("tarsal_{side}", "metatarsal_{side}"), whole=("metatarsal_{side}",))
_HEEL = ViewTarget("centre", ("tarsal_{side}",), offset=(0.0, -25.0, 0.0), needs=("metatarsal_{side}",))


def limb_views() -> Iterator[StandardView]:
    """Every view of shoulder, arm, hand, hip, leg and foot."""
    yield from _shoulder()
    for view in (*_arm(), *_hand(), *_hip_and_thigh(), *_knee_and_shank(), *_ankle_and_foot()):
        yield from sided(view)


def _shoulder() -> Iterator[StandardView]:
    ap = StandardView("shoulder_ap", "Shoulder AP", "shoulder", _SHOULDER, a=0, field=LANDSCAPE)
    yield from sided(ap)
    # The frame of the scapula looks along the normal of its blade: no further angle is needed.
    yield from sided(replace(ap, name="shoulder_grashey", title="Glenohumeral joint (Grashey)", frame="scapula"))
    lateral = replace(ap, name="scapula_y", title="Scapula lateral (Y), PA oblique", frame="scapula", a=-90)
    yield from sided(replace(lateral, field=(240.0, 300.0), mirrored_display=True))
    axial = replace(ap, name="shoulder_axillary", title="Shoulder, inferosuperior axial", a=90, b=62, up="+y")
    yield from sided(replace(axial, field=SMALL, pose_limited=True))
    clavicle = replace(ap, name="clavicle_ap", title="Clavicle AP", target=_CLAVICLE)
    yield from sided(clavicle)
    yield from sided(replace(clavicle, name="clavicle_axial", title="Clavicle AP axial", b=25))
    yield replace(
        ap, name="ac_joints_ap", title="Acromioclavicular joints AP", target=_AC, field=(430.0, 180.0), sid=1800
    )


def _arm() -> Iterator[StandardView]:
    ap = StandardView("humerus_ap", "Humerus AP", "shoulder", _HUMERUS, a=0, frame="arm", field=LARGE_PORTRAIT)
    yield ap
    yield replace(ap, name="humerus_lateral", title="Humerus lateral", a=90)
    ap = StandardView("elbow_ap", "Elbow AP", "elbow", _ELBOW, a=0, frame="elbow")
    yield ap
    yield replace(ap, name="elbow_lateral", title="Elbow lateral", a=90, pose_limited=True)
    yield replace(ap, name="elbow_oblique_internal", title="Elbow AP oblique, internal rotation", a=45)
    yield replace(ap, name="elbow_oblique_external", title="Elbow AP oblique, external rotation", a=-45)
    ap = StandardView("forearm_ap", "Forearm AP", "elbow", _FOREARM, a=0, frame="forearm", field=(300.0, 400.0))
    yield ap
    yield replace(ap, name="forearm_lateral", title="Forearm lateral", a=90)


def _hand() -> Iterator[StandardView]:
    wrist = StandardView("wrist_pa", "Wrist PA", "wrist_hand", _WRIST, a=180, frame="wrist", field=SMALL)
    hand = StandardView("hand_pa", "Hand PA", "wrist_hand", _HAND, a=180, frame="hand")
    for pa, name in ((wrist, "wrist"), (hand, "hand")):
        pa = replace(pa, up="-z")  # fingers up
        yield pa
        yield replace(pa, name=f"{name}_oblique", title=f"{name.title()} PA oblique", a=135)
        yield replace(pa, name=f"{name}_lateral", title=f"{name.title()} lateral", a=90)


def _hip_and_thigh() -> Iterator[StandardView]:
    hip = StandardView("hip_ap", "Hip AP", "hip", _NECK, a=0)
    yield hip
    yield replace(hip, name="hip_cross_table", title="Hip, cross-table axiolateral", a=-90, b=45)
    yield replace(hip, name="hip_frog_leg", title="Hip, frog leg", pose_limited=True)
    femur = StandardView("femur_ap", "Femur AP", "hip", _FEMUR, a=0, frame="thigh", field=LARGE_PORTRAIT)
    yield femur
    yield replace(femur, name="femur_lateral", title="Femur lateral", a=-90)


def _knee_and_shank() -> Iterator[StandardView]:
    knee = StandardView("knee_ap", "Knee AP", "knee", _KNEE, a=0, frame="knee")
    yield knee
    yield replace(knee, name="knee_lateral", title="Knee lateral", a=-90, b=6)
    skyline = replace(knee, target=_PATELLA, up="+y", pose_limited=True)
    yield replace(skyline, name="patella_sunrise", title="Patella, sunrise (Settegast)", b=80)
    yield replace(skyline, name="patella_merchant", title="Patella, Merchant", b=-80, sid=1800)
    shank = StandardView("tibia_fibula_ap", "Tibia and fibula AP", "knee", _SHANK, a=0, frame="leg")
    shank = replace(shank, field=LARGE_PORTRAIT, sid=1100)
    yield shank
    yield replace(shank, name="tibia_fibula_lateral", title="Tibia and fibula lateral", a=-90)


def _ankle_and_foot() -> Iterator[StandardView]:
    ankle = StandardView("ankle_ap", "Ankle AP", "ankle_foot", _ANKLE, a=0, frame="ankle")
    yield ankle
    yield replace(ankle, name="ankle_mortise", title="Ankle mortise", a=17)
    yield replace(ankle, name="ankle_lateral", title="Ankle lateral", a=-90)
    # The foot's frame stands on its sole: y to the toes, z out of the instep.
    foot = StandardView("foot_dp", "Foot DP", "ankle_foot", _FOOT, a=0, b=-80, frame="foot", up="+y")
    yield foot
    yield replace(foot, name="foot_oblique", title="Foot, medial oblique", a=90, b=-55)
    lateral = replace(foot, name="foot_lateral", title="Foot lateral", a=-90, b=0, up="+z", field=LANDSCAPE)
    yield lateral
    heel = replace(lateral, name="calcaneus_axial", title="Calcaneus, plantodorsal axial", a=0, b=40)
    yield replace(heel, target=_HEEL, field=SMALL)
