"""Registration finds known poses: one view, two views, two bones, unknown cameras; and says what it refuses."""

from dataclasses import replace

import pytest
import torch
from support.registration import camera, moved, pose, shot, target_error, two_bones
from xraykit.render import GeometryError, InputError
from xraykit.xvr.refine import registration
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.registration import register_structures, similarities
from xraykit.xvr.refine.structure import Structure, structure_of
from xraykit.xvr.xray.shot import Shot

SCALES = RegistrationSettings(scales=(32, 64))


@pytest.fixture(scope="module")
def volume():
    return two_bones()


def test_one_view_is_found_whatever_its_gain_and_offset(volume):
    truth = pose(volume)
    start = moved(truth, volume.center, (3.0, -4.0, 3.0), (4.0, -12.0, 5.0))
    found = register_structures(shot(volume, truth), volume, start, SCALES)
    assert target_error(start, truth, volume) > 8
    assert target_error(found.poses[0], truth, volume) < 0.5
    assert found.converged and found.similarity > 0.995
    assert set(found.terms) == {"ncc", "patch_ncc", "gradient_ncc"}


def test_the_best_of_several_starts_wins_and_every_one_is_reported(volume):
    truth = pose(volume)
    far = moved(truth, volume.center, (0, 0, 170.0), (0, 0, 0))
    near = moved(truth, volume.center, (2, 2, 2), (3, 3, 3))
    wrong = moved(truth, volume.center, (0, 80, 0), (30, 0, 0))
    found = register_structures(shot(volume, truth), volume, torch.cat([far, near, wrong]), replace(SCALES, keep=2))
    assert torch.equal(found.start, near)
    assert [c.scale for c in found.candidates].count(64) == 2
    assert found.candidates[1].similarity == max(c.similarity for c in found.candidates if c.scale == 64)
    similarity = [step.similarity for step in found.history if step.scale == 64]
    assert similarity == sorted(similarity)
    assert torch.equal(found.history[-1].poses, found.poses)


def test_the_similarity_of_an_answer_does_not_depend_on_its_start(volume):
    """A far start widens the window of the climb; what is stated is measured where the structure ended."""
    truth, bone = pose(volume), Structure.of(structure_of(volume, (1,)))
    seen = shot(volume, truth, noise=0.05)
    steps = (((0, 0, 0), (1.0, 0, 0)), ((4.0, 0, 0), (8.0, 5.0, 0)), ((0, 6.0, 0), (-16.0, 0, 8.0)))
    found = [register_structures(seen, bone, moved(truth, bone.pivot, *step), SCALES) for step in steps]
    climbed = [one.history[-1].similarity for one in found]
    assert max(climbed) - min(climbed) > 0.05
    stated = [one.similarity for one in found]
    assert max(stated) - min(stated) < 0.015  # the ends differ by as much


def test_a_right_start_outlives_a_coarse_scale_that_leads_away(volume, monkeypatch):
    truth = pose(volume)
    start = moved(truth, volume.center, (0.1, 0.0, 0.1), (0.2, 0.1, 0.0))
    climb = registration._climb

    def misled(objective, motion, stage, settings, watch):
        motion, at, done = climb(objective, motion, stage, settings, watch)
        if stage == 0:
            motion = replace(motion, poses=moved(motion.poses, volume.center, (0, 0, 50.0), (20.0, 0, 0)))
        return motion, at, done

    monkeypatch.setattr(registration, "_climb", misled)
    far = moved(truth, volume.center, (0, 80.0, 0), (0, 0, 0))
    found = register_structures(shot(volume, truth), volume, torch.cat([far, start]), SCALES)
    assert torch.equal(found.start, start)
    assert target_error(found.poses[0], truth, volume) < 1.5
    assert {step.scale for step in found.history} == {64}
    assert [one.scale for one in found.candidates].count(64) == 2


def test_answers_are_compared_in_one_window(volume):
    truth = pose(volume)
    away = moved(truth, volume.center, (0, 0, 0), (45.0, 0, 0))
    image, body = shot(volume, truth), Structure.of(volume)
    quick = replace(SCALES, iterations=1)
    answers = [register_structures(image, body, start, quick) for start in (truth, away)]
    right, lost = similarities([image], [body], answers, SCALES).tolist()
    assert right > 0.99 and lost < right - 0.1


def test_two_views_share_one_motion(volume):
    truth = torch.cat([pose(volume), pose(volume, lao_rao=85.0, cra_cau=-3.0)])
    start = moved(truth, volume.center, (-4.0, 3.0, 5.0), (6.0, 9.0, -5.0))
    found = register_structures([shot(volume, view[None], noise=0.02) for view in truth], volume, start[None], SCALES)
    alone = register_structures(shot(volume, truth[:1], noise=0.02), volume, start[:1], SCALES)
    errors = [target_error(found.poses[0, view], truth[view], volume) for view in range(2)]
    assert max(errors) < 0.2
    relative = torch.linalg.inv(found.poses[0, 0]) @ found.poses[0, 1]
    torch.testing.assert_close(relative, torch.linalg.inv(truth[0]) @ truth[1], rtol=0, atol=1e-8)
    assert found.covariance[0].trace() < alone.covariance[0].trace()


def test_two_bones_move_each_by_itself(volume):
    truth = torch.cat([pose(volume), pose(volume, lao_rao=80.0)])
    upper, lower = structure_of(volume, [1]), structure_of(volume, [2])
    bent = moved(truth, volume.center + torch.tensor([0, 0, -10.0]), (6.0, -3.0, 4.0), (2.0, 1.0, -2.0))
    shots = []
    for a, b in zip(truth, bent, strict=True):
        image = shot(upper, a[None]).image + shot(lower, b[None]).image
        shots.append(Shot(image, camera()))
    found = register_structures(shots, (upper, lower), truth[None], SCALES)
    assert target_error(found.poses[0, 0], truth[0], upper) < 0.3
    assert target_error(found.poses[1, 0], bent[0], lower) < 0.3
    assert target_error(truth[0], bent[0], lower) > 3
    assert found.covariance.shape == (2, 6, 6)


def test_distance_and_principal_point_are_refined_on_request(volume):
    truth = torch.cat([pose(volume), pose(volume, lao_rao=88.0), pose(volume, lao_rao=45.0, cra_cau=25.0)])
    shots = [shot(volume, view[None]) for view in truth]
    wrong = replace(camera(), sdd=1012.0, principal_point=(32.6, 31.5))
    claimed = [Shot(s.image, wrong) for s in shots]
    start = moved(truth, volume.center, (1.0, -1.0, 2.0), (2.0, 2.0, -2.0))[None]
    settings = replace(SCALES, intrinsics=("sdd", "principal_point"), iterations=40)
    found, rigid = (
        register_structures(claimed, volume, start, settings),
        register_structures(claimed, volume, start, SCALES),
    )
    assert found.similarity > rigid.similarity
    for lens in found.cameras:
        x, y = torch.as_tensor(lens.principal_point).flatten().tolist()
        assert abs(x - 32) < 0.25 and abs(y - 32) < 0.25
        assert abs(lens.sdd_mm - 1000) < 5


@pytest.mark.parametrize("stated", [1020.0, 1100.0])
def test_the_distance_of_one_view_is_refined_although_the_patients_stands_for_it(volume, stated):
    """Both lie in a valley so narrow that damped steps stop in it: 1020 mm stayed 1019."""
    truth = pose(volume)
    claimed = replace(shot(volume, truth, noise=0.002), camera=replace(camera(), sdd=stated))
    found = register_structures(claimed, volume, truth, replace(SCALES, intrinsics=("sdd",)))
    (lens,) = found.cameras
    assert abs(lens.sdd_mm - 1000) < max(0.3 * (stated - 1000), 12)
    assert target_error(found.poses[0], truth, volume) < 0.6 * (stated - 1000)


def test_first_order_ascent_finds_the_pose_too(volume):
    truth = pose(volume)
    start = moved(truth, volume.center, (2.0, -2.0, 2.0), (3.0, -4.0, 3.0))
    found = register_structures(
        shot(volume, truth), volume, start, RegistrationSettings(optimizer="adam", scales=(32,), iterations=120)
    )
    assert target_error(found.poses[0], truth, volume) < 0.5 * target_error(start, truth, volume)


def test_pixels_outside_the_collimator_do_not_count(volume):
    truth = pose(volume)
    clean = shot(volume, truth)
    valid = torch.zeros(64, 64, dtype=torch.bool)
    valid[6:58, 10:60] = True
    spoilt = torch.where(valid, clean.image, 40.0)
    start = moved(truth, volume.center, (2.0, -2.0, 2.0), (3.0, -4.0, 3.0))
    found = register_structures(Shot(spoilt, camera(), valid), volume, start, SCALES)
    assert target_error(found.poses[0], truth, volume) < 0.5


def test_a_prepared_anatomy_gives_the_same_result(volume):
    truth = pose(volume)
    start = moved(truth, volume.center, (2.0, -2.0, 2.0), (3.0, -4.0, 3.0))
    prepared = Structure.of(volume)
    first, second = (register_structures(shot(volume, truth), prepared, start, SCALES) for _ in range(2))
    assert torch.equal(first.poses, second.poses)
    assert torch.equal(first.poses, register_structures(shot(volume, truth), volume, start, SCALES).poses)


def test_a_start_that_shows_nothing_ends_where_it_began_and_claims_nothing(volume):
    truth = pose(volume)
    behind = truth.clone()
    behind[0, :3, 3] -= 900 * behind[0, :3, 2]  # the patient lies beyond the detector
    found = register_structures(shot(volume, truth), volume, behind, SCALES)
    assert abs(found.similarity) < 1e-3
    assert bool(torch.isfinite(found.poses).all()) and bool(torch.isfinite(found.covariance).all())
    both = register_structures(shot(volume, truth), volume, torch.cat([behind, truth]), SCALES)
    assert torch.equal(both.start, truth)


def test_what_the_report_raises_ends_the_work(volume):
    truth = pose(volume)

    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register_structures(shot(volume, truth), volume, truth, SCALES, report=stop)


def test_the_covariance_has_the_size_of_the_scatter_of_noisy_repeats(volume):
    """Twelve noisy repeats: the root-mean-square in-plane shift lies within a factor of three of what is claimed."""
    truth, shifts, claimed = pose(volume), [], []
    clean = shot(volume, truth).image
    for seed in range(12):
        noise = 0.3 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed))
        found = register_structures(Shot(clean + noise, camera()), volume, truth, RegistrationSettings(scales=(64,)))
        centre = torch.cat([found.pivot[0], torch.ones(1, dtype=torch.float64)])
        apart = (found.poses[0, 0] @ torch.linalg.inv(truth[0]) @ centre - centre)[:3]
        shifts.append(float((truth[0, :3, 0] @ apart) ** 2))
        axis = truth[0, :3, 0]
        claimed.append(float(axis @ found.covariance[0, 3:, 3:] @ axis))
    ratio = (sum(shifts) / sum(claimed)) ** 0.5
    assert 1 / 3 < ratio < 3, ratio


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scales": ()}, "scales must grow from at least 16"),
        ({"scales": (64, 32)}, "scales must grow"),
        ({"intrinsics": ("pixel_spacing",)}, "intrinsics must be among sdd, principal_point"),
        ({"iterations": (1, 2, 3), "scales": (32,)}, "one number of iterations"),
        ({"optimizer": "lbfgs"}, "optimizer must be"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        RegistrationSettings(**change)


def test_starts_of_another_shape_or_no_rigid_motion_are_refused(volume):
    truth = pose(volume)
    with pytest.raises(InputError, match=r"starts must be \(S, 2, 4, 4\)"):
        register_structures([shot(volume, truth)] * 2, volume, truth)
    with pytest.raises(GeometryError, match="rigid motion"):
        register_structures(shot(volume, truth), volume, truth * 1.1)


def test_an_empty_structure_or_window_is_refused(volume):
    truth = pose(volume)
    with pytest.raises(InputError, match="labels must occur"):
        structure_of(volume, [9])
    with pytest.raises(InputError, match="without a label map"):
        structure_of(replace(volume, labels=None), [1])
    with pytest.raises(InputError, match="volume of zeros"):
        register_structures(shot(volume, truth), volume.with_mu(volume.mu * 0), truth)
    valid = torch.zeros(64, 64, dtype=torch.bool)
    valid[30, 20:40] = True
    with pytest.raises(InputError, match="no window of"):
        register_structures(Shot(shot(volume, truth).image, camera(), valid), volume, truth, SCALES)


def test_a_field_too_narrow_for_coarse_pixels_is_registered_at_finer_ones():
    volume = two_bones()
    truth = pose(volume)
    valid = torch.zeros(64, 64, dtype=torch.bool)
    valid[:, 24:40] = True  # eight pixels at the first scale, where no window has room
    seen = Shot(shot(volume, truth).image, camera(), valid)
    start = moved(truth, volume.center, (1.0, -1.0, 0.5), (2.0, 1.0, -2.0))
    found = register_structures(seen, volume, start, RegistrationSettings(scales=(32, 64)))
    assert {step.scale for step in found.history} == {64}
    assert target_error(found.poses[0, 0], truth[0], volume) < target_error(start[0], truth[0], volume) / 3
