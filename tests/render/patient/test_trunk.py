"""The trunk of a procedural patient: labels, sizes, sides, what age, sex, breath, wear and contrast agent change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.legs import IDS, cloud, count_pieces
from support.trunks import CHEST, MAN, WOMAN, painted_trunk, trunk_figure
from xraykit.render.patient.body.joint_angles import Posture
from xraykit.render.patient.body.trunk_shape import levels
from xraykit.render.patient.canvas import Canvas
from xraykit.render.patient.trunk.hip import hip
from xraykit.render.patient.trunk.ribs import paint_rib_cage
from xraykit.render.patient.trunk.sacrum import sacrum
from xraykit.render.patient.trunk.trunk import paint_trunk_organs, trunk_landmarks
from xraykit.render.patient.trunk.variation import sample_trunk
from xraykit.render.patient.trunk.vertebra import Wear, vertebra
from xraykit.render.volumes.label_names import label_table

ELSEWHERE = {f"{bone}_{side}" for bone in ("humerus", "scapula", "clavicula", "femur") for side in ("left", "right")}
ELSEWHERE |= {"skull", "brain", "vertebrae_C1", "vertebrae_C2"}


@pytest.fixture(scope="module")
def man():
    return painted_trunk(trunk_figure())


@pytest.fixture(scope="module")
def woman():
    return painted_trunk(trunk_figure(physique=replace(WOMAN, age=80), contrast=300.0, osteophytes=0.8), seed=1)


def names_of(figure):
    table = label_table("procedural")
    return {table[int(v)] for v in np.unique(figure.canvas.labels) if v}


def median(figure, name):
    return float(np.median(figure.canvas.hu[figure.canvas.labels == IDS[name]]))


def breadth(figure, *labels):
    return float(np.ptp(np.concatenate([cloud(figure.canvas, name)[:, 0] for name in labels])))


def local(figure, name):
    return np.stack(figure.skeleton.trunk.to_local(*cloud(figure.canvas, name).T), axis=1)


def test_every_structure_of_the_trunk_that_totalsegmentator_names_exists(man, woman):
    everything = set(label_table("totalsegmentator_v2").values()) - ELSEWHERE
    cysts = {"kidney_cyst_left", "kidney_cyst_right"}
    assert everything - names_of(man) <= cysts
    assert everything - names_of(woman) - cysts == {"prostate"}
    assert "intervertebral_discs" in names_of(man)


def test_sides_are_right(man):
    for name in names_of(man):
        x = local(man, name)[:, 0].mean()
        if "_right" in name or name in ("liver", "gallbladder", "superior_vena_cava", "inferior_vena_cava"):
            assert x > 3, name
        if "_left" in name or name in ("heart", "stomach", "spleen", "aorta"):
            assert x < -3, name


@pytest.mark.parametrize("bone", ["vertebrae_L3", "vertebrae_T8", "vertebrae_C5", "sacrum", "hip_left", "hip_right"])
def test_a_bone_is_one_piece(man, bone):
    assert count_pieces(man.canvas, bone) == 1


@pytest.mark.parametrize(
    ("name", "width", "depth", "height"),
    [
        # Ranges over the means +- 2 standard deviations of Panjabi et al., Spine 16, 1991 and 17, 1992, and of Zhou et
        # al., Eur Spine J 9, 2000.
        ("T6", (24, 34), (21, 31), (17, 23)),
        ("T12", (35, 46), (27, 37), (20, 28)),
        ("L1", (37, 50), (27, 38), (21, 31)),
        ("L3", (38, 54), (28, 40), (22, 32)),
        ("L5", (43, 60), (28, 41), (20, 32)),
    ],
)
def test_vertebral_bodies_have_the_size_of_adults(name, width, depth, height):
    level = levels()[name]
    x, y, z = level.center
    canvas = Canvas((x - 60, y - 85, z - 60), (x + 60, y + 35, z + 60), 0.75)
    region, field = vertebra(canvas, level)
    up = np.abs((region.z - z) + level.lean * (region.y - y))
    middle = np.broadcast_to(np.abs(region.y - y) < 6, field.shape) & (field < 0)
    rim = middle & (np.abs(up - level.half[2] + 2) < 1.5)
    across = np.broadcast_to(region.x, field.shape)[rim]
    assert width[0] < np.ptp(across) < width[1]
    front = (field < 0) & (np.abs(region.x - x) < 3) & (np.abs(up - level.half[2] + 2) < 1.5)
    front &= region.y > y - 1.05 * level.half[1]
    assert depth[0] < np.ptp(np.broadcast_to(region.y, field.shape)[front]) < depth[1]
    column = (field < 0) & (np.abs(region.x - x) < 2) & (np.abs(region.y - y - 0.7 * level.half[1]) < 1)
    assert height[0] < np.ptp(np.broadcast_to(region.z, field.shape)[column]) < height[1]


@pytest.mark.parametrize("name", ["T9", "L2", "L3", "L4"])
def test_the_nerve_root_s_foramen_is_open_and_the_canal_is_wide(name):
    level = levels()[name]
    x, y, z = level.center
    below = levels()[{"T9": "T10", "L2": "L3", "L3": "L4", "L4": "L5"}[name]]
    canvas = Canvas((x - 45, y - 70, z - 50), (x + 45, y + 30, z + 30), 1.0)
    field = np.full(canvas.hu.shape, 1e3)
    for one in (level, below):
        region, part = vertebra(canvas, one)
        field[region.window] = np.minimum(field[region.window], part)
    wall = y - 0.95 * level.half[1]
    ray = canvas.region((x - 40, wall - 4, z - 0.6 * level.half[2]), (x + 40, wall, z)).window
    line = field[ray[0].start, ray[1].start, ray[2]]
    assert line.min() > 0.3
    canal = field[int(z - canvas.low[2]), int(wall - 8 - canvas.low[1])]
    inside = canal[39:52]
    assert inside.min() > 0  # 13 mm at least


def test_wear_draws_out_the_rims_of_a_body_and_leaves_its_waist():
    level = levels()["L4"]
    x, y, z = level.center
    canvas = Canvas((x - 40, y - 30, z - 25), (x + 40, y + 30, z + 25), 1.0)
    reach = {}
    for spurs in (0.0, 6.0):
        region, field = vertebra(canvas, level, wear=Wear(spurs))
        x_of = np.broadcast_to(region.x, field.shape)
        for part, height in (("rim", level.half[2] - 1), ("waist", 0.0)):
            at = (field < 0) & (np.abs(region.z - z - height) < 1) & (np.abs(region.y - y) < 6)
            reach[part, spurs] = np.ptp(x_of[at])
    assert 3 < reach["rim", 6.0] - reach["rim", 0.0] < 14
    assert abs(reach["waist", 6.0] - reach["waist", 0.0]) <= 1


def test_the_chest_is_as_wide_as_an_adult_s_and_a_woman_s_is_narrower(man, woman):
    ribs = [f"rib_{side}_{n}" for side in ("left", "right") for n in (7, 8, 9)]
    assert 250 < breadth(man, *ribs) < 310  # Bellemare et al., J Appl Physiol 95, 2003
    assert 215 < breadth(woman, *ribs) < breadth(man, *ribs) - 10


def test_the_lungs_fill_the_rib_cage(man, woman):
    for figure in (man, woman):
        lungs = [name for name in IDS if name.startswith("lung_")]
        ribs = [f"rib_{side}_{n}" for side in ("left", "right") for n in (4, 5, 6, 7, 8)]
        assert 8 < breadth(figure, *ribs) - breadth(figure, *lungs) < 40


def test_no_spinous_process_reaches_the_skin(man, woman):
    for figure in (man, woman):
        bones = np.isin(figure.canvas.labels, [v for n, v in IDS.items() if n.startswith("vertebrae_")])
        neck = (figure.skeleton.point("trunk", (0.0, 0.0, 505.0))[2] - figure.canvas.low[2]) / 5
        rows = np.flatnonzero(np.any(bones, axis=(1, 2))[: int(neck)])  # the neck's skin is the head's
        bone, body = (np.argmax(np.any(mask[rows], axis=2), axis=1) * 5.0 for mask in (bones, figure.canvas.hu > -500))
        assert (bone - body).min() >= 5


def test_the_pelvis_is_as_wide_as_an_adult_s(man, woman):
    """Bi-iliac breadth, women's larger for their height: Ruff, Am J Phys Anthropol 98, 1995."""
    wide = {name: breadth(f, "hip_left", "hip_right") for name, f in (("man", man), ("woman", woman))}
    assert 245 < wide["man"] < 310
    assert 235 < wide["woman"] < 305
    assert wide["woman"] / 1613 > wide["man"] / 1750 + 0.005


def subpubic_angle(shape):
    """Angle between the inner borders of the lower rami, seen from the front."""
    canvas = Canvas((0, -40, -152), (70, 70, -118), 1.0)
    region, field = hip(canvas, 1, shape)
    seen = np.any(field < 0, axis=1)
    x = region.x[0, 0]
    inner = {z: x[seen[int(z + 152 - region.window[0].start)]].min() for z in (-128, -144)}
    return 2 * np.degrees(np.arctan((inner[-144] - inner[-128]) / 16))


def test_the_subpubic_arch_is_wider_in_women():
    """Men 94 and women 116 degrees on radiographs, with wide ranges (Igbigbi & Nanono-Igbigbi, East Afr Med J 80)."""
    angles = {}
    for physique in (MAN, WOMAN):
        figure = trunk_figure(spacing=60.0, physique=physique)
        angles[physique.sex] = np.mean([subpubic_angle(sample_trunk(figure, seed)) for seed in range(4)])
    assert 60 < angles["male"] < 105
    assert 85 < angles["female"] < 130
    assert angles["female"] > angles["male"] + 8


def test_joint_spaces_of_the_pelvis_are_open(man):
    shape = sample_trunk(man, 0)
    canvas = Canvas((20, -105, -75), (80, -25, 5), 1.5)
    (where, bone), (region, wing) = sacrum(canvas, shape), hip(canvas, 1, shape)
    both = np.full(canvas.hu.shape, 1e3), np.full(canvas.hu.shape, 1e3)
    both[0][where.window], both[1][region.window] = bone, wing
    assert not np.any((both[0] < 0) & (both[1] < 0))
    near = (both[0] < 3.5) & (both[1] < 3.5)
    assert near.sum() > 200  # they face each other over a broad joint
    pubis = Canvas((0, 40, -125), (30, 75, -85), 1.0)
    region, field = hip(pubis, 1, shape)
    assert 1 < np.broadcast_to(region.x, field.shape)[field < 0].min() < 4  # half the symphysis


def heart_share(figure):
    lungs = [n for n in IDS if n.startswith("lung_")]
    return breadth(figure, "heart") / breadth(figure, *lungs)


def test_the_heart_is_less_than_half_as_wide_as_the_chest(man, woman):
    """Cardiothoracic ratio of healthy adults 0.39 to 0.50 (Danzer, Am J Med Sci 157, 1919), more in the old."""
    assert 0.38 < heart_share(man) < 0.5
    assert 0.38 < heart_share(woman) < 0.55


def test_a_deep_breath_fills_the_lungs_and_lowers_the_diaphragm():
    litres, floors = [], []
    for breath in (0.0, 1.0):
        figure = trunk_figure(CHEST, 7.0, posture=Posture(breathing=breath))
        paint_trunk_organs(figure, 0)
        air = np.isin(figure.canvas.labels, [v for n, v in IDS.items() if n.startswith("lung_")])
        litres.append(air.sum() * 7.0**3 / 1e6)
        floors.append(cloud(figure.canvas, "liver")[:, 2].max())
    assert 2 < litres[0] < litres[1] - 0.7
    assert litres[1] < 7.5  # total capacity of a man of 1.75 m about 6.9 l (Quanjer et al., Eur Respir J 6, 1993)
    assert floors[0] - floors[1] > 30


def test_scoliosis_has_its_cobb_angle_and_bends_the_breastbone_less():
    figure = trunk_figure(spacing=60.0, posture=Posture(scoliosis=30.0))
    points = trunk_landmarks(figure, 0)
    tilts = {}
    for name, level in levels().items():
        up = figure.skeleton.trunk.rigid_at(level.center).matrix[:3, 2]
        tilts[name] = np.degrees(np.arctan2(up[0], up[2]))
    assert np.ptp(list(tilts.values())) == pytest.approx(30, abs=3)
    apex = max(points[f"vertebrae_{name}_center"][0] for name in levels())
    assert apex > 20  # convex to the right
    assert points["xiphoid_tip"][0] < 0.6 * apex


def test_contrast_agent_fills_arteries_before_veins_and_organs(man, woman):
    for name in ("aorta", "iliac_artery_left", "subclavian_artery_right"):
        assert median(man, name) < 60
        assert median(woman, name) > 200, name
    assert 100 < median(woman, "inferior_vena_cava") < median(woman, "aorta")
    assert median(woman, "kidney_left") > median(man, "kidney_left") + 100
    assert median(man, "liver") < median(woman, "liver") < 130


def test_calcium_comes_with_age():
    young = trunk_figure(spacing=60.0, physique=replace(MAN, age=22))
    old = trunk_figure(spacing=60.0, physique=replace(MAN, age=88))
    for seed in range(6):
        assert sample_trunk(young, seed).plaque == 0
        assert sample_trunk(young, seed).rind < sample_trunk(old, seed).rind
    box = ((-60, 60, 290), (60, 125, 400))
    brightest = []
    for age in (22, 88):
        figure = trunk_figure(box, 2.5, physique=replace(MAN, age=age))
        paint_rib_cage(figure, sample_trunk(figure, 3))
        brightest.append(np.percentile(figure.canvas.hu[figure.canvas.labels == IDS["costal_cartilages"]], 95))
    assert brightest[1] > brightest[0] + 100


def test_two_people_have_different_trunks_and_one_person_always_the_same():
    figure = trunk_figure(spacing=60.0)
    first, again, other = (trunk_landmarks(figure, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    moved = {name: np.linalg.norm(first[name] - other[name]) for name in first}
    assert max(moved.values()) > 3
    assert moved["acetabulum_right"] == 0  # where the femur joins


def test_landmarks_lie_on_their_bones(man, woman):
    near = {
        "asis": "hip",
        "aiis": "hip",
        "psis": "hip",
        "iliac_crest": "hip",
        "pubic_tubercle": "hip",
        "ischial_tuberosity": "hip",
        "ischial_spine": "hip",
    }
    for figure, seed in ((man, 0), (woman, 1)):
        points = trunk_landmarks(figure, seed)
        pairs = {f"{n}_{side}": f"{bone}_{side}" for n, bone in near.items() for side in ("left", "right")}
        pairs |= {"sacral_promontory": "vertebrae_S1", "jugular_notch": "sternum", "sternal_angle": "sternum"}
        pairs |= {"xiphoid_tip": "sternum", "carina": "trachea", "pubic_symphysis": "hip_left"}
        pairs |= {f"vertebrae_{name}_center": f"vertebrae_{name}" for name in levels()}
        for name, label in pairs.items():
            away = np.linalg.norm(cloud(figure.canvas, label) - points[name], axis=1).min()
            assert away < 9, (name, away)
        assert points["asis_right"][0] > 0 > points["asis_left"][0]
        assert 180 < np.linalg.norm(points["asis_right"] - points["asis_left"]) < 290
