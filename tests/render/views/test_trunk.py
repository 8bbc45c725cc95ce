"""Standard views of the procedural torso show what an atlas of radiography says they show."""

import json
import math

import numpy as np
import pytest
import torch
from xraykit.render import GeometryError, InputError, Volume, applicable_views, standard_view, torso
from xraykit.render.geometry import check_pose, project
from xraykit.render.views import STANDARD_VIEWS, view_obstacles
from xraykit.render.views.anatomy import anatomy_of
from xraykit.render.views.planning import aim_of

SYMPHYSIS, PROMONTORY = (0.0, 58.0, -95.0), (0.0, -14.0, -2.0)


@pytest.fixture(scope="module")
def patient():
    return torso(spacing=7.0)


@pytest.fixture(scope="module")
def body(patient):
    return anatomy_of(patient)


def seen(plan, *points):
    """Where points appear [px], as projected, (N, 2)."""
    return project(torch.stack([torch.as_tensor(p, dtype=torch.float64) for p in points]), plan.camera, plan.pose).uv[0]


def beam(plan):
    return plan.pose[0, :3, 2]


def test_every_view_is_a_rigid_pose_that_covers_its_field_and_keeps_off_the_body(patient, body):
    names = applicable_views(patient)
    assert len(names) > 50
    for name in names:
        plan, view = standard_view(patient, name, size=(40, 30)), STANDARD_VIEWS[name]
        check_pose(plan.pose)
        assert plan.pose.dtype == torch.float64
        assert (plan.camera.height, plan.camera.width) == (40, 30)
        spacing = plan.camera.pixel_spacing
        assert max(view.field[0] / (30 * spacing), view.field[1] / (40 * spacing)) == pytest.approx(1.0)
        assert plan.camera.sdd == view.sid == plan.metadata["sdd"]
        torch.testing.assert_close(seen(plan, aim_of(view, body).target)[0], torch.tensor([15.0, 20.0]).double())
        assert plan.metadata["clear"]
        assert json.loads(json.dumps(plan.metadata)) == plan.metadata


def test_detector_stands_close_behind_what_is_in_the_field(patient, body):
    plan = standard_view(patient, "chest_pa")
    local = (body.body - plan.pose[0, :3, 3]) @ plan.pose[0, :3, :3]
    inside = project(body.body, plan.camera, plan.pose).visible[0]
    gap = plan.camera.sdd - float(local[inside, 2].max())
    assert 25 - 1e-6 <= gap < 40
    assert plan.metadata["sod"] == pytest.approx(
        float((torch.tensor(plan.metadata["isocenter"]) - plan.pose[0, :3, 3]).norm())
    )


def test_frontal_views_have_the_left_of_the_patient_where_readers_look_for_it(patient, body):
    for name in ("chest_ap", "chest_pa", "pelvis_ap", "sternum_rao", "thoracic_spine_ap"):
        plan = standard_view(patient, name)
        left, right = seen(plan, body.centroid("hip_left"), body.centroid("hip_right"))[:, 0]
        on_viewers_right = left > right
        assert on_viewers_right != plan.mirrored_display, name
    heart, liver = seen(standard_view(patient, "chest_ap"), body.centroid("heart"), body.centroid("liver"))
    assert heart[0] > liver[0]
    assert heart[1] < liver[1]


def test_laterals_are_named_by_the_side_at_the_detector(patient, body):
    for name in ("chest_lateral", "lumbar_spine_lateral", "pelvis_lateral", "sternum_lateral", "l5_s1_lateral"):
        left, right = (standard_view(patient, f"{name}_{side}") for side in ("left", "right"))
        assert beam(left)[0] < -0.99 < 0.99 < beam(right)[0]
        front, back = (0.0, 60.0, 100.0), (0.0, -60.0, 100.0)
        assert seen(left, front)[0, 0] > seen(left, back)[0, 0]
        assert seen(right, front)[0, 0] < seen(right, back)[0, 0]


def test_inlet_opens_the_ring_and_outlet_lifts_the_symphysis_over_the_sacrum(patient):
    drop = {}
    for name in ("pelvis_ap", "pelvis_inlet", "pelvis_outlet"):
        plan = standard_view(patient, name)
        points = seen(plan, SYMPHYSIS, PROMONTORY)[:, 1] * plan.camera.pixel_spacing
        drop[name] = float(points[0] - points[1])
    assert drop["pelvis_inlet"] > drop["pelvis_ap"] + 15  # nearly in the plane of the inlet's normal
    assert drop["pelvis_outlet"] < drop["pelvis_ap"] - 30
    assert beam(standard_view(patient, "pelvis_inlet"))[2] == pytest.approx(-math.sin(math.radians(30)))
    assert standard_view(patient, "pelvis_inlet").pose[0, 2, 3] > standard_view(patient, "pelvis_outlet").pose[0, 2, 3]


@pytest.mark.parametrize("side", ["left", "right"])
def test_judet_views_see_the_iliac_wing_flat_and_on_edge(patient, body, side):
    wing = body.cloud(f"hip_{side}")
    wing = wing[wing[:, 2] > -20]
    width = {}
    for name in ("judet_iliac", "judet_obturator"):
        u = seen(standard_view(patient, f"{name}_{side}"), *wing[::7])[:, 0]
        width[name] = float(u.max() - u.min())
    assert width["judet_iliac"] > 1.4 * width["judet_obturator"]


@pytest.mark.parametrize("side", ["left", "right"])
def test_obliques_have_the_named_side_behind_at_the_detector(patient, side):
    sign = 1 if side == "right" else -1
    for name in ("ribs_oblique", "lumbar_spine_oblique", "thoracic_spine_oblique"):
        direction = beam(standard_view(patient, f"{name}_{side}"))
        assert sign * direction[0] > 0.3
        assert direction[1] < -0.3


@pytest.mark.parametrize("side", ["left", "right"])
def test_scapula_is_on_edge_in_the_y_view_and_flat_in_grashey(patient, body, side):
    blade = body.cloud(f"scapula_{side}")
    blade = blade[(blade[:, 2] < 430) & (blade[:, 2] > 330)]
    spread = {}
    for degrees in range(0, 180, 10):
        across = torch.tensor([math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0])
        spread[degrees] = float((blade @ across.double()).std())
    for name, wanted in (("scapula_y", min(spread.values())), ("shoulder_grashey", max(spread.values()))):
        across = standard_view(patient, f"{name}_{side}").pose[0, :3, 0]
        assert float((blade @ across).std()) == pytest.approx(wanted, rel=0.35 if name == "scapula_y" else 0.05)
    sign = 1 if side == "right" else -1
    y_beam, grashey = (
        beam(standard_view(patient, f"scapula_y_{side}")),
        beam(standard_view(patient, f"shoulder_grashey_{side}")),
    )
    assert sign * y_beam[0] > 0.3 and y_beam[1] > 0.3  # RAO for the right shoulder
    assert sign * grashey[0] > 0.2 and grashey[1] < -0.5  # RPO for the right shoulder


@pytest.mark.parametrize("side", ["left", "right"])
def test_cross_table_hip_is_seen_level_from_between_the_legs(patient, side):
    plan = standard_view(patient, f"hip_cross_table_{side}")
    sign = 1 if side == "right" else -1
    source = plan.pose[0, :3, 3] - torch.tensor(plan.metadata["isocenter"])
    assert abs(source[1]) < 1e-6
    assert sign * source[0] < -400 and source[2] < -400


def test_mirroring_a_body_mirrors_its_views(patient):
    """A tilted torso, so that nothing is symmetrical; the mirrored one swaps the names of its sides."""
    tilt = torch.linalg.matrix_exp(torch.tensor([[0, -0.1, 0.08], [0.1, 0, -0.12], [-0.08, 0.12, 0]]).double())
    affine = patient.affine.clone()
    affine[:3] = tilt @ affine[:3]
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0, 1.0], dtype=torch.float64))
    swap = {"left": "right", "right": "left"}
    names = {v: "_".join(swap.get(w, w) for w in n.split("_")) for v, n in patient.label_names.items()}
    one = Volume(patient.mu, affine, labels=patient.labels, label_names=patient.label_names)
    two = Volume(patient.mu, mirror @ affine, labels=patient.labels, label_names=names)
    points = torch.tensor([[90.0, 0.0, 0.0], [0.0, 90.0, 0.0], [10.0, -20.0, 30.0]], dtype=torch.float64)
    fitting = applicable_views(one, pose_limited=True)
    assert set(fitting) == {
        "_".join(swap.get(w, w) for w in n.split("_")) for n in applicable_views(two, pose_limited=True)
    }
    sided_only = "sternum_rao"  # has no counterpart: the sternum is thrown over the heart
    for name in [n for n in fitting if n != sided_only][::4]:
        first = standard_view(one, name)
        second = standard_view(two, "_".join(swap.get(w, w) for w in name.split("_")))
        uv, flipped = seen(first, *points), seen(second, *(points @ mirror[:3, :3]))
        torch.testing.assert_close(flipped, torch.stack([256 - uv[:, 0], uv[:, 1]], dim=1), atol=1e-4, rtol=0)
        assert first.mirrored_display == second.mirrored_display


def test_variation_stays_within_five_degrees_and_twenty_millimetres_and_follows_its_seed(patient):
    exact = standard_view(patient, "pelvis_ap")
    rng = np.random.default_rng(3)
    plans = [standard_view(patient, "pelvis_ap", rng=rng) for _ in range(60)]
    shifts = torch.tensor([p.metadata["isocenter"] for p in plans]) - torch.tensor(exact.metadata["isocenter"])
    assert 17 < float(shifts.abs().max()) <= 20
    angles = torch.tensor([[p.metadata[k] for k in ("a", "b", "roll")] for p in plans])
    assert 4 < float(angles.abs().max(dim=0).values.min()) and float(angles.abs().max()) < 5.3
    again = standard_view(patient, "pelvis_ap", rng=np.random.default_rng(3))
    torch.testing.assert_close(again.pose, plans[0].pose, atol=0, rtol=0)


def test_a_volume_that_ends_shows_fewer_views(patient):
    def cropped(low, high):
        affine = patient.affine.clone()
        affine[:3, 3] += affine[:3, 2] * low
        return Volume(patient.mu[low:high], affine, labels=patient.labels[low:high], label_names=patient.label_names)

    abdomen = applicable_views(cropped(0, 73))  # up to z = 320
    assert "pelvis_ap" in abdomen and "lumbar_spine_ap" in abdomen and "chest_ap" not in abdomen
    chest = cropped(53, 108)  # from z = 180
    assert "chest_ap" in applicable_views(chest) and "pelvis_ap" not in applicable_views(chest)
    with pytest.raises(InputError, match="view pelvis_ap needs hip_left and hip_right and sacrum or vertebrae_S1"):
        standard_view(chest, "pelvis_ap")
    with pytest.raises(GeometryError, match=r"chest_ap must show lung_\* or lungs whole, but the border"):
        standard_view(cropped(0, 81), "chest_ap")
    with pytest.raises(GeometryError, match="hip_ap_left needs 60 mm of the body around its target"):
        standard_view(cropped(9, 69), "hip_ap_left")


def test_reasons_are_sentences_and_agree_with_the_list(patient):
    reasons = view_obstacles(patient)
    assert list(reasons) == list(STANDARD_VIEWS)
    fitting = applicable_views(patient)
    assert all(not reasons[name] and not STANDARD_VIEWS[name].pose_limited for name in fitting)
    assert "needs tibia_left" in reasons["knee_ap_left"]
    assert "hip_frog_leg_left" not in fitting and "hip_frog_leg_left" in applicable_views(patient, pose_limited=True)
    assert all(why.endswith((".", ";", "fit.")) for why in reasons.values() if why)


def test_bad_requests_are_refused_in_a_sentence(patient):
    with pytest.raises(InputError, match="no view is called 'pelvis_inlett'; did you mean pelvis_inlet"):
        standard_view(patient, "pelvis_inlett")
    with pytest.raises(InputError, match="`xraykit render views` lists them"):
        standard_view(patient, "zzz")
    with pytest.raises(GeometryError, match=r"size \[px\] and field \[mm\] must be positive"):
        standard_view(patient, "chest_ap", size=(0, 10))
    bare = Volume(patient.mu, patient.affine)
    with pytest.raises(InputError, match=r"this volume has none; give Volume\.from_file labels=SEG"):
        applicable_views(bare)
    with pytest.raises(InputError, match="say label_names="):
        applicable_views(Volume(patient.mu, patient.affine, labels=patient.labels))
