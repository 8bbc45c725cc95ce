"""The arm of a procedural patient: sizes of its bones, joints, sides, and what postures do to them."""

from __future__ import annotations

import numpy as np
import pytest
from support.arms import IDS, arm_figure, cloud, gap, local, painted, pieces
from xraykit.render.patient.arm.arm import arm_landmarks
from xraykit.render.patient.body.joint_angles import ArmAngles
from xraykit.render.patient.body.physique import Physique
from xraykit.render.patient.fracture_sites import SITES

BONES = ("scapula", "clavicula", "humerus", "ulna", "radius", "carpal", "metacarpal", "phalanges_hand")


@pytest.fixture(scope="module")
def hanging():
    figure = arm_figure(("humerus_right", (-40, 0, -330)), (140, 105, 430), 2.2)
    painted(figure, sides=("right",))
    return figure


@pytest.fixture(scope="module")
def hand():
    figure = arm_figure(("hand_right", (4, 5, -75)), (80, 42, 112), 1.0)
    painted(figure, sides=("right",), flesh=True)
    return figure


@pytest.mark.parametrize(
    ("bone", "frame", "low", "high"),
    [
        # Mean +- two standard deviations of men (Trotter & Gleser, Am J Phys Anthropol 10, 1952).
        ("humerus", "humerus", 300, 370),
        ("radius", "radius", 225, 278),
        ("ulna", "forearm", 243, 297),
    ],
)
def test_long_bones_are_as_long_as_men_s(hanging, bone, frame, low, high):
    z = local(hanging, f"{frame}_right", cloud(hanging.canvas, f"{bone}_right"))[:, 2]
    assert low < np.ptp(z) < high


def test_epicondyles_and_head_of_the_humerus_are_as_wide_as_men_s(hanging):
    points = local(hanging, "humerus_right", cloud(hanging.canvas, "humerus_right"))
    distal = points[points[:, 2] < -270]
    assert 55 < np.ptp(distal[:, 0]) < 72  # Spradley & Jantz, J Forensic Sci 56, 2011
    head = points[(points @ np.array((-0.65, -0.25, 0.7))) > 12]
    radius = np.linalg.norm(head, axis=1).max()
    assert 43 < 2 * radius < 54  # Boileau & Walch, J Bone Joint Surg Br 79, 1997


def test_third_metacarpal_and_hand_are_as_long_as_men_s(hand):
    points = local(hand, "hand_right", cloud(hand.canvas, "metacarpal_right"))
    third = points[(np.abs(points[:, 0] - 1.5) < 5) & (np.abs(points[:, 1]) < 6)]
    assert 54 < np.ptp(third[:, 2]) < 76  # Buryanov & Kotiuk, Int J Morphol 28, 2010
    k, j, i = np.nonzero(hand.canvas.hu > -500)
    skin = local(hand, "hand_right", hand.canvas.low + hand.canvas.spacing * np.stack([i, j, k], axis=1))
    styloid = local(hand, "hand_right", arm_landmarks(hand, "right")["radial_styloid_right"])
    assert 176 < styloid[2] - skin[:, 2].min() < 214  # Gordon et al., ANSUR, 1988: wrist to middle fingertip


def test_hand_has_twenty_seven_bones_and_two_sesamoids_with_gaps_between(hand):
    assert len(pieces(hand.canvas, "carpal_right")) == 8
    assert len(pieces(hand.canvas, "metacarpal_right")) == 7
    assert len(pieces(hand.canvas, "phalanges_hand_right")) == 14


@pytest.mark.parametrize("bone", ["scapula", "humerus", "ulna", "radius"])
def test_no_bone_floats_in_parts(hanging, bone):
    assert len(pieces(hanging.canvas, f"{bone}_right")) == 1


def test_every_bone_lies_under_the_skin(hand):
    bone, air = hand.canvas.labels > 0, hand.canvas.hu < -500
    shell = np.zeros_like(bone)
    for axis in range(3):
        for step in (-1, 1):
            shell |= np.roll(bone, step, axis)
    assert bone.any()
    assert not (shell[1:-1, 1:-1, 1:-1] & air[1:-1, 1:-1, 1:-1]).any()


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [("humerus", "scapula", 1.5, 7.0), ("clavicula", "scapula", 0.0, 4.5), ("metacarpal", "phalanges_hand", 1.0, 4.0)],
)
def test_joints_have_their_space(hanging, first, second, low, high):
    assert low <= gap(hanging.canvas, f"{first}_right", f"{second}_right") <= high


@pytest.mark.parametrize(("elbow", "pronation"), [(0, 0), (60, 70), (110, 140)])
def test_the_elbow_and_the_wrist_stay_in_contact_however_they_are_held(elbow, pronation):
    angles = ArmAngles(elbow_flexion=elbow, pronation=pronation, wrist_extension=20)
    figure = arm_figure(("forearm_right", (5, 0, -5)), (34, 32, 30), 1.0, angles=angles)
    canvas = painted(figure, sides=("right",))
    for bone in ("ulna", "radius"):
        assert 1.4 < gap(canvas, "humerus_right", f"{bone}_right") < 4.5
    figure = arm_figure(("hand_right", (0, 0, 8)), (34, 34, 16), 1.0, angles=angles)
    canvas = painted(figure, sides=("right",))
    assert 1.4 < gap(canvas, "radius_right", "carpal_right") < 3.5
    assert 1.4 < gap(canvas, "radius_right", "ulna_right") < 4.0


def test_pronation_crosses_the_radius_over_the_front_of_the_ulna():
    def ends(pronation: float) -> tuple[np.ndarray, np.ndarray]:
        figure = arm_figure(("forearm_right", (0, 0, -130)), (90, 70, 140), 2.5, angles=ArmAngles(pronation=pronation))
        canvas = painted(figure, sides=("right",))
        ulna, radius = (local(figure, "forearm_right", cloud(canvas, f"{b}_right")) for b in ("ulna", "radius"))
        cut = {z: [p[np.abs(p[:, 2] + z) < 4].mean(axis=0) for p in (ulna, radius)] for z in (120, 225)}
        return cut[120][1] - cut[120][0], cut[225][1] - cut[225][0]

    _, supine = ends(0)
    middle, prone = ends(150)
    assert supine[0] > 20  # lateral of the ulna
    assert prone[0] < -12  # medial of it
    assert middle[1] > 8  # in front of it where they cross


def test_left_is_right_mirrored(monkeypatch):
    no_streaks = "xraykit.render.patient.body.layers.fat_streaks"  # they are drawn anew on each side
    monkeypatch.setattr(no_streaks, lambda shape, *_: np.zeros(shape, np.float32))
    angles = ArmAngles(abduction=25, elbow_flexion=40, pronation=60, finger_flexion=20, finger_spread=8)
    figure = arm_figure(("trunk", (0, -20, 260)), (420, 400, 300), 8.0, angles=angles)
    figure.canvas.low[0] = -figure.canvas.spacing * (figure.canvas.count[0] - 1) / 2
    canvas = painted(figure, flesh=True)
    assert np.abs(canvas.hu - canvas.hu[:, :, ::-1]).max() < 0.5
    swapped = np.zeros_like(canvas.labels)
    for bone in BONES:
        right, left = IDS[f"{bone}_right"], IDS[f"{bone}_left"]
        swapped[canvas.labels == right], swapped[canvas.labels == left] = left, right
        assert cloud(canvas, f"{bone}_right")[:, 0].min() > 0 > cloud(canvas, f"{bone}_left")[:, 0].max()
    np.testing.assert_array_equal(swapped, canvas.labels[:, :, ::-1])


def test_two_seeds_are_two_persons_and_one_seed_is_one():
    def arm(seed: int) -> np.ndarray:
        figure = arm_figure(("humerus_right", (0, 0, -20)), (60, 60, 60), 3.0)
        return painted(figure, sides=("right",), seed=seed).labels

    assert np.array_equal(arm(1), arm(1))
    assert (arm(1) != arm(2)).sum() > 20


def test_a_woman_s_bones_are_slimmer_than_a_man_s_of_her_height():
    def width(sex: str) -> float:
        physique = Physique(sex=sex)  # type: ignore[arg-type]
        figure = arm_figure(("humerus_right", (0, 0, -290)), (45, 30, 20), 1.0, physique=physique)
        return float(np.ptp(cloud(painted(figure, sides=("right",)), "humerus_right")[:, 0]))

    assert 1.5 < width("male") - width("female") < 6


def test_wear_adds_bone_and_contrast_fills_arteries():
    where = (("humerus_right", (0, 0, -10)), (45, 45, 45), 2.0)
    plain = painted(arm_figure(*where), sides=("right",))
    worn = painted(arm_figure(*where, osteophytes=1.0), sides=("right",))
    assert (worn.labels == IDS["humerus_right"]).sum() > (plain.labels == IDS["humerus_right"]).sum()
    where = (("humerus_right", (-10, 10, -150)), (30, 30, 30), 2.0)
    plain, filled = (painted(arm_figure(*where, contrast=c), sides=("right",)) for c in (0.0, 300.0))
    area = ((filled.hu - plain.hu) / 1345).sum() * 2.0**3 / 60
    assert 13 < area < 20  # an artery 4.6 mm across [mm2]


def test_an_arm_outside_the_grid_leaves_it_empty():
    figure = arm_figure(("trunk", (0, 0, -200)), (40, 40, 40), 5.0)
    canvas = painted(figure, flesh=True)
    assert canvas.hu.max() == -1000
    assert canvas.labels.max() == 0


@pytest.mark.parametrize("site", [s for s in SITES if s.bone in ("humerus", "ulna", "radius")], ids=lambda s: s.name)
def test_fractures_run_through_the_bone(hanging, site):
    at = hanging.landmark(f"{site.frame}_right", site.point)
    assert np.linalg.norm(cloud(hanging.canvas, f"{site.bone}_right") - at, axis=1).min() < hanging.canvas.spacing


def test_landmarks_lie_on_their_bones(hanging):
    labels = {
        "acromion": "scapula",
        "coracoid": "scapula",
        "scapula_inferior_angle": "scapula",
        "epicondyle_lateral": "humerus",
        "epicondyle_medial": "humerus",
        "olecranon": "ulna",
        "ulnar_styloid": "ulna",
        "radial_head": "radius",
        "radial_styloid": "radius",
        "capitate": "carpal",
        "metacarpal_3_base": "metacarpal",
        "humeral_head": "humerus",
    }
    points = arm_landmarks(hanging, "right")
    for name, bone in labels.items():
        away = np.linalg.norm(cloud(hanging.canvas, f"{bone}_right") - points[f"{name}_right"], axis=1).min()
        assert away < 4.0, name
