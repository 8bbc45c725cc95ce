"""Head and neck: sizes that craniometry finds, sides alike, bones under the skin, an open airway, landmarks."""

import numpy as np
import pytest
from xraykit.render.patient.body.figure import Figure
from xraykit.render.patient.body.joint_angles import Posture
from xraykit.render.patient.body.layers import paint_flesh
from xraykit.render.patient.body.physique import Physique
from xraykit.render.patient.body.skeleton import Skeleton
from xraykit.render.patient.canvas import Canvas
from xraykit.render.patient.head.head import head_flesh, head_landmarks, paint_head_bones, paint_head_organs
from xraykit.render.patient.head.skull_face import maxillary_sinus, nasal_cavity, orbit
from xraykit.render.patient.head.skull_jaw import jaw_chart, mandible
from xraykit.render.patient.head.skull_shape import GrownFrame, HeadShape, head_shape, sample_head
from xraykit.render.patient.head.skull_vault import braincase, on_vault
from xraykit.render.patient.head.throat import TRACHEA_JOINT, airway
from xraykit.render.patient.head.upper_neck import atlas, axis
from xraykit.render.volumes.label_names import label_table

IDS = {name: value for value, name in label_table("procedural").items()}
REFERENCE = HeadShape()


def make_figure(spacing, *, physique=None, posture=None, low=(-100, -150, -142), high=(100, 140, 160)):
    """An empty figure about the head, on a grid that the median plane halves."""
    skeleton = Skeleton(physique or Physique(), posture or Posture())
    middle = np.round(skeleton.point("skull", (0.0, 0.0, 0.0)) * (0, 1, 1), 3)
    return Figure(Canvas(middle + low, middle + high, spacing), skeleton, IDS)


def paint(figure, seed):
    """The distance to the skin of a painted head."""
    skin = paint_flesh(figure, head_flesh(figure, seed))
    paint_head_organs(figure, seed)
    paint_head_bones(figure, seed)
    return skin


@pytest.fixture(scope="module")
def head():
    """A young man's head, the distance to its skin, and its seed."""
    figure = make_figure(2.0)
    return figure, paint(figure, 4), 4


def extent(field, canvas, d):
    """How far a body reaches along axis d [mm]."""
    inside = np.nonzero(np.any(field < 0, axis=tuple(k for k in range(3) if k != 2 - d)))[0]
    return canvas.low[d] + canvas.spacing * inside[0], canvas.low[d] + canvas.spacing * inside[-1]


def spread(field, canvas, d):
    low, high = extent(field, canvas, d)
    return high - low + canvas.spacing


def voxels(figure, label):
    """World positions of a label's voxels, (n, 3)."""
    index = np.argwhere(figure.canvas.labels == figure.ids[label])[:, ::-1]
    return figure.canvas.low + figure.canvas.spacing * index


def value(figure, point, what="hu"):
    i, j, k = np.round((np.asarray(point) - figure.canvas.low) / figure.canvas.spacing).astype(int)
    return getattr(figure.canvas, what)[k, j, i]


def test_the_reference_braincase_has_the_means_of_craniometry():
    # Howells, Cranial Variation in Man, 1973, European men: length 185, breadth 142, basion-bregma height 133 mm.
    canvas = Canvas((-80, -95, -20), (80, 115, 145), 1.5)
    outer, inner = braincase(canvas.whole())
    assert spread(outer, canvas, 1) == pytest.approx(185, abs=4)
    assert spread(outer, canvas, 0) == pytest.approx(142, abs=4)
    top = extent(outer, canvas, 2)[1]
    assert top - 1 == pytest.approx(134, abs=4)
    # Cranial capacity about 1,450 ml in men (Martin, Lehrbuch der Anthropologie, 1928), 1,150 to 1,750.
    assert 1.2e6 < np.count_nonzero(inner < 0) * canvas.spacing**3 < 1.75e6


def test_orbits_nose_and_sinuses_have_adult_sizes_and_lie_side_by_side():
    canvas = Canvas((-60, 36, -20), (60, 112, 70), 1.0)
    region = canvas.whole()
    eyes, nose, sinus = orbit(region), nasal_cavity(region), maxillary_sinus(region)
    right = np.where(region.x > 0, eyes, 1.0)
    # Howells 1973: orbits 40 mm wide and 33 high, 18 to 30 mm apart; nasal breadth 24, height from nasion 51.
    assert spread(right, canvas, 0) == pytest.approx(40, abs=3)
    assert spread(right, canvas, 2) == pytest.approx(34, abs=3)
    assert 2 * extent(right, canvas, 0)[0] == pytest.approx(22, abs=5)
    assert spread(nose, canvas, 0) == pytest.approx(25, abs=3)
    # Adult maxillary sinuses hold 7 to 25 ml (Kim et al., Yonsei Med J 43, 2002: mean 14 to 20).
    assert 7e3 < np.count_nonzero(sinus < 0) / 2 < 2.5e4
    assert not np.any((eyes < 0) & (nose < 0)) and not np.any((eyes < 0) & (sinus < 0))


def test_the_reference_mandible_has_the_means_of_craniometry():
    canvas = Canvas((-70, 0, -80), (70, 100, 30), 1.0)
    region, field = mandible(canvas, REFERENCE)
    whole = np.full(canvas.hu.shape, 99.0)
    whole[region.window] = field
    z = canvas.whole().z + 0 * canvas.whole().x
    # Bicondylar 118, bigonial 100, ramus height 62, symphysis 32 mm, each within three deviations of 6, 7, 5 and 3.
    assert 100 < spread(np.where(z > 2, whole, 9.0), canvas, 0) < 136
    assert 85 < spread(np.where((z < -30) & (canvas.whole().y < 35), whole, 9.0), canvas, 0) < 115
    middle = whole[:, :, 70]
    assert 27 < np.count_nonzero(np.any(middle < 0, axis=1)) < 42
    assert 47 < np.ptp(np.nonzero(np.any(whole[:, :30] < 0, axis=(1, 2)))[0]) < 77


def test_heads_vary_as_adults_do_and_men_have_the_heavier_brows():
    rng = np.random.default_rng(0)
    men, women = ([sample_head(Physique(sex=sex), rng) for _ in range(300)] for sex in ("male", "female"))
    index = np.array([76.8 * s.breadth / s.length for s in men + women])
    # Cranial index of adults: mean 75 to 80, deviation 2.5 to 4.5, 65 to 95 in all.
    assert index.mean() == pytest.approx(77, abs=1.5) and 2.0 < index.std() < 4.5
    assert index.min() > 65 and index.max() < 95
    for mark in ("brow", "mastoid", "chin"):
        assert np.mean([getattr(s, mark) for s in men]) > np.mean([getattr(s, mark) for s in women]) + 0.1


def test_age_takes_teeth_closes_sutures_and_ossifies_the_larynx():
    old, young = ([sample_head(Physique(age=age), np.random.default_rng(n)) for n in range(40)] for age in (85, 22))
    assert all(all(s.teeth) for s in young) and np.mean([sum(s.teeth) for s in old]) < 28
    assert max(s.sutures for s in old) < min(s.sutures for s in young)
    assert np.mean([s.calcification for s in old]) > 0.7 > 0.3 > np.mean([s.calcification for s in young])


def test_every_label_of_the_head_is_painted(head):
    figure = head[0]
    names = "skull brain mandible teeth_upper teeth_lower hyoid sinus_maxillary sinus_frontal thyroid_gland trachea"
    for name in [*names.split(), "vertebrae_C1", "vertebrae_C2"]:
        assert len(voxels(figure, name)) > 20, name


@pytest.mark.parametrize(
    ("seed", "physique"), [(4, Physique()), (11, Physique(sex="female", age=80, height=1520, bmi=17.0))]
)
def test_no_bone_or_tooth_comes_through_the_skin(seed, physique):
    figure = make_figure(2.5, physique=physique)
    skin = paint(figure, seed)
    assert float(skin[figure.canvas.hu > 250].max()) < -1.0


def test_bones_are_alike_on_both_sides(head):
    figure = head[0]
    for label in ("skull", "mandible", "hyoid", "vertebrae_C1", "vertebrae_C2", "teeth_upper"):
        body = figure.canvas.labels == figure.ids[label]
        both = np.count_nonzero(body & body[:, :, ::-1])
        assert both > 0.96 * np.count_nonzero(body), label


def test_two_seeds_are_two_heads_and_one_seed_is_one():
    sizes, pictures = [], []
    for seed in (1, 2, 1):
        figure = make_figure(5.0)
        paint(figure, seed)
        sizes.append(np.ptp(voxels(figure, "skull"), axis=0))
        pictures.append(figure.canvas.hu)
    assert np.array_equal(pictures[0], pictures[2])
    assert np.mean(np.abs(pictures[0] - pictures[1]) > 200) > 0.01
    assert head_shape(figure, 1) == head_shape(figure, 1) != head_shape(figure, 2)


@pytest.mark.parametrize("flexion", [-20.0, 0.0, 20.0])
def test_the_airway_is_open_from_the_nose_to_the_trachea(flexion):
    figure = make_figure(2.0, posture=Posture(neck_flexion=flexion), low=(-12, -40, -142), high=(12, 70, 30))
    paint_head_organs(figure, 4)
    paint_head_bones(figure, 4)
    line, _, _ = airway(figure, head_shape(figure, 4))
    world = figure.frame("trunk").to_world(line)
    inside = [value(figure, p) for p in world if p[2] > figure.canvas.low[2] + 2]
    assert max(inside) < -350
    np.testing.assert_allclose(line[-1], TRACHEA_JOINT, atol=1e-6)


def test_soft_tissue_before_the_spine_is_thin_above_and_thick_below():
    # Penning, AJR 136, 1981: at most 7 mm in front of C2, 20 mm in front of C6.
    figure = make_figure(3.0)
    line, deep, _ = airway(figure, REFERENCE)
    back = line[:, 1] - deep
    at_c2, at_c6 = (float(np.interp(-z, -line[:, 2], back)) for z in (580.0, 509.0))
    assert 2 < at_c2 - (-25.5 + 8) < 8
    assert 8 < at_c6 - (-29.0 + 8.5) < 21


def test_the_dens_stands_between_the_lateral_masses_behind_the_anterior_arch():
    canvas = Canvas((-45, -70, 560), (45, 0, 612), 0.5)
    fields = []
    for draw in (axis, atlas):
        region, distance = draw(canvas)
        whole = np.full(canvas.hu.shape, 99.0)
        whole[region.window] = distance
        fields.append(whole)
    second, first = fields
    assert not np.any((second < 0) & (first < 0))
    level = 2 * (598 - 560)
    row = 2 * (70 - 22)
    x = np.linspace(-45, 45, canvas.hu.shape[2])
    dens, masses = x[second[level, row] < 0], x[(first[level, row] < 0)]
    assert 8 < np.ptp(dens) < 13  # Doherty and Heggeness, Spine 20, 1995: 10.8 mm
    gaps = masses[masses > 0].min() - dens.max(), dens.min() - masses[masses < 0].max()
    assert gaps[0] == pytest.approx(gaps[1], abs=0.6) and 2 < gaps[0] < 8
    y = np.linspace(-70, 0, canvas.hu.shape[1])
    middle = canvas.hu.shape[2] // 2
    arch = y[(first[level, :, middle] < 0) & (y > -25)].min()
    assert 0.5 < arch - y[second[level, :, middle] < 0].max() < 3.0  # atlantodental interval of adults
    z = np.linspace(560, 612, canvas.hu.shape[0])
    assert 4 < z[np.any(second[:, y > -33] < 0, axis=(1, 2))].min() - 568 < 6.5  # disc space above C3
    assert np.ptp(x[np.any(first < 0, axis=(0, 1))]) == pytest.approx(78, abs=10)  # width of the atlas


def test_the_jaw_hangs_in_its_joints_and_opens():
    gaps, chins = [], []
    for opening in (0.0, 25.0):
        figure = make_figure(1.5, posture=Posture(jaw_opening=opening), low=(30, -20, -15), high=(75, 60, 35))
        paint_head_bones(figure, 4)
        points = head_landmarks(figure, 4)
        chins.append(points["gnathion"])
        near = [voxels(figure, name) for name in ("mandible", "skull")]
        near = [p[np.linalg.norm(p - points["mandible_condyle_right"], axis=1) < 16] for p in near]
        gaps.append(min(np.linalg.norm(near[1] - p, axis=1).min() for p in near[0]))
    assert all(1.4 < gap < 5 for gap in gaps)
    assert 20 < chins[0][2] - chins[1][2] < 50


ON_BONE = {
    "skull": "nasion glabella acanthion bregma vertex lambda inion basion opisthion orbit_right "
    "infraorbital_margin_left zygomatic_arch_right mastoid_tip_left",
    "mandible": "gnathion mandible_condyle_right mandible_condyle_left mandible_angle_right mandible_angle_left",
}


@pytest.mark.parametrize("seed", [4, 9])
def test_landmarks_lie_on_the_surface_of_their_bones(seed):
    figure = make_figure(
        2.5, physique=Physique(sex="female", height=1650), posture=Posture(neck_flexion=12, jaw_opening=9)
    )
    paint(figure, seed)
    points = head_landmarks(figure, seed)
    for label, names in ON_BONE.items():
        bone = voxels(figure, label)
        rest = figure.canvas.labels != figure.ids[label]
        for name in names.split():
            assert np.linalg.norm(bone - points[name], axis=1).min() < 4.0, name
            i, j, k = np.round((points[name] - figure.canvas.low) / figure.canvas.spacing).astype(int)
            assert np.any(rest[k - 2 : k + 3, j - 2 : j + 3, i - 2 : i + 3]), name
    assert value(figure, points["external_ear_canal_right"]) < -300
    assert value(figure, points["sella"], "labels") != figure.ids["skull"]
    assert value(figure, points["foramen_magnum"]) < 100
    forward = points["nasion"] - points["basion"]
    ahead = points["nasion"] + 8 * forward / np.linalg.norm(forward)
    assert value(figure, ahead, "labels") == 0  # the nasion is at the skull's front


def test_sutures_are_gaps_in_the_vault():
    figure = make_figure(1.0, low=(10, -40, 60), high=(40, 80, 140))
    paint_head_bones(figure, 4)
    frame = head_shape(figure, 4).on(figure.chart("skull")).frame
    along = on_vault(np.array([(25.0, y, 110.0) for y in np.linspace(-10, 60, 141)]), 1.2)
    profile = np.array([value(figure, p) for p in frame.to_world(along)])
    assert profile.min() < 0.6 * np.median(profile)
    assert np.count_nonzero(profile < 0.6 * np.median(profile)) < 30


def test_a_grown_frame_and_its_inverse_agree():
    frame = GrownFrame(make_figure(9.0, posture=Posture(neck_flexion=15)).frame("skull"), (1.05, 0.97), (1.02, 0.95))
    local = np.random.default_rng(0).uniform(-90, 90, (20, 3))
    x, y, z = (v.astype(np.float32).reshape(-1, 1, 1) for v in frame.to_world(local).T)
    back = np.stack([a.reshape(-1) for a in frame.to_local(x, y, z)], axis=1)
    np.testing.assert_allclose(back, local, atol=2e-3)


def test_teeth_stand_in_their_jaws():
    figure = make_figure(1.5, low=(-45, 20, -80), high=(45, 105, 5))
    paint_head_bones(figure, 4)
    for teeth, jaw, sign in (("teeth_upper", "skull", 1), ("teeth_lower", "mandible", -1)):
        rows, bone = voxels(figure, teeth), voxels(figure, jaw)
        roots = rows[(sign * rows[:, 2]) > np.quantile(sign * rows[:, 2], 0.75)]
        far = [np.linalg.norm(bone - p, axis=1).min() for p in roots[::7]]
        assert np.quantile(far, 0.95) < 3.5, teeth
    assert figure.canvas.hu[figure.canvas.labels == figure.ids["teeth_lower"]].max() > 1800  # enamel


def test_the_jaw_turns_about_its_joints():
    closed, opened = (make_figure(9.0, posture=Posture(jaw_opening=a)) for a in (0.0, 3.0))
    moved = [jaw_chart(f, REFERENCE).frame.to_world(np.array([[0.0, 83.0, -60.0]]))[0] for f in (closed, opened)]
    # 3 degrees about a joint 96 mm away, and 1 mm of gliding.
    assert np.linalg.norm(moved[1] - moved[0]) == pytest.approx(np.radians(3) * np.hypot(67, 70), abs=1.3)
