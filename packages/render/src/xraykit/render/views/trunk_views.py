"""The standard views of trunk and head; angles of sided views are those of the right (or of the detector there).

After general radiography: Lampignano and Kendrick's positions as summarised by Radiopaedia and Wheeless; inlet and
outlet by the intra-operative means of Eastman and Routt, J. Orthop. Traumatol. 2015.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .definition import StandardView, ViewTarget, sided

LARGE_PORTRAIT, LARGE_LANDSCAPE = (350.0, 430.0), (430.0, 350.0)
LANDSCAPE, SQUARE, SMALL = (300.0, 240.0), (300.0, 300.0), (180.0, 240.0)
RING = ("hip_left", "hip_right", "sacrum|vertebrae_S1")

_LUNGS = ViewTarget("centre", ("lung_*|lungs",))
_RIBS = ViewTarget("centre", ("ribs_{side}",))
_STERNUM = ViewTarget("centre", ("sternum",))
_KUB = ViewTarget("centre", ("vertebrae_L4",), needs=("hip_left", "hip_right"))
_ABDOMEN = ViewTarget("centre", ("vertebrae_L3",), offset=(0.0, 40.0, 0.0), needs=("vertebrae_L1", "vertebrae_L5"))
_PELVIS = ViewTarget("centre", RING)
_ACETABULUM = ViewTarget("joint", ("hip_{side}", "femur_{side}"))
_SACRUM = ViewTarget("centre", ("sacrum|vertebrae_S1",))
_SI = ViewTarget("joint", ("hip_{side}", "sacrum|vertebrae_S1"))
_CERVICAL = ViewTarget("centre", ("vertebrae_C4",), needs=("vertebrae_C3", "vertebrae_C5"))
_CERVICAL_LOW = replace(_CERVICAL, needs=("vertebrae_C2", "vertebrae_C7"))  # C7 must be seen
_THORACIC = ViewTarget("centre", ("vertebrae_T7",), needs=("vertebrae_T3", "vertebrae_T11"))
_LUMBAR = ViewTarget("centre", ("vertebrae_L3",), needs=("vertebrae_L1", "vertebrae_L5"))
_SKULL = ViewTarget("centre", ("skull",))
_NASION = replace(_SKULL, landmark="nasion")


def trunk_views() -> Iterator[StandardView]:
    """Every view of thorax, abdomen, pelvis, spine and skull."""
    yield from _thorax()
    yield from _pelvis()
    yield from _spine()
    yield from _skull()


def _thorax() -> Iterator[StandardView]:
    chest = StandardView("chest_ap", "Chest AP (supine)", "thorax", _LUNGS, a=0, field=LARGE_PORTRAIT, sid=1200)
    yield chest
    yield replace(chest, name="chest_pa", title="Chest PA", a=180, sid=1800, mirrored_display=True)
    yield from sided(replace(chest, name="chest_lateral", title="Chest lateral", a=-90, sid=1800))
    oblique = replace(chest, name="ribs_oblique", title="Ribs, AP oblique with this side down", a=-45, target=_RIBS)
    yield from sided(oblique)
    sternum = StandardView("sternum_rao", "Sternum RAO", "thorax", _STERNUM, a=197, mirrored_display=True)
    yield sternum
    lateral = replace(sternum, name="sternum_lateral", title="Sternum lateral", a=-90, mirrored_display=False)
    yield from sided(lateral)
    abdomen = StandardView("abdomen_ap", "Abdomen AP (KUB)", "abdomen_pelvis", _KUB, a=0, field=LARGE_PORTRAIT)
    yield abdomen
    lying = replace(abdomen, name="abdomen_decubitus", title="Abdomen AP, lying on the side", pose_limited=True)
    yield replace(lying, target=replace(_ABDOMEN, offset=(0.0, 0.0, 0.0)))
    yield from sided(replace(abdomen, name="abdomen_lateral", title="Abdomen lateral", a=-90, target=_ABDOMEN))


def _pelvis() -> Iterator[StandardView]:
    pelvis = StandardView("pelvis_ap", "Pelvis AP", "abdomen_pelvis", _PELVIS, a=0, field=LARGE_LANDSCAPE)
    yield pelvis
    yield replace(pelvis, name="pelvis_inlet", title="Pelvis inlet (caudad beam)", b=-30)
    yield replace(pelvis, name="pelvis_outlet", title="Pelvis outlet (cephalad beam)", b=40)
    yield from sided(replace(pelvis, name="pelvis_lateral", title="Pelvis lateral", a=-90, field=SQUARE))
    cup = StandardView("judet_iliac", "Judet, iliac oblique", "hip", _ACETABULUM, a=-45)
    yield from sided(cup)
    yield from sided(replace(cup, name="judet_obturator", title="Judet, obturator oblique", a=45))
    outlet = replace(cup, name="obturator_outlet", title="Obturator oblique with outlet tilt", a=35, b=30)
    yield from sided(replace(outlet, field=SQUARE))
    inlet = replace(cup, name="iliac_inlet", title="Iliac oblique with inlet tilt", a=-35, b=-25)
    yield from sided(replace(inlet, field=SQUARE))
    sacrum = StandardView("sacrum_ap", "Sacrum AP axial", "abdomen_pelvis", _SACRUM, a=0, b=15)
    yield sacrum
    yield replace(sacrum, name="coccyx_ap", title="Coccyx AP axial", b=-10)
    yield from sided(replace(sacrum, name="sacrum_lateral", title="Sacrum and coccyx lateral", a=-90, b=0))
    joints = replace(sacrum, name="si_joints_ap", title="Sacroiliac joints AP axial", b=32, field=LANDSCAPE)
    yield replace(joints, target=replace(_SACRUM, needs=("hip_left", "hip_right")))
    oblique = replace(sacrum, name="si_joint_oblique", title="Sacroiliac joint, oblique", a=27, b=0, target=_SI)
    yield from sided(oblique)


def _spine() -> Iterator[StandardView]:
    neck = StandardView("cervical_spine_ap", "Cervical spine AP axial", "cervical_spine", _CERVICAL, a=0, b=17)
    neck = replace(neck, field=SMALL)
    yield neck
    far = replace(neck, sid=1800)
    lateral = replace(far, name="cervical_spine_lateral", title="Cervical spine lateral", a=-90, b=0)
    yield from sided(replace(lateral, target=_CERVICAL_LOW))
    yield from sided(replace(far, name="cervical_spine_oblique", title="Cervical spine AP oblique", a=-45, b=15))
    dens = replace(neck, name="odontoid", title="Odontoid (open mouth)", b=0, frame="head", pose_limited=True)
    yield replace(dens, target=ViewTarget("centre", ("vertebrae_C1", "vertebrae_C2"), needs=("skull",)))
    thoracic = StandardView("thoracic_spine_ap", "Thoracic spine AP", "thoracic_spine", _THORACIC, a=0)
    thoracic = replace(thoracic, field=LARGE_PORTRAIT)
    yield thoracic
    yield from sided(replace(thoracic, name="thoracic_spine_lateral", title="Thoracic spine lateral", a=-90))
    yield from sided(replace(thoracic, name="thoracic_spine_oblique", title="Thoracic spine AP oblique", a=-70))
    lumbar = StandardView("lumbar_spine_ap", "Lumbar spine AP", "lumbar_spine", _LUMBAR, a=0, field=LARGE_PORTRAIT)
    yield lumbar
    yield from sided(replace(lumbar, name="lumbar_spine_lateral", title="Lumbar spine lateral", a=-90))
    oblique = replace(lumbar, name="lumbar_spine_oblique", title="Lumbar spine AP oblique", a=-45, field=SQUARE)
    yield from sided(oblique)
    spot = replace(lumbar, name="l5_s1_lateral", title="L5-S1 spot, lateral", a=-90, b=-6, field=SMALL)
    yield from sided(replace(spot, target=ViewTarget("joint", ("vertebrae_L5", "sacrum|vertebrae_S1"))))


def _skull() -> Iterator[StandardView]:
    ap = StandardView("skull_ap", "Skull AP", "skull", _NASION, a=0, frame="head")
    yield ap
    pa = replace(ap, name="skull_pa", title="Skull PA", a=180, mirrored_display=True)
    yield pa
    yield replace(pa, name="skull_caldwell", title="Skull PA axial (Caldwell)", b=-15)
    waters = replace(pa, name="skull_waters", title="Parietoacanthial (Waters)", b=-53)
    yield replace(waters, target=replace(_SKULL, landmark="acanthion"))
    yield replace(ap, name="skull_towne", title="Skull AP axial (Towne)", b=-30, target=_SKULL)
    lateral = replace(ap, name="skull_lateral", title="Skull lateral", a=-90, target=_SKULL, field=LANDSCAPE)
    yield from sided(lateral)
    base = replace(ap, name="skull_smv", title="Skull base, submentovertical", b=90, up="+y", target=_SKULL)
    yield replace(base, pose_limited=True)
