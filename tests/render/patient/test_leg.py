"""The leg of a procedural patient: sizes of its bones, joints, sides, and what postures do to them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from support.legs import IDS, cloud, count_pieces, gap, leg_figure, local, painted_legs
from xraykit.render.patient.body.joint_angles import LegAngles
from xraykit.render.patient.body.physique import Physique
from xraykit.render.patient.body.skeleton import SIDES
from xraykit.render.patient.canvas import Canvas
from xraykit.render.patient.fracture_sites import SITES
from xraykit.render.patient.leg.foot_rays import metatarsal, phalanx, rays
from xraykit.render.patient.leg.foot_tarsals import tarsals
from xraykit.render.patient.leg.leg import leg_landmarks
from xraykit.render.patient.leg.shape import LegShape, sample_leg

BONES = ("femur", "patella", "tibia", "fibula", "tarsal", "metatarsal", "phalanges_feet")
KNEE = ("femur_right", (0, 15, -432))


@pytest.fixture(scope="module")
def limb():
    figure = leg_figure(("femur_right", (10, 10, -400)), (70, 65, 450), 2.0)
    painted_legs(figure)
    return figure


@pytest.fixture(scope="module")
def foot():
    figure = leg_figure(("foot_right", (0, 78, -20)), (60, 150, 62), 1.4)
    painted_legs(figure, flesh=True)
    return figure


@pytest.mark.parametrize(
    ("bone", "low", "high"),
    [
        # Mean +- two standard deviations of men.
        ("femur", 416, 512),  # Mall et al., Forensic Sci Int 113, 2000
        # What a stature of 1.75 m predicts +- two standard errors: Trotter & Gleser, Am J Phys Anthropol 10, 1952.
        ("tibia", 355, 410),
        ("fibula", 355, 410),
    ],
)
def test_long_bones_are_as_long_as_men_s(limb, bone, low, high):
    frame = "femur_right" if bone == "femur" else "tibia_right"
    assert low < np.ptp(local(limb, frame, cloud(limb.canvas, f"{bone}_right"))[:, 2]) < high


def test_the_femoral_head_is_a_ball_about_the_hip_joint(limb):
    points = local(limb, "femur_right", cloud(limb.canvas, "femur_right"))
    head = np.linalg.norm(points[points @ np.array((-0.72, 0.13, 0.68)) > 12], axis=1).max()
    assert 43 < 2 * head < 52  # Mall et al., 2000: 49 (3) mm


def test_the_femoral_neck_has_its_angle_to_the_shaft_and_to_the_front(limb):
    points = local(limb, "femur_right", cloud(limb.canvas, "femur_right"))
    axis = -points[np.abs(np.linalg.norm(points, axis=1) - 31) < 3].mean(axis=0)  # from the neck's waist to the head
    shaft = [points[np.abs(points[:, 2] - z) < 4].mean(axis=0) for z in (-120, -330)]
    down = np.subtract(shaft[1], shaft[0])[[0, 2]]
    cosine = axis[[0, 2]] @ down / np.linalg.norm(axis[[0, 2]]) / np.linalg.norm(down)
    assert 120 < np.degrees(np.arccos(cosine)) < 138  # 129: Toogood et al., Clin Orthop Relat Res 467, 2009
    assert 0 < np.degrees(np.arctan2(axis[1], -axis[0])) < 25  # 10


def test_the_knee_is_as_wide_as_men_s(limb):
    femur, tibia, patella = (
        local(limb, f"{b}_right", cloud(limb.canvas, f"{b}_right")) for b in ("femur", "tibia", "patella")
    )
    assert 75 < np.ptp(femur[femur[:, 2] < -395][:, 0]) < 97  # Kapur et al., Folia Medica; Terzidis et al., 2012
    assert 68 < np.ptp(tibia[tibia[:, 2] > -45][:, 0]) < 84  # Kwak et al., Knee 14, 2007
    assert 41 < np.ptp(tibia[(tibia[:, 2] > -34)][:, 1]) < 55
    assert 35 < np.ptp(patella[:, 0]) < 54.5  # Iranpour et al., Clin Orthop Relat Res 466, 2008
    assert 18 < np.ptp(patella[:, 1]) < 27


def test_the_foot_is_as_long_as_men_s(foot):
    k, j, i = np.nonzero(foot.canvas.hu > -500)
    skin = local(foot, "foot_right", foot.canvas.low + foot.canvas.spacing * np.stack([i, j, k], axis=1))
    assert 245 < np.ptp(skin[:, 1]) < 287  # 0.152 of stature: Winter, Biomechanics, 2009
    assert 85 < np.ptp(skin[skin[:, 1] > 60][:, 0]) < 112
    assert -74 < skin[:, 2].min() < -66  # the sole: 0.039 of stature below the ankle


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ("femur", "tibia", 3.0, 6.0),
        ("femur", "patella", 2.0, 6.0),
        ("femur", "fibula", 12, 40),
        ("tibia", "fibula", 1.0, 4.0),
        ("tibia", "tarsal", 2.0, 5.0),
        ("fibula", "tarsal", 2.0, 5.5),
    ],
)
def test_joints_have_their_space(limb, first, second, low, high):
    assert low < gap(limb.canvas, f"{first}_right", f"{second}_right") < high


@pytest.mark.parametrize("flexion", [30, 60, 90])
def test_the_bent_knee_stays_in_contact(flexion):
    figure = leg_figure(KNEE, (48, 60, 62), 2.0, angles=LegAngles(knee_flexion=flexion))
    canvas = painted_legs(figure)
    for other in ("tibia", "patella"):
        assert 1.5 < gap(canvas, "femur_right", f"{other}_right") < 7


@pytest.mark.parametrize("dorsiflexion", [-30, 15])
def test_the_talus_turns_freely_in_the_mortise(dorsiflexion):
    angles = LegAngles(ankle_dorsiflexion=dorsiflexion)
    figure = leg_figure(("foot_right", (0, 0, 0)), (38, 40, 34), 1.3, angles=angles)
    canvas = painted_legs(figure)
    for other in ("tibia", "fibula"):
        assert 1.0 < gap(canvas, "tarsal_right", f"{other}_right") < 6


def test_every_bone_of_the_foot_stands_apart_from_its_neighbours():
    canvas = Canvas((-50, -60, -75), (50, 220, 25), 1.0)
    shape = LegShape()
    parts = dict(tarsals(canvas, shape))
    for n, ray in enumerate(rays(shape)):
        parts[f"metatarsal {n}"] = metatarsal(canvas, n, ray, shape)
        parts |= {f"phalanx {n} {k}": phalanx(canvas, n, k, ray) for k in range(len(ray.joints) - 1)}
    fields = {}
    for name, (region, distance) in parts.items():
        fields[name] = np.full(canvas.hu.shape, 50, np.float32)
        fields[name][region.window] = distance
    # Half the width of the joint space is the least distance at which a point is as near to one as to the other.
    gaps = {pair: 2 * float(np.maximum(fields[pair[0]], fields[pair[1]]).min()) for pair in combinations(parts, 2)}
    assert len(parts) == 7 + 5 + 14
    assert min(gaps.values()) > 0.8
    for name in parts:  # and near to at least one
        assert min(width for pair, width in gaps.items() if name in pair) < 3.0, name


@pytest.mark.parametrize("bone", ["femur", "patella", "tibia", "fibula"])
def test_no_bone_floats_in_parts(limb, bone):
    assert count_pieces(limb.canvas, f"{bone}_right") == 1


@pytest.mark.parametrize("flexion", [0, 80])
def test_every_bone_of_the_knee_lies_under_the_skin(flexion):
    figure = leg_figure(KNEE, (60, 90, 80), 2.5, angles=LegAngles(knee_flexion=flexion))
    _assert_covered(painted_legs(figure, flesh=True))


def test_every_bone_of_the_foot_lies_under_the_skin(foot):
    _assert_covered(foot.canvas)


def _assert_covered(canvas: Canvas) -> None:
    bone, air = canvas.labels > 0, canvas.hu < -500
    shell = np.zeros_like(bone)
    for axis in range(3):
        for step in (-1, 1):
            shell |= np.roll(bone, step, axis)
    assert bone.any()
    assert not (shell[1:-1, 1:-1, 1:-1] & air[1:-1, 1:-1, 1:-1]).any()


def test_the_shaft_of_the_femur_is_a_thick_cortex_round_marrow(limb):
    points = cloud(limb.canvas, "femur_right")
    z = local(limb, "femur_right", points)[:, 2]
    for low, high, share in ((-240, -200, (0.55, 0.9)), (-425, -415, (0.02, 0.3))):
        here = points[(z > low) & (z < high)]
        i, j, k = np.round((here - limb.canvas.low) / limb.canvas.spacing).astype(int).T
        hu = limb.canvas.hu[k, j, i]
        assert share[0] < (hu > 600).mean() < share[1]
    assert 25 < np.ptp(points[(z > -240) & (z < -236)][:, 0]) < 35


def test_left_is_right_mirrored(monkeypatch):
    no_streaks = "xraykit.render.patient.body.layers.fat_streaks"  # they are drawn anew on each side
    monkeypatch.setattr(no_streaks, lambda shape, *_: np.zeros(shape, np.float32))
    angles = LegAngles(flexion=10, abduction=8, knee_flexion=30, ankle_dorsiflexion=-15, internal_rotation=-12)
    figure = leg_figure(("trunk", (0, 20, -520)), (260, 260, 510), 8.0, angles=angles)
    figure.canvas.low[0] = -figure.canvas.spacing * (figure.canvas.count[0] - 1) / 2
    canvas = painted_legs(figure, sides=SIDES, flesh=True)
    assert np.abs(canvas.hu - canvas.hu[:, :, ::-1]).max() < 5  # 0.04 mm of a surface
    swapped = np.zeros_like(canvas.labels)
    for bone in BONES:
        right, left = IDS[f"{bone}_right"], IDS[f"{bone}_left"]
        swapped[canvas.labels == right], swapped[canvas.labels == left] = left, right
        assert cloud(canvas, f"{bone}_right")[:, 0].min() > 0 > cloud(canvas, f"{bone}_left")[:, 0].max()
    np.testing.assert_array_equal(swapped, canvas.labels[:, :, ::-1])


def test_two_seeds_are_two_persons_and_one_seed_is_one():
    def knee(seed: int) -> np.ndarray:
        return painted_legs(leg_figure(KNEE, (60, 60, 60), 3.0), seed=seed).labels

    assert np.array_equal(knee(1), knee(1))
    assert (knee(1) != knee(2)).sum() > 20


def test_women_s_hips_have_smaller_heads_and_more_anteversion():
    def mean(sex: str) -> np.ndarray:
        figure = leg_figure(KNEE, (4, 4, 4), 4.0, physique=Physique(sex=sex))  # type: ignore[arg-type]
        shapes = [sample_leg(figure, seed) for seed in range(40)]
        return np.mean([(s.head, s.anteversion, s.hallux, s.neck_shaft) for s in shapes], axis=0)

    man, woman = mean("male"), mean("female")
    assert woman[0] < man[0]
    assert np.all(woman[1:] > man[1:])
    assert 125 < man[3] < 131


def test_fat_is_outside_the_muscle_and_grows_with_body_mass():
    def width(bmi: float) -> float:
        figure = leg_figure(("femur_right", (10, 0, -230)), (150, 150, 8), 4.0, physique=Physique(bmi=bmi))
        canvas = painted_legs(figure, flesh=True)
        assert np.median(canvas.hu[2, canvas.hu.shape[1] // 2 - 12 : canvas.hu.shape[1] // 2 - 8]) <= 60
        return float((canvas.hu[2] > -500).sum() ** 0.5) * 4

    assert width(36) > width(22) + 10


def test_wear_adds_bone_and_contrast_fills_arteries():
    plain, worn = (painted_legs(leg_figure(KNEE, (55, 60, 55), 2.0, osteophytes=w)) for w in (0.0, 1.0))
    for bone in ("femur", "tibia", "patella"):
        assert (worn.labels == IDS[f"{bone}_right"]).sum() > (plain.labels == IDS[f"{bone}_right"]).sum()
    where = (("femur_right", (-2, -28, -410)), (20, 16, 20), 2.0)
    plain, filled = (painted_legs(leg_figure(*where, contrast=c)) for c in (0.0, 300.0))
    outside = filled.labels == 0
    assert plain.hu[outside].max() < 150 < 250 < filled.hu[outside].max()


def test_a_leg_outside_the_grid_leaves_it_empty():
    canvas = painted_legs(leg_figure(("trunk", (0, 0, 400)), (40, 40, 40), 5.0), flesh=True)
    assert canvas.hu.max() == -1000
    assert canvas.labels.max() == 0


@pytest.mark.parametrize("site", [s for s in SITES if s.bone in BONES], ids=lambda s: s.name)
def test_fractures_run_through_the_bone(limb, site):
    at = limb.landmark(f"{site.frame}_right", site.point)
    assert np.linalg.norm(cloud(limb.canvas, f"{site.bone}_right") - at, axis=1).min() < limb.canvas.spacing


def test_landmarks_lie_on_their_bones(limb, foot):
    bones = {
        "femur": (
            "femoral_head greater_trochanter lesser_trochanter femoral_epicondyle_medial femoral_epicondyle_lateral"
        ),
        "tibia": "tibial_plateau_medial tibial_plateau_lateral tibial_tuberosity malleolus_medial",
        "fibula": "fibular_head malleolus_lateral",
        "patella": "patella_center patella_apex patella_base",
        "tarsal": "calcaneus_posterior",
        "metatarsal": " ".join(f"metatarsal_head_{n}" for n in range(1, 6)),
    }
    for bone, names in bones.items():
        figure = foot if "tarsal" in bone else limb
        points = leg_landmarks(figure, "right", 0)
        for name in names.split():
            away = np.linalg.norm(cloud(figure.canvas, f"{bone}_right") - points[f"{name}_right"], axis=1).min()
            assert away < 4.0, name
