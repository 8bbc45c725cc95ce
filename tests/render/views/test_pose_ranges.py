"""Published pose ranges: drawn in the convention of DiffDRR and xvr, returned as ours."""

import math

import numpy as np
import pytest
import torch
from xraykit.render import InputError
from xraykit.render.converters import diffdrr_parameters, to_diffdrr
from xraykit.render.geometry import carm_angles, check_pose
from xraykit.render.views import POSE_RANGES, PoseRange, sample_pose

CENTRE = (12.0, -34.0, 560.0)


@pytest.mark.parametrize("name", POSE_RANGES)
def test_samples_fill_the_box_and_never_leave_it(name):
    preset = POSE_RANGES[name]
    poses = sample_pose(name, CENTRE, np.random.default_rng(0), 400)
    check_pose(poses)
    camera = preset.camera() if preset.sdd else POSE_RANGES["deepfluoro"].camera()
    view = to_diffdrr(camera, poses, orientation="AP", center=CENTRE)
    rotation, translation = diffdrr_parameters(view.extrinsic)
    degrees = torch.rad2deg(rotation)
    middle = (preset.alpha[0] + preset.alpha[1]) / 2
    degrees[:, 0] = (degrees[:, 0] - middle + 180) % 360 - 180 + middle
    drawn = torch.cat([degrees, translation], dim=1)
    for values, (low, high) in zip(
        drawn.T, (preset.alpha, preset.beta, preset.gamma, preset.tx, preset.ty, preset.tz), strict=True
    ):
        assert low - 1e-6 <= float(values.min()) < low + 0.03 * (high - low)
        assert high - 0.03 * (high - low) < float(values.max()) <= high + 1e-6


def test_a_pose_is_the_formula_of_the_paper():
    """Source = centre + R t and beam = R (0, -1, 0), R = Rz(alpha) Rx(beta) Ry(gamma), written out by hand."""
    alpha, beta, gamma, t = 0.5, -0.2, 0.1, np.array([10.0, 800.0, -20.0])
    fixed = [(v, v) for v in (*np.degrees([alpha, beta, gamma]), *t)]
    pose = sample_pose(PoseRange("mine", *fixed), CENTRE, np.random.default_rng(0))[0].numpy()
    c, s = math.cos, math.sin
    z = np.array([[c(alpha), -s(alpha), 0], [s(alpha), c(alpha), 0], [0, 0, 1]])
    x = np.array([[1, 0, 0], [0, c(beta), -s(beta)], [0, s(beta), c(beta)]])
    y = np.array([[c(gamma), 0, s(gamma)], [0, 1, 0], [-s(gamma), 0, c(gamma)]])
    rotation = z @ x @ y
    np.testing.assert_allclose(pose[:3, 3], CENTRE + rotation @ t, atol=1e-9)
    np.testing.assert_allclose(pose[:3, 2], rotation @ [0, -1, 0], atol=1e-12)


def test_alpha_counts_from_ap():
    for alpha, lao_rao in ((0.0, 180.0), (90.0, -90.0), (-90.0, 90.0)):
        fixed = PoseRange("mine", *[(v, v) for v in (alpha, 0.0, 0.0, 0.0, 800.0, 0.0)])
        pose = sample_pose(fixed, CENTRE, np.random.default_rng(0))
        angle = float(carm_angles(pose).lao_rao)
        assert (angle - lao_rao + 180) % 360 - 180 == pytest.approx(0, abs=1e-6)


def test_published_numbers_and_cameras():
    assert set(POSE_RANGES) == {"foundation", "deepfluoro", "femur", "ljubljana", "brigham"}
    assert POSE_RANGES["deepfluoro"].alpha == (135, 225)
    assert POSE_RANGES["foundation"].ty == (450, 1000)
    camera = POSE_RANGES["ljubljana"].camera(256)
    assert (camera.sdd, camera.height, camera.width) == (1250.0, 256, 256)
    assert camera.pixel_spacing == pytest.approx(2.31 / 2)
    with pytest.raises(InputError, match="no camera is published for 'brigham'"):
        POSE_RANGES["brigham"].camera()


def test_bad_requests_are_refused():
    with pytest.raises(InputError, match="preset must be one of foundation, deepfluoro"):
        sample_pose("pelvis", CENTRE, np.random.default_rng(0))
    with pytest.raises(InputError, match="n must be at least 1, got 0"):
        sample_pose("femur", CENTRE, np.random.default_rng(0), 0)


def test_the_same_seed_gives_the_same_poses():
    one, two = (sample_pose("femur", CENTRE, np.random.default_rng(4), 3) for _ in range(2))
    torch.testing.assert_close(one, two, atol=0, rtol=0)
    assert one.shape == (3, 4, 4)
