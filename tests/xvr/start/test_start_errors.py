"""Start errors: displaced as said, spread as said, the same for the same seed."""

import math

import pytest
import torch
from support.views import CENTER, poses
from xraykit.render import carm_pose
from xraykit.render.geometry import geodesic_distance, rigid_inverse, transform_points
from xraykit.xvr import true_tre
from xraykit.xvr.start import StartErrors
from xraykit.xvr.start.start_errors import displaced_pose


def seen(pose: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    return transform_points(rigid_inverse(pose), points)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_moves_what_the_camera_sees_along_its_own_axis(axis):
    displacement = torch.zeros(4, 6, dtype=torch.float64)
    displacement[:, 3 + axis] = 7.0
    start = displaced_pose(poses(), CENTER, displacement)
    moved = seen(start, CENTER[None]) - seen(poses(), CENTER[None])
    expected = torch.zeros(4, 1, 3, dtype=torch.float64)
    expected[..., axis] = 7.0
    torch.testing.assert_close(moved, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_turn_keeps_the_centre_and_turns_the_patient_about_the_camera_axis(axis):
    """A turn by +90 degrees takes the next camera axis to the one after it."""
    displacement = torch.zeros(4, 6, dtype=torch.float64)
    displacement[:, axis] = 90.0
    start = displaced_pose(poses(), CENTER, displacement)
    torch.testing.assert_close(seen(start, CENTER[None]), seen(poses(), CENTER[None]), atol=1e-9, rtol=0)
    for n, pose in enumerate(poses()):
        point = CENTER + 10 * pose[:3, (axis + 1) % 3]
        arm = seen(start[n : n + 1], point[None])[0, 0] - seen(pose[None], CENTER[None])[0, 0]
        expected = torch.zeros(3, dtype=torch.float64)
        expected[(axis + 2) % 3] = 10.0
        torch.testing.assert_close(arm, expected, atol=1e-9, rtol=0)


def test_the_true_error_of_the_centre_is_the_length_of_the_shift():
    displacement = StartErrors().sample(4, seeded())
    start = displaced_pose(poses(), CENTER, displacement)
    torch.testing.assert_close(true_tre(start, poses(), fiducials=CENTER[None]), displacement[:, 3:].norm(dim=-1))
    angle, _ = geodesic_distance(start, poses())
    torch.testing.assert_close(angle, displacement[:, :3].norm(dim=-1))


@pytest.mark.parametrize("level", [1.0, 2.0, 4.0])
def test_draws_have_the_stated_spread_and_limit(level):
    """Standard deviations from 20 000 draws are within 3 % (six sigma); clipping at two sigma leaves 0.9596 of one."""
    draws = StartErrors(level=level).sample(20_000, seeded(3)) / level
    assert float(draws[:, :3].abs().max()) == pytest.approx(5.0)
    # E[clip(z, 2)^2] = 1 - 2 (2 phi(2) + tail) + 8 tail with tail = P(z > 2)
    tail, phi = 0.5 * math.erfc(math.sqrt(2)), math.exp(-2) / math.sqrt(2 * math.pi)
    clipped = math.sqrt(1 - 2 * (2 * phi + tail) + 8 * tail)
    expected = torch.tensor([2.5 * clipped] * 3 + [1.5, 1.5, 15.0], dtype=torch.float64)
    torch.testing.assert_close(draws.std(dim=0), expected, rtol=0.03, atol=0)
    torch.testing.assert_close(draws.mean(dim=0) / expected, torch.zeros(6, dtype=torch.float64), atol=0.04, rtol=0)


def test_the_same_seed_gives_the_same_starts_and_another_gives_others():
    truth = carm_pose(sod=800.0, isocenter=CENTER)
    one, again, other = (StartErrors().perturb(truth, CENTER, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(one, again) and not torch.allclose(one, other)


def test_level_zero_starts_at_the_truth():
    torch.testing.assert_close(StartErrors(level=0.0).perturb(poses(), CENTER, seeded()), poses())


def test_settings_and_shapes_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="depth >= 0 and finite, got depth=-1"):
        StartErrors(depth=-1.0)
    with pytest.raises(ValueError, match="level >= 0 and finite, got level=nan"):
        StartErrors(level=math.nan)
    with pytest.raises(ValueError, match=r"displacement must be \(4, 6\)"):
        displaced_pose(poses(), CENTER, torch.zeros(3, 6))
