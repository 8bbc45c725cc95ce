"""Perspective n-point from named landmarks in several X-rays whose places relative to each other are known."""

import pytest
import torch
from xraykit.render import Camera, InputError, carm_pose
from xraykit.render.geometry import project, rigid_inverse, transform_points
from xraykit.xvr.start import joint_landmark_pose, joint_starts_from_landmarks, landmark_pose, reprojection

CAMERAS = (
    Camera(sdd=1020.0, height=512, width=400, pixel_spacing=(0.6, 0.7), principal_point=(210.0, 250.0)),
    Camera(sdd=1300.0, height=400, width=400, pixel_spacing=0.9),
)


def placed(**numbers):
    return carm_pose(**{name: torch.tensor(value, dtype=torch.float64) for name, value in numbers.items()})


PLACES = torch.cat(
    [placed(lao_rao=20.0, cra_cau=-10.0, roll=35.0, sod=760.0), placed(lao_rao=100.0, cra_cau=5.0, roll=0.0, sod=900.0)]
)
RELATIVE = rigid_inverse(PLACES[:1]) @ PLACES


def points(count, seed=0):
    drawn = torch.rand(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 0.5
    return 120 * drawn + torch.tensor([10.0, -15.0, 5.0], dtype=torch.float64)


def named(rows, keep=None):
    return {f"p{n}": row for n, row in enumerate(rows) if keep is None or n in keep}


def seen(world, keeps=(None, None), *, noise=0.0, seed=0):
    """Where each camera sees the points that it keeps [px]."""
    generator = torch.Generator().manual_seed(seed)
    images = []
    for camera, pose, keep in zip(CAMERAS, PLACES, keeps, strict=True):
        uv = project(world, camera, pose[None]).uv[0]
        images.append(named(uv + noise * torch.randn(uv.shape, generator=generator, dtype=torch.float64), keep))
    return images


def depth_error(pose, world):
    """How far off along the first beam the points are, on average [mm]."""
    there, truth = (transform_points(rigid_inverse(one), world)[..., 2].mean() for one in (pose, PLACES[0]))
    return float((there - truth).abs())


@pytest.mark.parametrize(
    "keeps", [(None, None), ({0, 1, 2}, {3, 4, 5}), ({0, 1, 2, 3, 4}, {2}), ({0, 1}, {0, 1, 2, 3})]
)
def test_noiseless_landmarks_give_the_pose_whichever_view_shows_them(keeps):
    world = points(6, 4)
    found = joint_landmark_pose(named(world), seen(world, keeps), CAMERAS, RELATIVE)
    apart = transform_points(rigid_inverse(found.poses), world) - transform_points(rigid_inverse(PLACES[:1]), world)
    assert float(apart.norm(dim=-1).amax(-1).min()) < 1e-5
    assert found.rms < 1e-6
    assert len(found.names) == sum(6 if keep is None else len(keep) for keep in keeps)


def test_a_second_view_tells_the_depth_that_one_view_tells_badly():
    world, errors = points(6, 1), []
    for seed in range(8):
        images = seen(world, noise=3.0, seed=seed)
        both = joint_landmark_pose(named(world), images, CAMERAS, RELATIVE).poses[0]
        errors.append((depth_error(landmark_pose(named(world), images[0], CAMERAS[0]).poses[0], world),
                       depth_error(both, world)))  # fmt: skip
    one, both = torch.tensor(errors).median(dim=0).values.tolist()
    assert both < 1.0 < 4 * both < one


def test_starts_of_all_views_keep_their_places():
    world = points(6, 2)
    starts = joint_starts_from_landmarks(named(world), seen(world), CAMERAS, RELATIVE)
    assert starts.shape[1:] == (2, 4, 4)
    torch.testing.assert_close(starts[0], PLACES, atol=1e-5, rtol=0)


def test_views_that_show_no_landmark_change_nothing():
    world = points(6, 3)
    images = seen(world, noise=1.0)
    alone = landmark_pose(named(world), images[1], CAMERAS[1]).poses[0]
    found = joint_landmark_pose(named(world), [{"elsewhere": [1.0, 2.0]}, images[1]], CAMERAS, RELATIVE)
    torch.testing.assert_close(found.poses[0] @ RELATIVE[1], alone, atol=1e-5, rtol=0)


def test_wrong_pairs_are_found_in_whichever_view_they_are():
    world = points(7, 5)
    first, second = seen(world)
    first["p2"] = first["p2"] + torch.tensor([60.0, -40.0])
    second["p5"], second["p6"] = second["p6"], second["p5"]
    found = joint_landmark_pose(named(world), [first, second], CAMERAS, RELATIVE)
    wrong = [n for n, good in enumerate(found.inlier.tolist()) if not good]
    assert wrong == [2, 7 + 5, 7 + 6]
    torch.testing.assert_close(found.poses[0], PLACES[0], atol=1e-5, rtol=0)


def test_the_covariance_is_tight_along_both_beams():
    world = points(6, 6)
    images = seen(world, noise=1.0)
    alone = landmark_pose(named(world), images[0], CAMERAS[0]).covariance
    both = joint_landmark_pose(named(world), images, CAMERAS, RELATIVE).covariance
    beam = PLACES[0, :3, 2]
    along = [float(beam @ known[3:, 3:] @ beam) ** 0.5 for known in (alone, both)]
    assert along[1] < along[0] / 3


def test_the_residuals_derivative_is_that_of_the_error_in_every_camera():
    world, motion = points(4, 7)[None], rigid_inverse(PLACES[:1])
    cameras = rigid_inverse(RELATIVE)[torch.tensor([0, 1, 1, 0])][None]
    sdd, nothing = torch.tensor([[1020.0, 1300.0, 1300.0, 1020.0]]), torch.zeros(1, 4, 2, dtype=torch.float64)

    def residual(step):
        moved = reprojection._moved(motion, world, step)
        return reprojection._linearised(moved, world, nothing, sdd, cameras)[0]

    jacobian = torch.autograd.functional.jacobian(residual, torch.zeros(1, 6, dtype=torch.float64))
    told = reprojection._linearised(motion, world, nothing, sdd, cameras)[1]
    torch.testing.assert_close(jacobian[0, :, 0], told[0], atol=1e-6, rtol=0)


def test_too_few_pairs_and_other_numbers_of_views_are_refused():
    world = points(6)
    with pytest.raises(InputError, match=r"at least 4 pairs of landmarks .* got 3 \(p0, p1, p1\)"):
        joint_landmark_pose(named(world), seen(world, ({0, 1}, {1})), CAMERAS, RELATIVE)
    with pytest.raises(InputError, match="for each of the X-rays together, got 1, 2 and 2"):
        joint_landmark_pose(named(world), seen(world)[:1], CAMERAS, RELATIVE)
