"""Views of limbs and head lie in the limb's own frame, however it is turned; bodies of capsules say where that is."""

import functools

import pytest
import torch
from support.limbs import ELBOW, FOOT, HAND, HEAD, KNEE, limb, turned
from xraykit.render import GeometryError, Volume, applicable_views, standard_view
from xraykit.render.geometry import project
from xraykit.render.views.axes import upright

PLACE = (30.0, 20.0, 100.0)
TILT = turned(25.0, -30.0, 20.0)
MIRROR = torch.diag(torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64))
PARTS = {"knee": KNEE, "foot": FOOT, "elbow": ELBOW, "hand": HAND}


def turn_of(side):
    """The tilt on the right, its mirror image on the left."""
    return TILT if side == "right" else MIRROR @ TILT @ MIRROR


@functools.cache
def body(name, side="right", without=()):
    return limb(PARTS[name], side=side, turn=turn_of(side), place=PLACE, without=without)


def plan_of(name, view, side="right", without=()):
    return standard_view(body(name, side, without), f"{view}_{side}")


def local_axes(plan, side):
    """The camera's axes in the limb's frame: x lateral, y front, z proximal; on the left a mirrored frame."""
    axes = turn_of(side).T @ plan.pose[0, :3, :3]
    return axes if side == "right" else MIRROR @ axes


def near(vector, expected, degrees):
    cosine = float(vector @ torch.nn.functional.normalize(torch.tensor(expected, dtype=torch.float64), dim=0))
    return cosine > torch.cos(torch.deg2rad(torch.tensor(float(degrees))))


def seen(plan, side, *points):
    world = torch.tensor(points, dtype=torch.float64) @ (torch.eye(3).double() if side == "right" else MIRROR)
    return project(world @ turn_of(side).T + torch.tensor(PLACE), plan.camera, plan.pose).uv[0]


BEAMS = [  # limb, view, beam and image-down in the frame of the right limb (x lateral, y front, z proximal), tolerance
    ("knee", "knee_ap", (0, -1, 0), (0, 0, -1), 4),
    ("knee", "knee_lateral", (1, 0, 0.105), (0, 0, -1), 8),
    ("knee", "tibia_fibula_ap", (0, -1, 0), (0, 0, -1), 4),
    ("knee", "tibia_fibula_lateral", (1, 0, 0), (0, 0, -1), 4),
    ("knee", "patella_sunrise", (0, -0.17, 1), (0, -1, 0), 12),
    ("foot", "ankle_ap", (0, -1, 0), (0, 0, -1), 3),
    ("foot", "ankle_mortise", (-0.292, -0.956, 0), (0, 0, -1), 3),  # the source 17 degrees to the lateral side
    ("foot", "ankle_lateral", (1, 0, 0), (0, 0, -1), 3),
    ("foot", "foot_dp", (0, -0.17, -0.98), (0, -0.98, 0.17), 6),  # through the instep towards the heel, toes up
    ("foot", "foot_lateral", (1, 0, 0), (0, 0, -1), 6),
    ("foot", "foot_oblique", (-0.574, 0, -0.819), (0, -1, 0), 6),
    ("foot", "calcaneus_axial", (0, -0.77, 0.64), (0, -0.64, -0.77), 6),
    ("elbow", "elbow_ap", (0, -1, 0), (0, 0, -1), 3),
    ("elbow", "elbow_lateral", (-1, 0, 0), (0, 0, -1), 3),
    ("elbow", "elbow_oblique_internal", (-1, -1, 0), (0, 0, -1), 3),
    ("elbow", "humerus_ap", (0, -1, 0), (0, 0, -1), 3),
    ("elbow", "forearm_lateral", (-1, 0, 0), (0, 0, -1), 3),
    ("hand", "wrist_pa", (0, 1, 0), (0, 0, 1), 3),  # fingers up
    ("hand", "hand_pa", (0, 1, 0), (0, 0, 1), 12),  # the thumb tilts the plane of the metacarpals
    ("hand", "hand_oblique", (-1, 1, 0), (0, 0, 1), 12),
    ("hand", "hand_lateral", (-1, 0, 0), (0, 0, 1), 12),
]


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize(("name", "view", "beam", "down", "degrees"), BEAMS, ids=[row[1] for row in BEAMS])
def test_beam_and_image_follow_the_tilted_limb(name, view, beam, down, degrees, side):
    axes = local_axes(plan_of(name, view, side), side)
    assert near(axes[:, 2], beam, degrees)
    assert near(axes[:, 1], down, degrees)


@pytest.mark.parametrize("side", ["right", "left"])
def test_lateral_knee_is_a_quarter_turn_about_the_shaft_from_ap(side):
    ap, lateral = (local_axes(plan_of("knee", f"knee_{name}", side), side) for name in ("ap", "lateral"))
    assert abs(float(ap[:, 2] @ lateral[:, 2])) < 1e-6
    assert float(ap[:, 1] @ lateral[:, 1]) == pytest.approx(
        float(torch.cos(torch.deg2rad(torch.tensor(6.0)))), abs=1e-4
    )


@pytest.mark.parametrize("side", ["right", "left"])
def test_joints_are_in_the_middle_and_bones_where_readers_look_for_them(side):
    outward = -1 if side == "right" else 1  # on an AP picture the right limb's outer side is on the viewer's left
    knee = plan_of("knee", "knee_ap", side)
    joint, fibula, femur = seen(knee, side, (0, 0, 0), (38, -14, -80), (0, 8, 100))
    assert torch.linalg.vector_norm(joint - 128) < 12
    assert outward * (fibula[0] - joint[0]) > 20 and femur[1] < joint[1] < fibula[1]
    lateral = plan_of("knee", "knee_lateral", side)
    patella, joint = seen(lateral, side, (0, 38, 20), (0, 0, 0))
    assert outward * (patella[0] - joint[0]) > 20
    hand = plan_of("hand", "hand_pa", side)
    thumb, wrist, fingers = seen(hand, side, (46, 16, -46), (0, 0, -4), (0, 0, -140))
    assert outward * (thumb[0] - wrist[0]) > 10 and fingers[1] < wrist[1]  # seen on the back of the hand


@pytest.mark.parametrize(
    ("name", "view", "without", "basis", "degrees"),
    [
        ("knee", "knee_ap", ("patella",), "condyles, fibula", 4),
        ("knee", "tibia_fibula_ap", ("patella", "femur"), "fibula", 6),
        ("foot", "ankle_ap", ("metatarsal", "phalanges_feet"), "fibula", 6),
        ("hand", "hand_pa", ("phalanges_feet",), "metacarpals, radius and ulna", 12),
    ],
)
@pytest.mark.parametrize("side", ["right", "left"])
def test_front_is_found_from_what_is_left(name, view, without, basis, degrees, side):
    plan = plan_of(name, view, side, without)
    assert plan.metadata["frame_from"] == basis
    front = (0, 1, 0) if view == "hand_pa" else (0, -1, 0)
    assert near(local_axes(plan, side)[:, 2], front, degrees)


def test_without_any_hint_the_front_is_the_volume_s():
    plan = standard_view(limb(KNEE, without=("patella", "fibula")), "knee_ap_right")
    assert plan.metadata["frame_from"].endswith("volume")
    assert near(plan.pose[0, :3, 2], (0, -1, 0), 3)


def test_only_views_of_the_side_that_is_there_apply():
    names = applicable_views(body("knee", "left"))
    assert names and all(name.endswith("_left") for name in names)
    assert {"knee_ap_left", "knee_lateral_left"} <= set(names)


EARS_AND_EYES = {
    "external_ear_canal_left": (-70.0, 0.0, -20.0),
    "external_ear_canal_right": (70.0, 0.0, -20.0),
    "orbit_left": (-30.0, 75.0, -20.0),
    "orbit_right": (30.0, 75.0, -20.0),
    "nasion": (0.0, 88.0, -15.0),
}


def head(pitch):
    turn = turned(pitch, 0.0, 0.0)
    points = {n: turn @ torch.tensor(p, dtype=torch.float64) for n, p in EARS_AND_EYES.items()}
    return turn, limb(HEAD, turn=turn), points


@pytest.mark.parametrize("known", [True, False], ids=["landmarks", "skull alone"])
def test_skull_views_keep_their_angle_to_the_head(known):
    turn, volume, points = head(20.0)
    for name, b in (("skull_ap", 0.0), ("skull_towne", -30.0), ("skull_caldwell", -15.0), ("skull_waters", -53.0)):
        plan = standard_view(volume, name, landmarks=points if known else None)
        tilt = torch.rad2deg(torch.asin((turn.T @ plan.pose[0, :3, 2])[2]))
        assert float(tilt) == pytest.approx(b, abs=0.01 if known else 3.0), name


def test_landmarks_are_the_target_where_they_are_given():
    _, volume, points = head(0.0)
    plan = standard_view(volume, "skull_pa", landmarks=points)
    assert plan.targets == ("nasion",) and plan.metadata["isocenter"] == points["nasion"].tolist()
    assert plan.metadata["frame_from"] == "orbitomeatal line"
    assert standard_view(volume, "skull_pa").targets == ("skull",)


def test_ears_and_eyes_may_be_labels():
    _, volume, points = head(0.0)
    labels, names = volume.labels.clone(), dict(volume.label_names)
    for value, name in enumerate(points, start=10):
        i, j, k = (
            (torch.linalg.inv(volume.affine)[:3] @ torch.cat([points[name], torch.ones(1)])).round().int().tolist()
        )
        labels[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2] = value
        names[value] = name.replace("external_ear", "auditory").replace("orbit", "eye")
    plan = standard_view(Volume(volume.mu, volume.affine, labels=labels, label_names=names), "skull_ap")
    assert plan.metadata["frame_from"] == "orbitomeatal line"
    assert near(plan.pose[0, :3, 2], (0, -1, 0), 2)


def test_a_frame_that_no_hint_can_tell_is_refused():
    front = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    with pytest.raises(GeometryError, match="a bone that points to the front needs a neighbour"):
        upright(front, [("patella", None), ("volume", front)])
