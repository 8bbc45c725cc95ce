"""Pose errors in closed form, and what sets the paper's mTRE apart from the true one."""

import math

import pytest
import torch
from support.views import CENTER, box, camera, poses
from xraykit.render import Camera, carm_pose
from xraykit.render.converters import from_diffdrr
from xraykit.render.geometry import compose, rigid_inverse, rigid_matrix, rotation_about
from xraykit.xvr.evaluate.metrics import dgeo, mpe, mrpe, mtre_c2w, pose_errors, success_rate, true_tre

F64 = torch.float64
PLAIN = Camera(sdd=1000.0, height=200, width=200, pixel_spacing=2.0)


def diffdrr_pose(alpha_degrees: float, *, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> torch.Tensor:
    """camera_to_world of E = [R | R t], R a turn by alpha about z, t = (0, 872.7, 0) + shift, about CENTER."""
    angle = math.radians(alpha_degrees)
    R = torch.tensor(
        [[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]], dtype=F64
    )
    E = rigid_matrix(R, R @ torch.tensor([shift[0], 872.7 + shift[1], shift[2]], dtype=F64))[None]
    return from_diffdrr(
        E, orientation="AP", reverse_x_axis=True, sdd=1000.0, height=200, width=200, delx=2.0, center=CENTER
    ).pose


SIDES = CENTER + torch.tensor([[82.5, 0, 0], [-82.5, 0, 0]], dtype=F64)


def test_one_degree_of_alpha_is_fifteen_millimetres_for_the_paper_and_one_and_a_half_in_truth():
    """A chord of one degree: 2 sin(1/2 degree) times the distance from the axis, which for E is that to X + t."""
    chord = 2 * math.sin(math.radians(0.5))
    paper = mtre_c2w(diffdrr_pose(1.0), diffdrr_pose(0.0), fiducials=SIDES, center=CENTER)
    true = true_tre(diffdrr_pose(1.0), diffdrr_pose(0.0), fiducials=SIDES)
    assert float(paper) == pytest.approx(chord * math.hypot(872.7, 82.5), abs=1e-9) == pytest.approx(15.3, abs=0.01)
    assert float(true) == pytest.approx(chord * 82.5, abs=1e-9) == pytest.approx(1.44, abs=0.01)


def test_the_two_target_errors_agree_for_a_pure_translation():
    moved = diffdrr_pose(25.0, shift=(3.0, -4.0, 12.0))
    for error in (
        mtre_c2w(moved, diffdrr_pose(25.0), fiducials=box(), center=CENTER),
        true_tre(moved, diffdrr_pose(25.0), fiducials=box()),
        dgeo(moved, diffdrr_pose(25.0), sdd=1000.0, center=CENTER),
    ):
        assert float(error) == pytest.approx(13.0, abs=1e-9)


def test_a_shift_across_the_beam_is_magnified_on_the_detector():
    """At half way to the detector everything doubles; the detector itself moves with the camera."""
    truth = carm_pose(sod=500.0, isocenter=CENTER)
    estimate = truth.clone()
    estimate[0, :3, 3] += 3.0 * truth[0, :3, 0]
    point = CENTER[None]
    assert float(mpe(estimate, truth, camera=PLAIN, fiducials=point)) == pytest.approx(6.0, abs=1e-9)
    assert float(mrpe(estimate, truth, camera=PLAIN, fiducials=point)) == pytest.approx(3.0, abs=1e-9)
    assert float(true_tre(estimate, truth, fiducials=point)) == pytest.approx(3.0, abs=1e-9)


def test_projection_error_counts_rows_and_columns_in_their_own_spacing():
    wide = Camera(sdd=1000.0, height=200, width=200, pixel_spacing=(1.0, 5.0))
    truth = carm_pose(sod=500.0, isocenter=CENTER)
    for axis in (0, 1):
        estimate = truth.clone()
        estimate[0, :3, 3] += truth[0, :3, axis]
        assert float(mpe(estimate, truth, camera=wide, fiducials=CENTER[None])) == pytest.approx(2.0, abs=1e-9)


def test_a_shift_along_the_beam_is_seen_in_space_and_hardly_on_the_detector():
    truth = carm_pose(sod=800.0, isocenter=CENTER)
    estimate = truth.clone()
    estimate[0, :3, 3] += 15.0 * truth[0, :3, 2]
    errors = pose_errors(estimate, truth, camera=PLAIN, fiducials=CENTER[None], center=CENTER)
    assert float(errors.mpe) == pytest.approx(0.0, abs=1e-9)
    assert float(errors.mrpe) == float(errors.true_tre) == pytest.approx(15.0, abs=1e-9)


def test_double_geodesic_adds_half_the_source_detector_distance_per_radian():
    """A turn about the centre moves the source on a circle; seen from the turned camera it has not moved."""
    truth = carm_pose(sod=800.0, isocenter=CENTER)
    turn = rotation_about("Z", torch.tensor(math.radians(2.0), dtype=F64))
    about = rigid_matrix(turn, CENTER - turn @ CENTER)
    estimate = compose(about, truth)
    expected = 500.0 * math.radians(2.0)
    assert float(dgeo(estimate, truth, sdd=1000.0, center=CENTER)) == pytest.approx(expected, abs=1e-6)


def test_true_errors_do_not_change_when_the_world_is_moved():
    motion = compose(poses()[1:2], rigid_inverse(poses()[2:3]))
    estimate, truth = poses()[:1], poses()[:1].clone()
    estimate = compose(estimate, rigid_matrix(rotation_about("Y", torch.tensor(0.03)).double(), CENTER / 100))
    moved = box() @ motion[0, :3, :3].T + motion[0, :3, 3]
    for error in (mpe, mrpe):
        torch.testing.assert_close(
            error(compose(motion, estimate), compose(motion, truth), camera=camera(), fiducials=moved),
            error(estimate, truth, camera=camera(), fiducials=box()),
        )
    torch.testing.assert_close(
        true_tre(compose(motion, estimate), compose(motion, truth), fiducials=moved),
        true_tre(estimate, truth, fiducials=box()),
    )


def test_a_perfect_estimate_has_no_error_and_batches_broadcast():
    errors = pose_errors(poses(), poses(), camera=camera(), fiducials=box(), center=CENTER)
    for error in errors:
        torch.testing.assert_close(error, torch.zeros(4, dtype=F64), atol=1e-9, rtol=0)
    errors = pose_errors(poses(), poses()[:1], camera=camera(), fiducials=box(), center=CENTER)
    assert all(error.shape == (4,) and float(error[1:].min()) > 10 for error in errors)


def test_the_reference_orientation_of_diffdrr_matters_to_the_paper_error():
    """PA differs from AP by a half turn of the fiducials about the world's z, not of the poses."""
    estimate, truth = diffdrr_pose(1.0), diffdrr_pose(0.0)
    point = CENTER + torch.tensor([[0.0, 100.0, 0.0]], dtype=F64)
    ap, pa = (float(mtre_c2w(estimate, truth, fiducials=point, center=CENTER, orientation=way)) for way in ("AP", "PA"))
    chord = 2 * math.sin(math.radians(0.5))
    assert ap == pytest.approx(chord * 972.7, abs=1e-9)
    assert pa == pytest.approx(chord * 772.7, abs=1e-9)


def test_a_camera_that_looks_away_has_an_infinite_projection_error():
    truth = carm_pose(sod=800.0, isocenter=CENTER)
    away = compose(truth, rigid_matrix(rotation_about("Y", torch.tensor(math.pi)).double(), torch.zeros(3).double()))
    errors = pose_errors(away, truth, camera=PLAIN, fiducials=box(), center=CENTER)
    assert math.isinf(errors.mpe) and math.isinf(errors.mrpe) and math.isfinite(errors.true_tre)


def test_success_rate_counts_what_is_below_and_takes_nan_for_a_failure():
    errors = torch.tensor([0.2, 0.99, 1.0, math.nan, math.inf])
    assert success_rate(errors) == pytest.approx(0.4)
    assert success_rate(errors, below=5.0) == pytest.approx(0.6)
    with pytest.raises(ValueError, match="at least one error, got none"):
        success_rate(torch.tensor([]))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (torch.zeros(0, 3), "at least one point, got shape"),
        (torch.zeros(4, 2), r"must be \(N, 3\)"),
        (torch.full((2, 3), math.nan), "must be finite, got NaN"),
    ],
)
def test_fiducials_that_say_nothing_are_refused(points, message):
    with pytest.raises(ValueError, match=message):
        true_tre(poses(), poses(), fiducials=points)
